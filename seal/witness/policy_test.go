package witness_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/tooltrail/tooltrail/seal"
	"github.com/tooltrail/tooltrail/seal/witness"
)

func TestPoliciesAreRead(t *testing.T) {
	log := newLog(t, "a").key.VKey()
	w := make([]string, 6)
	for i := range w {
		w[i] = witnessKey(t).CosignerVKey()
	}
	lines := func(l ...string) string { return strings.Join(l, "\n") }
	for name, c := range map[string]struct{ text, err string }{
		"least":                {"quorum none", ""},
		"simple":               {lines("# a comment", "", "log "+log+" https://x.example/", " witness a "+w[0]+" http://127.0.0.1:1/ ", "quorum a"), ""},
		"groups":               {lines("log "+log, "witness a "+w[0], "witness b "+w[1], "witness c "+w[2], "group g 2 a b c", "group h all g a", "group i any g h", "quorum i"), ""},
		"no quorum":            {"log " + log, "no quorum"},
		"two quorums":          {"quorum none\nquorum none", "line 2"},
		"unknown line":         {"quorum none\nlogs x", "line 2"},
		"unknown name":         {"quorum a", "not defined"},
		"later name":           {lines("quorum a", "witness a "+w[0]), "line 1"},
		"same log":             {lines("log "+log, "log "+log, "quorum none"), "line 2"},
		"same witness":         {lines("witness a "+w[0], "witness b "+w[0], "quorum none"), "line 2"},
		"same name":            {lines("witness a "+w[0], "witness a "+w[1], "quorum none"), "taken"},
		"none as a name":       {lines("witness none "+w[0], "quorum none"), "taken"},
		"none in a group":      {lines("witness a "+w[0], "group g any none", "quorum g"), "not defined"},
		"too high":             {lines("witness a "+w[0], "group g 2 a", "quorum g"), "threshold"},
		"zero":                 {lines("witness a "+w[0], "group g 0 a", "quorum g"), "threshold"},
		"empty group":          {lines("group g any", "quorum g"), "members"},
		"twice in a group":     {lines("witness a "+w[0], "group g 2 a a", "quorum g"), "twice"},
		"log key of a witness": {lines("log "+w[0], "quorum none"), "log's key"},
		"no key":               {"log x\nquorum none", "log's key"},
	} {
		_, err := witness.ParsePolicy([]byte(c.text))
		if c.err == "" && err != nil || c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)) {
			t.Errorf("%s: %v, want %q", name, err, c.err)
		}
	}
}

func TestQuorumIsCounted(t *testing.T) {
	log := newLog(t, "a").grow(5, "x")
	text := "log " + log.key.VKey() + "\n"
	signed := [][]byte{log.checkpoint()} // by none, one, two, three
	for i := range 3 {
		key, err := seal.NewKey(fmt.Sprint("w", i))
		if err != nil {
			t.Fatal(err)
		}
		c, _ := serve(t, t.TempDir(), key, log.key.VKey())
		line, err := c.Submit(context.Background(), log.checkpoint(), 0, nil)
		if err != nil {
			t.Fatal(err)
		}
		signed = append(signed, append(append([]byte(nil), signed[i]...), line...))
		text += fmt.Sprintf("witness w%d %s\n", i, key.CosignerVKey())
	}
	for _, c := range []struct {
		quorum string
		need   int
	}{{"quorum none", 0}, {"quorum w0", 1}, {"quorum w2", 3}, {"group g any w0 w1 w2\nquorum g", 1}, {"group g 2 w0 w1 w2\nquorum g", 2},
		{"group g all w0 w1 w2\nquorum g", 3}, {"group g all w0 w1\ngroup h any g w2\nquorum h", 2}} {
		p, err := witness.ParsePolicy([]byte(text + c.quorum))
		if err != nil {
			t.Fatal(err)
		}
		for n, b := range signed {
			_, have, err := p.Check(b)
			if (err == nil) != (n >= c.need) || len(have) != n {
				t.Errorf("%q with %d signatures: %v, %v", c.quorum, n, have, err)
			}
		}
	}
}

func FuzzParsePolicy(f *testing.F) {
	f.Add([]byte("log x+1+y\nwitness a b\ngroup g 1 a\nquorum g"))
	f.Fuzz(func(t *testing.T, text []byte) {
		if p, err := witness.ParsePolicy(text); err == nil {
			_, _ = p.Quorum([]byte("x\n1\n\n"))
		}
	})
}
