package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tooltrail/tooltrail/internal/term"
	"github.com/tooltrail/tooltrail/seal"
)

const verifyLong = `Read every line of the trails and compare it with what was sealed. What was
changed, removed, added or reordered is named by segment, line and byte.

It trusts the keys that it is given with --key, else those that this user has
pinned for the home, and never one that lies beside the trails. Checkpoints that
were kept elsewhere (--anchor) show what the trails themselves cannot: that
nothing was cut off and no older copy put back.

With --proof and --line it checks one line without the trail.

Exits with 0 if all is intact, with 1 if it is not, with 2 if it cannot tell.`

type verifyFlags struct {
	trail, proof, line           string
	keys, anchors                []string
	maxAge                       time.Duration
	asJSON, homeKey              bool
	declared, restarts, unsealed bool
}

func newVerifyCmd(a *app) *cobra.Command {
	var f verifyFlags
	cmd := &cobra.Command{
		Use:   "verify [--trail DIR] [--key KEY] [--anchor FILE]... [TRAIL]",
		Short: "Prove that nothing was changed or removed",
		Long:  verifyLong,
		Example: `  tooltrail verify
  tooltrail verify --trail /backup/trails --key tooltrail/web1-3f9a1c+5f…
  tooltrail verify --proof call.tlog-proof --line call.json --key KEY`,
		Args:       atMostOne("trail"),
		SuggestFor: []string{"prove", "validate", "check"},
		RunE: func(cmd *cobra.Command, args []string) error {
			if f.proof != "" || f.line != "" {
				return a.verifyProof(&f, args)
			}
			return a.verify(cmd.Context(), &f, args)
		},
	}
	trailFlag(cmd, &f.trail)
	flags := cmd.Flags()
	flags.StringArrayVar(&f.keys, "key", nil, "trust this public `KEY`, or those in a file (may be repeated)")
	flags.BoolVar(&f.homeKey, "trust-home-key", false, "trust the key that lies beside the trails: finds accidents, not attackers")
	flags.StringArrayVar(&f.anchors, "anchor", nil, "hold the trails to the checkpoints in `FILE` (may be repeated)")
	flags.DurationVar(&f.maxAge, "max-age", 0, "fail where the newest checkpoint is older than `D`, such as 5m")
	flags.BoolVar(&f.declared, "allow-declared", false, "let lines be missing that the trail declares given up")
	flags.BoolVar(&f.restarts, "allow-restart", false, "let an epoch's key be lost")
	flags.BoolVar(&f.unsealed, "allow-unsealed", false, "let trails be that were never sealed")
	flags.StringVar(&f.proof, "proof", "", "check the proof in `FILE` ('-' is standard input)")
	flags.StringVar(&f.line, "line", "", "the line that --proof is for, in `FILE`")
	flags.BoolVar(&f.asJSON, "json", false, "print one JSON object for each trail")
	return cmd
}

func (a *app) verify(ctx context.Context, f *verifyFlags, args []string) error {
	if f.maxAge < 0 {
		return usagef("--max-age must not be negative")
	}
	p, err := a.place(f.trail)
	if err != nil {
		if err == errNothingYet {
			return exitStatusOf(codeUsage)
		}
		return err
	}
	if len(args) == 1 {
		if err := p.only(unshield(args[0])); err != nil {
			return err
		}
	}
	trust, err := a.trust(f, homeOf(p.path))
	if err != nil {
		return err
	}
	anchors, err := readAnchors(f.anchors)
	if err != nil {
		return err
	}
	intact := true
	for i, dir := range p.dirs {
		r, err := a.verifyTrail(ctx, f, dir, trust, anchors)
		if err != nil {
			return &hintError{err, "read it as the user who recorded it"}
		}
		if f.asJSON {
			err = writeJSON(a.stdout, r)
		} else {
			if i > 0 {
				fmt.Fprintln(a.stdout)
			}
			err = a.writeReport(r, f)
		}
		if err != nil {
			return err
		}
		intact = intact && r.OK
	}
	for _, anchor := range anchors {
		if !anchor.used {
			intact = false
			fmt.Fprintf(a.stderr, "%s %s is of %s, and no trail here is\n", a.errPalette().Paint(term.Red, "tooltrail:"),
				term.Safe(anchor.Name), term.Safe(anchor.origin))
		}
	}
	if !intact {
		return errSilent
	}
	return nil
}

// A trust is what a verification relies on.
type trust struct{ keys, erasers []string }

// trust collects the keys that are trusted.
func (a *app) trust(f *verifyFlags, home string) (*trust, error) {
	t := &trust{}
	for _, k := range f.keys {
		vkeys, err := readKeys(k)
		if err != nil {
			return nil, err
		}
		t.add(vkeys)
	}
	r, err := a.keyRing(home)
	if err != nil {
		return nil, err
	}
	if f.homeKey {
		keys, err := r.Existing()
		if err != nil {
			return nil, a.noKey(r, err)
		}
		for _, k := range keys {
			t.add([]string{k.VKey()})
		}
		fmt.Fprintln(a.stderr, "trusting the key that lies beside the trails: who can change them can change it too")
	}
	if len(f.keys) == 0 && !f.homeKey {
		pinned, err := r.Trusted()
		if err != nil {
			return nil, &usageError{Err: err, Hint: "--key KEY"}
		}
		t.add(pinned)
	}
	if len(t.keys) == 0 {
		return nil, &usageError{Err: fmt.Errorf("no key is trusted for %s", home),
			Hint: "--key KEY; 'tooltrail key show' prints it on the machine that recorded"}
	}
	return t, nil
}

// add sorts keys by what they are for.
func (t *trust) add(vkeys []string) {
	for _, k := range vkeys {
		if name, _ := seal.VKeyName(k); strings.HasSuffix(name, "/eraser") {
			t.erasers = append(t.erasers, k)
			continue
		}
		t.keys = append(t.keys, k)
	}
}

// readKeys takes a public key, or a file with one in each line.
func readKeys(arg string) ([]string, error) {
	if _, err := seal.VKeyName(arg); err == nil {
		return []string{arg}, nil
	}
	text, err := os.ReadFile(arg)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) || strings.Contains(arg, "+") {
			return nil, &usageError{Err: fmt.Errorf("--key %q is neither a public key nor a file", arg),
				Hint: "'tooltrail key show' prints the key on the machine that recorded"}
		}
		return nil, err
	}
	var vkeys []string
	for i, line := range strings.Split(string(text), "\n") {
		vkey, _, _ := strings.Cut(strings.TrimSpace(line), " ")
		if vkey == "" || vkey[0] == '#' {
			continue
		}
		if _, err := seal.VKeyName(vkey); err != nil {
			return nil, &usageError{Err: fmt.Errorf("%s, line %d: %w", arg, i+1, err)}
		}
		vkeys = append(vkeys, vkey)
	}
	return vkeys, nil
}

// An anchor is a checkpoint from a file.
type anchor struct {
	seal.Anchor
	origin string
	used   bool
}

// readAnchors reads files of checkpoints; one may hold several.
func readAnchors(files []string) ([]*anchor, error) {
	var list []*anchor
	for _, path := range files {
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, &usageError{Err: err, Hint: "name a file that 'tooltrail checkpoint' printed"}
		}
		notes := splitNotes(string(text))
		for i, signed := range notes {
			c, err := seal.PeekCheckpoint([]byte(signed))
			if err != nil {
				return nil, &usageError{Err: fmt.Errorf("%s: %w", path, err), Hint: "name a file that 'tooltrail checkpoint' printed"}
			}
			name := filepath.Base(path)
			if len(notes) > 1 {
				name = fmt.Sprintf("%s (%d)", name, i+1)
			}
			list = append(list, &anchor{Anchor: seal.Anchor{Name: name, Signed: []byte(signed)}, origin: c.Origin})
		}
	}
	return list, nil
}

// splitNotes takes apart signed notes that follow each other, with an empty
// line in between.
func splitNotes(text string) (notes []string) {
	text = strings.ReplaceAll(text, "\r\n", "\n")
	var at strings.Builder
	signatures := false
	for line := range strings.Lines(text) {
		if line == "\n" && (signatures || at.Len() == 0) {
			if at.Len() > 0 {
				notes = append(notes, at.String())
			}
			at.Reset()
			signatures = false
			continue
		}
		signatures = signatures || strings.HasPrefix(line, "— ")
		at.WriteString(strings.TrimSuffix(line, "\n") + "\n")
	}
	if at.Len() > 0 {
		notes = append(notes, at.String())
	}
	return notes
}

// verifyTrail verifies one trail, with the anchors that are of its log.
func (a *app) verifyTrail(ctx context.Context, f *verifyFlags, dir string, t *trust, anchors []*anchor) (*seal.Report, error) {
	origin := ""
	if b, err := os.ReadFile(filepath.Join(dir, "checkpoint")); err == nil {
		if c, err := seal.PeekCheckpoint(b); err == nil {
			origin = c.Origin
		}
	}
	o := &seal.VerifyOptions{Keys: t.keys, Erasers: t.erasers, MaxAge: f.maxAge,
		AllowDeclared: f.declared, AllowRestart: f.restarts, Progress: a.progress(filepath.Base(dir))}
	for _, anchor := range anchors {
		if anchor.origin == origin || origin == "" && strings.HasSuffix(anchor.origin, "/"+filepath.Base(dir)) {
			o.Anchors = append(o.Anchors, anchor.Anchor)
			anchor.used = true
		}
	}
	r, err := seal.Verify(ctx, dir, o)
	if err == nil && f.unsealed && len(r.Findings) == 1 && r.Findings[0].Kind == seal.KindNoCheckpoint {
		r.Findings, r.OK = []seal.Finding{}, true
	}
	return r, err
}

// progress shows on a terminal how far a verification is.
func (a *app) progress(name string) func(done, total int64) {
	if !term.IsTerminal(a.stderrFile) {
		return nil
	}
	started := a.now()
	return func(done, total int64) {
		if a.now().Sub(started) < time.Second || total == 0 {
			return // too quick to be worth a line
		}
		if done >= total {
			fmt.Fprintf(a.stderr, "\r\x1b[K")
			return
		}
		fmt.Fprintf(a.stderr, "\r%s: %d %% of %s", term.Safe(name), done*100/total, bytesText(uint64(total)))
	}
}
