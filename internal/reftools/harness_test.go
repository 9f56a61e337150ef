package reftools

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tooltrail/tooltrail/dispatch"
)

// A server has the reference tools in a directory of its own.
type server struct {
	t *testing.T
	*dispatch.Dispatcher
	dir string // canonical
}

// warmOutput is how large results may be here, in bytes.
const warmOutput = 4 << 10

func newServer(t *testing.T, tools ...dispatch.Tool) *server {
	t.Helper()
	if tools == nil {
		tools = append(Tools(), ConformanceTools()...)
	}
	registry, err := dispatch.NewRegistry(tools...)
	if err != nil {
		t.Fatal(err)
	}
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	d, err := dispatch.New(registry, &dispatch.Options{
		Dir: dir, Allow: []string{"write", "exec"},
		Tiers: map[dispatch.Tier]dispatch.Limits{
			dispatch.TierWarm: {Timeout: 20 * time.Second, MaxOutput: warmOutput},
			dispatch.TierCold: {Timeout: 20 * time.Second, MaxOutput: warmOutput},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return &server{t, d, dir}
}

// session returns a session with every capability that there is.
func (s *server) session() *dispatch.Session {
	session := dispatch.NewSession(nil)
	s.Handle(context.Background(), session, dispatch.Hello{ClientID: "test", RequestedCapabilities: []string{"write", "exec"}})
	return session
}

func (s *server) file(name, content string) string {
	s.t.Helper()
	path := filepath.Join(s.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		s.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		s.t.Fatal(err)
	}
	return path
}

func (s *server) content(name string) string {
	s.t.Helper()
	text, err := os.ReadFile(filepath.Join(s.dir, name))
	if err != nil {
		s.t.Fatal(err)
	}
	return string(text)
}

// call returns the result, or how the call ended: the code of a failure,
// "invalid args: why", or the text of another error.
func (s *server) call(session *dispatch.Session, id string, args any) (json.RawMessage, string) {
	s.t.Helper()
	text, ok := args.(string)
	if !ok {
		b, err := json.Marshal(args)
		if err != nil {
			s.t.Fatal(err)
		}
		text = string(b)
	}
	switch r := s.Handle(s.t.Context(), session, &dispatch.RunTool{ToolID: id, Args: json.RawMessage(text)}).(type) {
	case *dispatch.ToolResult:
		if r.Success {
			return r.Result, ""
		}
		var f struct{ Code, Message string }
		if err := json.Unmarshal(r.Result, &f); err != nil {
			s.t.Fatal(err)
		}
		return r.Result, f.Code
	case *dispatch.Error:
		_, why, invalid := strings.Cut(r.Message, "invalid args for "+id+": ")
		if invalid {
			return nil, "invalid args: " + why
		}
		return nil, r.Error()
	default:
		s.t.Fatalf("%T", r)
		return nil, ""
	}
}

// ends fails the test unless a call ends in the way that call names; "invalid
// args" may go on with anything.
func (s *server) ends(session *dispatch.Session, id, want string, args any) {
	s.t.Helper()
	result, end := s.call(session, id, args)
	if end != want && (want != "invalid args" || !strings.HasPrefix(end, "invalid args: ")) {
		s.t.Errorf("%s %.200v ended %q (%.200s), want %q", id, args, end, result, want)
	}
}

// must reads the result of a call that has to succeed.
func must[T any](s *server, session *dispatch.Session, id string, args any) T {
	s.t.Helper()
	result, end := s.call(session, id, args)
	if end != "" {
		s.t.Fatalf("%s %.200v ended %q (%s)", id, args, end, result)
	}
	var v T
	if err := json.Unmarshal(result, &v); err != nil {
		s.t.Fatal(err)
	}
	return v
}

type object = map[string]any

// callDone calls a tool with a context that is done.
func callDone(t *testing.T, tool dispatch.Tool, dir, args string) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := tool.Call(ctx, &dispatch.Call{Args: json.RawMessage(args), Dir: dir, MaxOutput: 1 << 20, Session: dispatch.NewSession(nil)})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("%s went on: %v", tool.Definition().ID, err)
	}
}

func nobody() *dispatch.Session { return dispatch.NewSession(nil) }
