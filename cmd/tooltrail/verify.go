package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/tooltrail/tooltrail/internal/term"
	"github.com/tooltrail/tooltrail/seal"
	"github.com/tooltrail/tooltrail/trail"
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
	trail, proof, line, policy   string
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

		ValidArgsFunction: a.completeTrail,
	}
	trailFlag(cmd, &f.trail)
	flags := cmd.Flags()
	flags.StringArrayVar(&f.keys, "key", nil, "trust this public `KEY`, or those in a file (may be repeated)")
	flags.StringVar(&f.policy, "policy", "", "trust the logs in the policy `FILE`, and ask for the witnesses that it names")
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
	anchors, err := readAnchors(f.anchors)
	if err != nil {
		return err
	}
	p, err := a.place(f.trail)
	if errors.Is(err, errNothingYet) {
		if len(anchors) == 0 {
			return exitStatusOf(codeUsage)
		}
		err = nil // what the anchors stand for is gone
	}
	if err != nil {
		return undecided(err)
	}
	if len(args) == 1 {
		if err := p.only(unshield(args[0])); err != nil {
			return err
		}
	}
	if len(args) == 1 || p.isTrail() {
		anchors = anchorsOf(anchors, p.dirs[0])
	}
	trust, err := a.trust(f, homeOf(p.path), p.dirs)
	if err != nil {
		return err
	}
	return a.verifyAll(ctx, f, p.dirs, trust, anchors)
}

// verifyAll verifies trails one after the other, and reports each.
func (a *app) verifyAll(ctx context.Context, f *verifyFlags, dirs []string, t *trust, anchors []*anchor) error {
	intact, shown := true, 0
	show := func(r *seal.Report) error {
		intact = intact && r.OK
		if f.asJSON {
			return writeJSON(a.stdout, verdictJSON{r, verdictWord(r)})
		}
		if shown++; shown > 1 {
			fmt.Fprintln(a.stdout)
		}
		return a.writeReport(r)
	}
	origins := map[string]string{} // the trail of each
	for _, dir := range dirs {
		r, err := a.verifyTrail(ctx, f, dir, t, anchors)
		if err != nil {
			return undecided(&hintError{err, "read it as the user who recorded it"})
		}
		if other, twice := origins[r.Origin]; twice && r.Origin != "" {
			r.OK = false
			r.Findings = append(r.Findings, seal.Finding{Kind: kindTwice,
				Says: fmt.Sprintf("%s has the seal of the same log: one of them is a copy, or stands in the place of another trail", other)})
		}
		origins[r.Origin] = filepath.Base(dir)
		if err := show(r); err != nil {
			return err
		}
	}
	for _, r := range missingTrails(anchors) {
		if err := show(r); err != nil {
			return err
		}
	}
	if !intact {
		return errSilent
	}
	return nil
}

// undecided makes an error that ends a verification without a verdict one with
// exit code 2.
func undecided(err error) error {
	var hint *hintError
	if errors.As(err, &hint) {
		return &usageError{Err: hint.Err, Hint: hint.Hint}
	}
	return &usageError{Err: err}
}

// verifyTrail verifies one trail, with the anchors that are of its log.
func (a *app) verifyTrail(ctx context.Context, f *verifyFlags, dir string, t *trust, anchors []*anchor) (*seal.Report, error) {
	origin := originOf(dir)
	progress, done := a.progress(filepath.Base(dir))
	o := &seal.VerifyOptions{Keys: t.keys, Erasers: t.erasers, MaxAge: f.maxAge,
		AllowDeclared: f.declared, AllowRestart: f.restarts, Progress: progress}
	for _, anchor := range anchors {
		if anchor.origin == origin || origin == "" && anchor.isOf(dir) {
			o.Anchors = append(o.Anchors, anchor.Anchor)
			anchor.used = true
		}
	}
	r, err := seal.Verify(ctx, dir, o)
	done()
	if err == nil {
		holdToPolicy(r, t.policy)
	}
	if err == nil && f.unsealed && len(r.Findings) == 1 && r.Findings[0].Kind == seal.KindNoCheckpoint {
		err = allowUnsealed(dir, r)
	}
	return r, err
}

// allowUnsealed lets a trail be that was never sealed. One that was tells by
// its notes, or by what is left of its seal.
func allowUnsealed(dir string, r *seal.Report) error {
	for _, name := range []string{"tree", "checkpoints.jsonl", filepath.Join("state", "epoch.key")} {
		if _, err := os.Lstat(filepath.Join(dir, name)); err == nil {
			r.Findings[0].Says = "there is no checkpoint, and there is " + name + ": the seal was removed"
			return nil
		}
	}
	for line, err := range trail.Read(dir, nil) {
		var corrupt *trail.CorruptError
		if err != nil && !errors.As(err, &corrupt) {
			return err
		}
		if err == nil && line.Note() == "epoch" {
			r.Findings[0].Says = fmt.Sprintf("there is no checkpoint, and line %d says that the trail is sealed: the seal was removed", line.Index)
			return nil
		}
	}
	r.Findings, r.OK = []seal.Finding{}, true
	return nil
}

// progress shows on a terminal how far a verification is. done takes away what
// it shows.
func (a *app) progress(name string) (show func(n, total int64), done func()) {
	if !term.IsTerminal(a.stderrFile) {
		return nil, func() {}
	}
	started, shown := a.now(), false
	show = func(n, total int64) {
		if a.now().Sub(started) < time.Second || total == 0 {
			return // too quick to be worth a line
		}
		shown = true
		fmt.Fprintf(a.stderr, "\r%s: %d %% of %s", term.Safe(name), min(n, total)*100/total, bytesText(uint64(total)))
	}
	return show, func() {
		if shown {
			fmt.Fprintf(a.stderr, "\r\x1b[K")
		}
	}
}
