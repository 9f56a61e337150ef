package witness

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"

	"github.com/tooltrail/tooltrail/seal"
)

// A Policy says which logs are accepted, and which witnesses must have
// cosigned (c2sp.org/tlog-policy). It is safe for concurrent use.
type Policy struct {
	logs      []string
	witnesses []Witness
	members   map[string]member // witnesses and groups, by name
	quorum    string
}

// A Witness is one of a policy.
type Witness struct {
	Name string // in the policy
	VKey string
	URL  string // where it takes submissions; "" if that is not said
}

// A member is a witness, or a group of which some must have signed.
type member struct {
	witness *Witness
	need    int
	of      []string
}

// noQuorum is the name of the quorum that needs nobody.
const noQuorum = "none"

// ParsePolicy reads a policy. Errors name the line.
func ParsePolicy(text []byte) (*Policy, error) {
	p := &Policy{members: map[string]member{}}
	for i, line := range strings.Split(string(text), "\n") {
		words := strings.FieldsFunc(line, func(r rune) bool { return r == ' ' || r == '\t' })
		if len(words) == 0 || strings.HasPrefix(words[0], "#") {
			continue
		}
		if err := p.line(words); err != nil {
			return nil, fmt.Errorf("witness: policy, line %d: %w", i+1, err)
		}
	}
	if p.quorum == "" {
		return nil, errors.New("witness: policy: there is no quorum line")
	}
	return p, nil
}

func (p *Policy) line(words []string) error {
	switch words[0] {
	case "log":
		return p.addLog(words[1:])
	case "witness":
		return p.addWitness(words[1:])
	case "group":
		return p.addGroup(words[1:])
	case "quorum":
		return p.setQuorum(words[1:])
	}
	return fmt.Errorf("%q is none of log, witness, group and quorum", words[0])
}

func (p *Policy) addLog(args []string) error {
	if len(args) < 1 || len(args) > 2 {
		return errors.New("a log line has a key, and a URL or not")
	}
	if _, err := note.NewVerifier(args[0]); err != nil {
		return fmt.Errorf("the log's key: %w", err)
	}
	if slices.ContainsFunc(p.logs, func(l string) bool { return sameKey(l, args[0]) }) {
		return errors.New("the log's key stands in the policy already")
	}
	p.logs = append(p.logs, args[0])
	return nil
}

func (p *Policy) addWitness(args []string) error {
	if len(args) < 2 || len(args) > 3 {
		return errors.New("a witness line has a name, a key, and a URL or not")
	}
	if _, err := seal.NewVerifier(args[1]); err != nil {
		return fmt.Errorf("the witness's key: %w", err)
	}
	w := Witness{Name: args[0], VKey: args[1]}
	if len(args) == 3 {
		w.URL = args[2]
	}
	if slices.ContainsFunc(p.witnesses, func(o Witness) bool { return sameKey(o.VKey, w.VKey) }) {
		return errors.New("the witness's key stands in the policy already")
	}
	p.witnesses = append(p.witnesses, w)
	return p.define(w.Name, member{witness: &w})
}

func (p *Policy) addGroup(args []string) error {
	if len(args) < 3 {
		return errors.New("a group line has a name, a threshold, and members")
	}
	of := args[2:]
	need, err := strconv.Atoi(args[1])
	switch {
	case args[1] == "any":
		need = 1
	case args[1] == "all":
		need = len(of)
	case err != nil || need < 1 || need > len(of) || strconv.Itoa(need) != args[1]:
		return fmt.Errorf("the threshold %q is neither any, all nor a number from 1 to %d", args[1], len(of))
	}
	for i, name := range of {
		if _, ok := p.members[name]; !ok {
			return fmt.Errorf("%q is not defined before", name)
		}
		if slices.Contains(of[:i], name) {
			return fmt.Errorf("%q is named twice", name)
		}
	}
	return p.define(args[0], member{need: need, of: of})
}

func (p *Policy) define(name string, m member) error {
	if _, ok := p.members[name]; ok || name == noQuorum {
		return fmt.Errorf("the name %q is taken", name)
	}
	p.members[name] = m
	return nil
}

func (p *Policy) setQuorum(args []string) error {
	if len(args) != 1 || p.quorum != "" {
		return errors.New("there is one quorum line, with one name")
	}
	if _, ok := p.members[args[0]]; !ok && args[0] != noQuorum {
		return fmt.Errorf("%q is not defined before", args[0])
	}
	p.quorum = args[0]
	return nil
}

// sameKey reports whether two verifier keys are of one public key, whatever
// their names.
func sameKey(a, b string) bool {
	return a[strings.LastIndexByte(a, '+')+1:] == b[strings.LastIndexByte(b, '+')+1:]
}

// Logs returns the verifier keys of the logs.
func (p *Policy) Logs() []string { return slices.Clone(p.logs) }

// Witnesses returns the witnesses, in the order of the policy.
func (p *Policy) Witnesses() []Witness { return slices.Clone(p.witnesses) }

// A Cosignature is one that was verified.
type Cosignature struct {
	Name string // of the witness in the policy
	Time time.Time
}

// Quorum looks for the cosignatures of witnesses on a signed checkpoint. They
// are returned, with an error where they are not enough.
func (p *Policy) Quorum(signed []byte) ([]Cosignature, error) {
	var have []Cosignature
	for _, w := range p.witnesses {
		v, err := seal.NewVerifier(w.VKey)
		if err != nil {
			return nil, err
		}
		n, err := note.Open(signed, note.VerifierList(v))
		if err != nil || len(n.Sigs) == 0 {
			continue
		}
		if at, err := seal.CosignatureTime(n.Sigs[0]); err == nil {
			have = append(have, Cosignature{w.Name, at})
		}
	}
	if p.quorum != noQuorum && !p.reached(p.quorum, have) {
		names := "nobody"
		for i, c := range have {
			if i == 0 {
				names = ""
			} else {
				names += ", "
			}
			names += c.Name
		}
		return have, fmt.Errorf("witness: the quorum %q is not reached: signed by %s", p.quorum, names)
	}
	return have, nil
}

func (p *Policy) reached(name string, have []Cosignature) bool {
	m := p.members[name]
	if m.witness != nil {
		return slices.ContainsFunc(have, func(c Cosignature) bool { return c.Name == name })
	}
	count := 0
	for _, of := range m.of {
		if p.reached(of, have) {
			count++
		}
	}
	return count >= m.need
}

// Check verifies a signed checkpoint: one of the policy's logs, of which it
// bears the name, must have signed it, and the quorum of witnesses.
func (p *Policy) Check(signed []byte) (seal.Checkpoint, []Cosignature, error) {
	c, err := seal.PeekCheckpoint(signed)
	if err != nil {
		return c, nil, err
	}
	known := seal.LogVerifiers(p.logs, c.Origin)
	if len(known) == 0 {
		return c, nil, fmt.Errorf("witness: the policy does not know the log %s", c.Origin)
	}
	if _, _, err := seal.OpenCheckpoint(signed, note.VerifierList(known...)); err != nil {
		return c, nil, err
	}
	have, err := p.Quorum(signed)
	return c, have, err
}
