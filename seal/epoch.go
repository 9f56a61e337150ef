package seal

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/tooltrail/tooltrail/internal/durable"
	"github.com/tooltrail/tooltrail/trail"
)

// epochKeyName holds the key of the epoch, in the trail's private directory.
const epochKeyName = "epoch.key"

// An epochState is what epoch.key holds: the key that signs now, and the next
// one from when it is announced until it takes over. Epoch 0 has no key: the
// trail is new.
type epochState struct {
	Origin string    `json:"origin"`
	Epoch  uint64    `json:"epoch"`
	Seed   []byte    `json:"seed,omitempty"`
	Began  time.Time `json:"began"`
	Next   *nextKey  `json:"next,omitempty"`

	signer *cosigner // nil where there is no key
}

// A nextKey is announced, or about to be, at the index From or behind it.
type nextKey struct {
	Seed []byte `json:"seed"`
	From uint64 `json:"from"`
	By   string `json:"by"`

	end uint64 // index behind its note; 0 when the note is not written
}

// Who signs an epoch's key.
const (
	byEpoch   = "epoch"   // the key of the epoch before
	byLog     = "log"     // the log key: the first epoch
	byRestart = "restart" // the log key: the epoch's key was lost
)

// epochName is the name of an epoch's key.
func epochName(origin string, n uint64) string {
	return origin + epochInfix + strconv.FormatUint(n, 10)
}

const epochInfix = "/epoch/"

// vkey returns the verifier key of the key as that of epoch number.
func (n *nextKey) vkey(origin string, number uint64) string {
	pub := ed25519.NewKeyFromSeed(n.Seed).Public().(ed25519.PublicKey)
	return CosignatureVKey(epochName(origin, number), pub)
}

func newSeed() []byte {
	seed := make([]byte, ed25519.SeedSize)
	rand.Read(seed)
	return seed
}

// epochMessage is what hands an epoch over.
func epochMessage(origin, by string, n uint64, vkey string) []byte {
	kind := "tooltrail/epoch/v1"
	if by == byRestart {
		kind = "tooltrail/epoch-restart/v1"
	}
	return fmt.Appendf(nil, "%s\n%s\n%d\n%s\n", kind, origin, n, vkey)
}

func (s *Sealer) untilEpoch() time.Duration {
	left := s.epoch.Began.Add(s.opts.EpochEvery).Sub(s.opts.Now())
	return min(max(left, 0), s.opts.EpochEvery)
}

// nextEpoch hands over to the next key: it is saved, announced in the trail,
// and covered by a last checkpoint of the old key, which is then erased. Each
// step finds what an earlier try has done.
func (s *Sealer) nextEpoch() error {
	n := s.epoch.Next
	if n == nil {
		by := byEpoch
		if s.epoch.Epoch == 0 {
			by = byLog
		}
		s.mu.Lock()
		n = &nextKey{Seed: newSeed(), From: s.next, By: by}
		s.mu.Unlock()
		next := s.epoch
		next.Next = n
		if err := s.saveEpoch(next); err != nil {
			return err
		}
		s.epoch = next
	}
	if n.end == 0 {
		if err := s.announce(n); err != nil {
			return err
		}
	}
	if err := s.trail.Sync(context.Background()); err != nil && !errors.Is(err, trail.ErrClosed) {
		return err
	}
	if err := s.await(n.end); err != nil {
		return err
	}
	return s.takeOver(n)
}

// announce writes the note of the next epoch.
func (s *Sealer) announce(n *nextKey) error {
	number := s.epoch.Epoch + 1
	vkey := n.vkey(s.origin, number)
	signer := s.opts.Keys[0].priv
	if n.By == byEpoch {
		signer = ed25519.NewKeyFromSeed(s.epoch.Seed)
	}
	sig := ed25519.Sign(signer, epochMessage(s.origin, n.By, number, vkey))
	err := s.trail.Note("epoch", slog.Uint64("epoch", number), slog.String("key", vkey), slog.String("by", n.By),
		slog.String("sig", base64.StdEncoding.EncodeToString(sig)))
	if errors.Is(err, trail.ErrClosed) {
		return errStopping
	}
	if err != nil {
		return err
	}
	s.mu.Lock()
	n.end = s.next // the note is at or before the last line
	s.mu.Unlock()
	return nil
}

var errStopping = errors.New("seal: stopping")

// await returns when size lines may be signed.
func (s *Sealer) await(size uint64) error {
	for {
		have, err := s.ready()
		if err != nil || have >= size {
			return err
		}
		select {
		case <-s.stop:
			return errStopping
		case <-s.wake:
		case <-time.After(retryEvery):
			s.mu.Lock()
			err := s.trouble
			s.mu.Unlock()
			if err != nil {
				return err
			}
		}
	}
}

// takeOver seals the hand-over with the old key and erases it. The first key
// has none before it and seals itself; so does one that follows a lost key.
func (s *Sealer) takeOver(n *nextKey) error {
	if n.By == byEpoch {
		if err := s.sign(lasting); err != nil {
			return err
		}
	}
	if err := s.syncTree(); err != nil {
		return err
	}
	next := epochState{Origin: s.origin, Epoch: s.epoch.Epoch + 1, Seed: n.Seed, Began: s.opts.Now()}
	next.use()
	if n.By != byEpoch {
		old := s.epoch
		s.epoch = next
		if err := s.sign(lasting); err != nil {
			s.epoch = old
			return err
		}
	}
	if err := s.saveEpoch(next); err != nil {
		return err
	}
	s.epoch = next
	return nil
}

// use makes the signer of the state's key.
func (e *epochState) use() {
	if len(e.Seed) != ed25519.SeedSize {
		return
	}
	key := ed25519.NewKeyFromSeed(e.Seed)
	name := epochName(e.Origin, e.Epoch)
	pub := append([]byte{algCosign}, key.Public().(ed25519.PublicKey)...)
	e.signer = &cosigner{name, keyID(name, pub), key, time.Now}
}

// saveEpoch replaces epoch.key. What the old file held is overwritten first, as
// well as a file system lets us: the old key must not be found any more.
func (s *Sealer) saveEpoch(e epochState) error {
	b, err := json.Marshal(e)
	if err != nil {
		return err
	}
	path := filepath.Join(s.dir, stateDir, epochKeyName)
	old, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("seal: save the epoch's key: %w", err)
	}
	if err := s.fs.WriteFile(path, append(b, '\n')); err != nil {
		if old != nil {
			_ = old.Close()
		}
		return fmt.Errorf("seal: save the epoch's key: %w", err)
	}
	if old == nil {
		return nil
	}
	defer old.Close()
	if info, err := old.Stat(); err == nil { // the name leads to the new file; this is the old one
		if _, err := old.WriteAt(make([]byte, info.Size()), 0); err == nil {
			_ = durable.Datasync(old)
		}
	}
	return nil
}

// stateDir is the trail's private directory.
const stateDir = "state"

// loadEpoch reads epoch.key. ok is false where there is none that can be used.
func loadEpoch(dir string) (e epochState, ok bool, err error) {
	f, err := durable.OpenRead(filepath.Join(dir, stateDir, epochKeyName))
	if errors.Is(err, fs.ErrNotExist) {
		return e, false, nil
	}
	if err != nil {
		return e, false, fmt.Errorf("seal: read the epoch's key: %w", err)
	}
	defer f.Close()
	if err := json.NewDecoder(f).Decode(&e); err != nil {
		return epochState{}, false, nil
	}
	if e.Epoch > 0 && len(e.Seed) != ed25519.SeedSize || e.Next != nil && len(e.Next.Seed) != ed25519.SeedSize {
		return epochState{}, false, nil
	}
	return e, true, nil
}
