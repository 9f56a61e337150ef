package config

import (
	"context"
	"testing"
	"time"

	"github.com/tooltrail/tooltrail/audit"
	"github.com/tooltrail/tooltrail/trail"
)

func openWithIntents(t *testing.T, home string, use bool) *Recorder {
	t.Helper()
	r, err := OpenRecorder(home, "atd", &RecorderOptions{Intents: use})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// events returns the events of a home, by call.
func events(t *testing.T, dir string) map[string][]*audit.CallEvent {
	t.Helper()
	byID := map[string][]*audit.CallEvent{}
	for line, err := range trail.Read(dir, nil) {
		if err != nil {
			t.Fatal(err)
		}
		if line.Kind() == trail.Event {
			ev, err := audit.Decode(line.Bytes)
			if err != nil {
				t.Fatal(err)
			}
			byID[ev.CallID] = append(byID[ev.CallID], ev)
		}
	}
	return byID
}

// TestIntentWithoutAnEnd leaves one call of two open: it gets its event when
// the trail is opened again, and only then, and only once.
func TestIntentWithoutAnEnd(t *testing.T) {
	home, ctx := t.TempDir(), context.Background()
	r := openWithIntents(t, home, true)
	ended := audit.CallEvent{CallID: audit.NewCallID(), ToolID: "ended", Outcome: audit.Success()}
	open := audit.CallEvent{
		CallID: audit.NewCallID(), ToolID: "open", CallerID: "agent", Principal: "os:alice", SessionID: "s", Server: "atd",
		Tier: audit.TierCold, Transport: audit.TransportUDS, ArgsMAC: "ab",
	}
	for _, ev := range []*audit.CallEvent{&ended, &open} {
		if err := r.Intents.Intend(ctx, ev); err != nil {
			t.Fatal(err)
		}
	}
	r.Queue.OnCall(&ended)
	if err := r.Close(ctx); err != nil {
		t.Fatal(err)
	}

	for round, use := range []bool{false, true, true} {
		r := openWithIntents(t, home, use)
		if want := map[int]int{0: 1}[round]; r.Abandoned != want {
			t.Errorf("round %d: %d abandoned calls, want %d", round, r.Abandoned, want)
		}
		if err := r.Close(ctx); err != nil {
			t.Fatal(err)
		}
	}
	all := events(t, home)
	if len(all) != 2 || len(all[ended.CallID]) != 1 || len(all[open.CallID]) != 1 {
		t.Fatalf("%d calls: %v", len(all), all)
	}
	got := *all[open.CallID][0]
	if got.Outcome.Code != audit.CodeAbandoned || got.Time.Before(time.Now().Add(-time.Minute)) {
		t.Errorf("%+v", got)
	}
	want := open
	want.Outcome, want.DecidedBy, want.SchemaVersion = audit.ExecutionFailed(audit.CodeAbandoned, false), audit.ByTransport, audit.SchemaVersion
	want.Time, want.Seq, want.GrantedCapabilities = got.Time, got.Seq, got.GrantedCapabilities
	if a, b := string(got.AppendJSON(nil)), string(want.AppendJSON(nil)); a != b {
		t.Errorf("got  %s\nwant %s", a, b)
	}
}

// TestIntentOnAClosedTrail refuses where the trail is closed.
func TestIntentOnAClosedTrail(t *testing.T) {
	r := openWithIntents(t, t.TempDir(), true)
	if err := r.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	if err := r.Intents.Intend(context.Background(), &audit.CallEvent{CallID: "x"}); err == nil {
		t.Error("an intent was taken that nobody wrote")
	}
}

// TestTrailWithoutIntents is not read when it is opened.
func TestTrailWithoutIntents(t *testing.T) {
	home := t.TempDir()
	for range 2 {
		r := openWithIntents(t, home, false)
		if r.Intents != nil || r.Abandoned != 0 {
			t.Errorf("%+v", r)
		}
		if err := r.Close(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
	for line, err := range trail.Read(home, nil) {
		if err != nil || line.Note() == noteSettled {
			t.Errorf("%s: %v", line.Bytes, err)
		}
	}
}
