package seal_test

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"github.com/tooltrail/tooltrail/audit"
	"github.com/tooltrail/tooltrail/seal"
	"github.com/tooltrail/tooltrail/trail"
)

// TestAttacks is the table of docs/threat-model.md. F rows may change files. K
// rows have also stolen the log key and the key of the current epoch. The
// columns say whether the attack is found by who has only the log's public key,
// by who holds the trail to its epochs and to a greatest age as well, and by who
// has copies of checkpoints too, as a witness has.
func TestAttacks(t *testing.T) {
	v := newVictim(t)
	for _, row := range []struct {
		name                 string
		attack               func(t *testing.T, a *attacker)
		key, epochs, witness bool
	}{
		{"nothing", func(*testing.T, *attacker) {}, false, false, false},
		{"F edit", editEarly, true, true, true},
		{"F delete", deleteLine, true, true, true},
		{"F insert", insertLine, true, true, true},
		{"F reorder", reorderLines, true, true, true},
		{"F drop a segment", dropSegment, true, true, true},
		{"F edit and rebuild the tree", editAndRebuild, true, true, true},
		{"F truncate", truncateOnly, true, true, true},
		{"F truncate to an older checkpoint", truncateToCheckpoint, false, true, true},
		{"F roll back the directory", rollBack, false, true, true},
		{"F replace the key and sign all again", replaceKey, true, true, true},
		{"F redact without authority", redactAlone, true, true, true},
		{"K edit in an earlier epoch", editAndSign, false, true, true},
		{"K delete in an earlier epoch", deleteAndSign, false, true, true},
		{"K truncate into an earlier epoch", truncateAndSign, false, true, true},
		{"K fork with the history kept", forkWithHistory, true, true, true},
		{"K edit in the current epoch before the last anchor", editBeforeAnchor, false, false, true},
		{"K edit in the current epoch after the last anchor", editAfterAnchor, false, false, false},
		{"K truncate in the current epoch after the last anchor", truncateAfterAnchor, false, false, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			a := v.attacked(t)
			row.attack(t, a)
			byKey := verify(t, a.dir, v.key)
			byEpochs := verify(t, a.dir, v.key, v.fresh)
			byWitness := verify(t, a.dir, v.key, v.fresh, func(o *seal.VerifyOptions) { o.Anchors = v.anchors })
			found := slices.ContainsFunc(byKey.Findings, func(f seal.Finding) bool {
				return f.Kind != seal.KindEpochBroken && f.Kind != seal.KindEpochRestart
			})
			if found != row.key {
				t.Errorf("found by the log key is %v, want %v: %+v", found, row.key, byKey.Findings)
			}
			if !byEpochs.OK != row.epochs {
				t.Errorf("found by epochs is %v, want %v: %+v", !byEpochs.OK, row.epochs, byEpochs.Findings)
			}
			if !byWitness.OK != row.witness {
				t.Errorf("found by a witness is %v, want %v: %+v", !byWitness.OK, row.witness, byWitness.Findings)
			}
		})
	}
}

// A victim is a trail of four epochs, an hour long. The last anchor lies in the
// middle of the last epoch.
type victim struct {
	dir     string
	key     *seal.Key
	anchors []seal.Anchor
	ends    []uint64 // size at the end of each epoch's writer
	past    string   // a copy of the directory from the third epoch
	now     time.Time
}

func newVictim(t *testing.T) *victim {
	v := &victim{dir: filepath.Join(t.TempDir(), "x"), key: newKey(t), now: time.Date(2026, 5, 29, 12, 0, 0, 0, time.UTC)}
	for epoch := uint64(1); epoch <= 4; epoch++ {
		v.now = v.now.Add(20 * time.Minute)
		tr, s := open(t, v.dir, seal.Options{Keys: []*seal.Key{v.key}, Every: time.Millisecond, Now: func() time.Time { return v.now }},
			trail.Options{MaxBytes: 20_000, SyncEvery: time.Millisecond})
		waitFor(t, func() bool { return epochKey(t, v.dir).Epoch == epoch })
		record(t, tr, 150)
		waitFor(t, func() bool { return s.Status().Sealed >= s.Status().Lines })
		v.anchor(t)
		record(t, tr, 150)
		shut(t, tr)
		c, _ := newest(t, v.dir, v.key)
		v.ends = append(v.ends, c.Size)
		if epoch < 4 {
			v.anchor(t)
		}
		if epoch == 3 {
			v.past = filepath.Join(t.TempDir(), "x")
			must(t, os.CopyFS(v.past, os.DirFS(v.dir)))
		}
	}
	return v
}

func (v *victim) anchor(t *testing.T) {
	b, err := os.ReadFile(filepath.Join(v.dir, "checkpoint"))
	must(t, err)
	v.anchors = append(v.anchors, seal.Anchor{Name: fmt.Sprint(len(v.anchors)), Signed: b})
}

// fresh asks for a checkpoint of the last ten minutes.
func (v *victim) fresh(o *seal.VerifyOptions) {
	o.MaxAge, o.Now = 10*time.Minute, func() time.Time { return v.now.Add(time.Minute) }
}

// An attacker has a copy of the victim's trail, and may change what is there.
type attacker struct {
	*victim
	dir string
}

func (v *victim) attacked(t *testing.T) *attacker {
	dir := filepath.Join(t.TempDir(), "x")
	must(t, os.CopyFS(dir, os.DirFS(v.dir)))
	return &attacker{v, dir}
}

// change edits the lines of the trail as one list and writes the segments anew,
// as long as they were; the last takes what is left.
func (a *attacker) change(t *testing.T, how func(lines [][]byte) [][]byte) {
	t.Helper()
	lines := how(linesOf(t, a.dir))
	segs, err := trail.Segments(a.dir)
	must(t, err)
	for _, s := range segs {
		must(t, os.Remove(s.Path))
		first, next := int(s.First), len(lines)
		if s.Next > 0 {
			next = min(next, int(s.Next))
		}
		if first < next {
			b := append(bytes.Join(lines[first:next], []byte("\n")), '\n')
			must(t, os.WriteFile(s.Path, b, 0o600))
		}
	}
}

// rebuild makes the tree of the lines that are there.
func (a *attacker) rebuild(t *testing.T) {
	t.Helper()
	lines := linesOf(t, a.dir)
	var levels [2]bytes.Buffer
	for i := range lines {
		h := seal.LeafHash(lines[i])
		levels[0].Write(h[:])
		if (i+1)%256 == 0 {
			h = rootOf(lines[i-255 : i+1])
			levels[1].Write(h[:])
		}
	}
	for i := range levels {
		must(t, os.WriteFile(filepath.Join(a.dir, "tree", fmt.Sprint(i)), levels[i].Bytes(), 0o600))
	}
}

// sign makes a checkpoint of the first size lines with the keys of the attacker.
func (a *attacker) sign(t *testing.T, size uint64, at time.Time) string {
	t.Helper()
	saved := epochKey(t, a.dir)
	c := seal.Checkpoint{Origin: a.key.Name + "/x", Size: size, Root: rootOf(linesOf(t, a.dir)[:size])}
	epoch, err := seal.NewCosigner(fmt.Sprintf("%s/epoch/%d", c.Origin, saved.Epoch), ed25519.NewKeyFromSeed(saved.Seed), func() time.Time { return at })
	must(t, err)
	signed, err := note.Sign(&note.Note{Text: c.String()}, a.key.Named(c.Origin).Signer(), epoch)
	must(t, err)
	return string(signed)
}

// A savedEpoch is what state/epoch.key holds.
type savedEpoch struct {
	Epoch uint64
	Seed  []byte
}

func epochKey(t *testing.T, dir string) (saved savedEpoch) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, "state", "epoch.key"))
	must(t, err, json.Unmarshal(b, &saved))
	return saved
}

// signAgain replaces every checkpoint of more than from lines, and ends the
// history with one of all lines.
func (a *attacker) signAgain(t *testing.T, from uint64) {
	t.Helper()
	a.rebuild(t)
	size := uint64(len(linesOf(t, a.dir)))
	var history []seal.HistoryEntry
	for e, err := range seal.History(a.dir) {
		must(t, err)
		if e.Size > size {
			break
		}
		if e.Size > from {
			at, err := time.Parse(time.RFC3339Nano, e.Time)
			must(t, err)
			e.Note = a.sign(t, e.Size, at)
		}
		history = append(history, e)
	}
	signed := a.sign(t, size, a.now)
	history = append(history, seal.HistoryEntry{Size: size, Time: string(audit.AppendTime(nil, a.now)), Note: signed})
	a.write(t, history, signed)
}

// write replaces the history and the newest checkpoint.
func (a *attacker) write(t *testing.T, history []seal.HistoryEntry, newest string) {
	t.Helper()
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	for _, e := range history {
		must(t, enc.Encode(e))
	}
	must(t, os.WriteFile(filepath.Join(a.dir, "checkpoints.jsonl"), b.Bytes(), 0o600),
		os.WriteFile(filepath.Join(a.dir, "checkpoint"), []byte(newest), 0o600))
}

// early is a line of the second epoch, and late one of the last, behind the last
// anchor.
func (v *victim) early() int { return int(v.ends[0]) + 50 }
func (v *victim) late() int  { return int(v.ends[3]) - 40 }

// edited returns a change of one line that keeps its length.
func edited(i int) func(lines [][]byte) [][]byte {
	return func(lines [][]byte) [][]byte {
		lines[i] = bytes.Replace(lines[i], []byte(`"tool_id":"x"`), []byte(`"tool_id":"y"`), 1)
		return lines
	}
}

func editEarly(t *testing.T, a *attacker) { a.change(t, edited(a.early())) }

func deleteLine(t *testing.T, a *attacker) {
	a.change(t, func(l [][]byte) [][]byte { return slices.Delete(l, a.early(), a.early()+1) })
}

func insertLine(t *testing.T, a *attacker) {
	a.change(t, func(l [][]byte) [][]byte {
		return slices.Insert(l, a.early(), []byte(`{"ts":"2026-05-29T12:00:00+00:00"}`))
	})
}

func reorderLines(t *testing.T, a *attacker) {
	a.change(t, func(l [][]byte) [][]byte {
		i := a.early()
		l[i], l[i+7] = l[i+7], l[i]
		return l
	})
}

func dropSegment(t *testing.T, a *attacker) {
	segs, err := trail.Segments(a.dir)
	must(t, err, os.Remove(segs[len(segs)/2].Path))
}

func editAndRebuild(t *testing.T, a *attacker) {
	editEarly(t, a)
	a.rebuild(t)
}

func truncateTo(t *testing.T, a *attacker, size uint64) {
	a.change(t, func(l [][]byte) [][]byte { return l[:size] })
}

func truncateOnly(t *testing.T, a *attacker) { truncateTo(t, a, a.ends[2]) }

func truncateToCheckpoint(t *testing.T, a *attacker) {
	truncateTo(t, a, a.ends[2])
	a.rebuild(t)
	var history []seal.HistoryEntry
	for e, err := range seal.History(a.dir) {
		must(t, err)
		if e.Size <= a.ends[2] {
			history = append(history, e)
		}
	}
	a.write(t, history, history[len(history)-1].Note)
}

func rollBack(_ *testing.T, a *attacker) { a.dir = a.past }

func replaceKey(t *testing.T, a *attacker) {
	a.victim = newVictim(t)
	a.dir = a.victim.dir
}

func redactAlone(t *testing.T, a *attacker) {
	a.change(t, func(l [][]byte) [][]byte {
		i := a.early()
		leaf := seal.LeafHash(l[i])
		ev, err := audit.Decode(l[i])
		must(t, err)
		stub := fmt.Appendf(nil, `{"redacted":"%s","seq":%d`, base64.StdEncoding.EncodeToString(leaf[:]), ev.Seq)
		l[i] = append(append(stub, bytes.Repeat([]byte(" "), len(l[i])-len(stub)-1)...), '}')
		return l
	})
}

func editAndSign(t *testing.T, a *attacker) {
	editEarly(t, a)
	a.signAgain(t, uint64(a.early()))
}

// deleteAndSign puts another line in the place of the one that is to go, as its
// number would be missed.
func deleteAndSign(t *testing.T, a *attacker) {
	a.change(t, func(l [][]byte) [][]byte {
		i := a.early()
		ev, err := audit.Decode(l[i])
		must(t, err)
		l[i] = fmt.Appendf(nil, `{"note":"recovered","ts":"2026-05-29T12:40:00+00:00","torn":0,"seq":%d,"lost":{"count":1,"reason":"killed","first_seq":%d,"last_seq":%d}}`, ev.Seq, ev.Seq, ev.Seq)
		return l
	})
	a.signAgain(t, uint64(a.early()))
}

func truncateAndSign(t *testing.T, a *attacker) {
	truncateTo(t, a, a.ends[1]-20)
	a.signAgain(t, a.ends[1])
}

func forkWithHistory(t *testing.T, a *attacker) {
	editEarly(t, a)
	a.rebuild(t)
	must(t, os.WriteFile(filepath.Join(a.dir, "checkpoint"), []byte(a.sign(t, a.ends[3], a.now)), 0o600))
}

func editBeforeAnchor(t *testing.T, a *attacker) {
	i := int(a.ends[2]) + 60
	a.change(t, edited(i))
	a.signAgain(t, uint64(i))
}

func editAfterAnchor(t *testing.T, a *attacker) {
	a.change(t, edited(a.late()))
	a.signAgain(t, uint64(a.late()))
}

func truncateAfterAnchor(t *testing.T, a *attacker) {
	truncateTo(t, a, uint64(a.late()))
	a.signAgain(t, uint64(a.late()))
}
