package dispatch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"sync"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// maxBrokerFile bounds what is read into memory, in bytes.
const maxBrokerFile = 1 << 20

// A FileBroker has the secrets of callers from a file of JSON, and reads it
// again when its time or size has changed:
//
//	{"callers":{"agent-A":{"principal":"os:alice","secrets":{"TOKEN":"…"}}}}
//
// "principal" may be left out; then whoever says that it is agent-A gets the
// secrets. It is safe for concurrent use.
type FileBroker struct {
	path string

	mu      sync.Mutex
	seen    fileState             // guarded by mu
	callers map[string]fileCaller // of seen; never changed, only replaced; guarded by mu
}

// A fileState tells one content of a file from another.
type fileState struct {
	modified time.Time
	size     int64
}

// A fileCaller is one caller of the file.
type fileCaller struct {
	Principal string            `json:"principal"`
	Values    map[string]string `json:"secrets"`
}

// OpenFileBroker returns a broker of the file at path: a regular file of at
// most 1 MiB that on Unix only its owner may use (mode 0600 or stricter), with
// no other members than those above. The error tells nothing of its content.
func OpenFileBroker(path string) (*FileBroker, error) {
	b := &FileBroker{path: path}
	if _, err := b.current(); err != nil {
		return nil, err
	}
	return b, nil
}

// Secrets returns the caller's secrets; nil for a caller that the file does not
// name, and for nobody. It is an error when the caller is not the principal
// whom the file names, or the file cannot be read any more: what it said before
// may have been revoked.
func (b *FileBroker) Secrets(_ context.Context, who Caller) (Secrets, error) {
	if who.ID == "" {
		return nil, nil
	}
	callers, err := b.current()
	if err != nil {
		return nil, err
	}
	c, known := callers[who.ID]
	switch {
	case !known:
		return nil, nil
	case c.Principal != "" && c.Principal != who.Principal:
		return nil, errors.New("the secrets belong to another principal")
	}
	s := make(Secrets, len(c.Values))
	for name, value := range c.Values {
		s[name] = NewSecret(value)
	}
	return s, nil
}

// current returns what the file says now.
func (b *FileBroker) current() (map[string]fileCaller, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	f, info, err := openRegular(b.path)
	if err != nil {
		return nil, fmt.Errorf("secrets: %w", err)
	}
	defer f.Close()
	if mode := info.Mode().Perm(); runtime.GOOS != "windows" && mode&0o077 != 0 {
		return nil, fmt.Errorf("secrets: %s has mode %04o: others may use it, it needs 0600", b.path, mode)
	}
	state := fileState{info.ModTime(), info.Size()}
	if b.callers != nil && state == b.seen {
		return b.callers, nil
	}
	callers, err := readCallers(f)
	if err != nil {
		return nil, fmt.Errorf("secrets: %s: %w", b.path, err)
	}
	b.seen, b.callers = state, callers
	return callers, nil
}

// openRegular opens a regular file, and looks at what is there before: to open
// a FIFO would wait for its writer.
func openRegular(path string) (*os.File, os.FileInfo, error) {
	before, err := os.Stat(path)
	if err != nil {
		return nil, nil, err
	}
	if !before.Mode().IsRegular() {
		return nil, nil, fmt.Errorf("%s is not a regular file", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s is not a regular file", path)
	}
	if err != nil {
		f.Close()
		return nil, nil, err
	}
	return f, info, nil
}

func readCallers(f *os.File) (map[string]fileCaller, error) {
	text, err := io.ReadAll(io.LimitReader(f, maxBrokerFile+1))
	if err != nil {
		return nil, err
	}
	if len(text) > maxBrokerFile {
		return nil, fmt.Errorf("it has more than %d bytes", maxBrokerFile)
	}
	var file struct {
		Callers map[string]fileCaller `json:"callers"`
	}
	if err := json.Unmarshal(text, &file, json.RejectUnknownMembers(true)); err != nil {
		return nil, errors.New(whereUnread(err))
	}
	if file.Callers == nil {
		return nil, errors.New(`it has no "callers"`)
	}
	return file.Callers, nil
}

// whereUnread says where the file is wrong by its byte alone: the text of a
// JSON error may quote a value, and its path a key that is one by mistake.
func whereUnread(err error) string {
	var syntax *jsontext.SyntacticError
	var semantic *json.SemanticError
	switch {
	case errors.As(err, &semantic):
		return fmt.Sprintf("at byte %d: a member that is unknown, or of the wrong type", semantic.ByteOffset)
	case errors.As(err, &syntax):
		return fmt.Sprintf("at byte %d: not JSON, or a member that stands twice", syntax.ByteOffset)
	}
	return "not JSON"
}
