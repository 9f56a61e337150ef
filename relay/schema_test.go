package relay

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestSchemaRefuses(t *testing.T) {
	remote := 0
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { remote++ }))
	defer srv.Close()
	const object = `{"type":"object","properties":{"n":{"type":"integer"}},"required":["n"]}`
	for _, c := range []struct {
		name, schema, args string
		want               bool
	}{
		{"fits", object, `{"n":1}`, false},
		{"wrong type", object, `{"n":"x"}`, true},
		{"missing", object, `{}`, true},
		{"null", `{"type":"object"}`, `null`, false},
		{"draft 7", `{"$schema":"http://json-schema.org/draft-07/schema#","type":"object","required":["n"]}`, `{}`, true},
		{"big number", object, `{"n":123456789012345678901234567890}`, false},
		{"not JSON", object, `{"n":`, false},
		{"schema is not JSON", `{"type":`, `{}`, false},
		{"schema is no schema", `{"type":7}`, `{}`, false},
		{"pattern that Go cannot read", `{"type":"string","pattern":"(?<!a)b"}`, `"b"`, false},
		{"remote", `{"$ref":"` + srv.URL + `/x.json"}`, `{}`, false},
		{"file", `{"$ref":"file:///etc/passwd"}`, `{}`, false},
		{"reference inside", `{"$defs":{"a":{"type":"string"}},"$ref":"#/$defs/a"}`, `1`, true},
		{"endless", `{"$ref":"#"}`, `{}`, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := &schema{text: []byte(c.schema)}
			for range 2 {
				if got := s.refuses([]byte(c.args)); got != c.want {
					t.Errorf("refuses %s: %v", c.args, got)
				}
			}
		})
	}
	if remote > 0 {
		t.Error("a remote reference was loaded")
	}
	var none *schema
	if none.refuses([]byte(`{}`)) || (&schema{text: []byte(object)}).refuses(nil) {
		t.Error("refuses without a schema, or without arguments to look at")
	}
}

// TestSchemaThatExplodes checks the bound on work: each level of these
// definitions doubles it.
func TestSchemaThatExplodes(t *testing.T) {
	var b strings.Builder
	b.WriteString(`{"$ref":"#/$defs/d0","$defs":{`)
	const levels = 60
	for i := range levels {
		fmt.Fprintf(&b, `"d%d":{"allOf":[{"$ref":"#/$defs/d%d"},{"$ref":"#/$defs/d%d"}]},`, i, i+1, i+1)
	}
	fmt.Fprintf(&b, `"d%d":{"type":"object"}}}`, levels)
	s := &schema{text: []byte(b.String())}
	begin := time.Now()
	if s.refuses([]byte(`{}`)) {
		t.Error("refused")
	}
	if took := time.Since(begin); took > 10*time.Second {
		t.Errorf("took %v", took)
	}
	if s.compiled != nil {
		t.Error("the schema is kept in use")
	}
}

func TestToolsCacheBounds(t *testing.T) {
	var b strings.Builder
	for i := range maxTools + 1 {
		fmt.Fprintf(&b, `,{"name":"t%d","inputSchema":{"type":"object"}}`, i)
	}
	list := func(tools string) *Observer {
		o := New(nil)
		o.FromClient([]byte(`{"id":1,"method":"tools/list"}`))
		o.FromServer([]byte(`{"id":1,"result":{"tools":[` + tools + `]}}`))
		return o
	}
	if o := list(b.String()[1:]); o.tools.tools != nil {
		t.Error("a list that is too long counts as whole")
	}
	long := `{"type":"object","description":"` + strings.Repeat("x", maxSchema-1000) + `"}`
	b.Reset()
	for i := range 40 {
		fmt.Fprintf(&b, `{"name":"t%d","inputSchema":%s},`, i, long)
	}
	b.WriteString(`{"name":"huge","inputSchema":{"x":"` + strings.Repeat("x", maxSchema) + `"}}`)
	o := list(b.String())
	if k := o.tools.know("t0", time.Time{}); k.presence != present || k.schema == nil {
		t.Errorf("t0: %+v", k)
	}
	for _, name := range []string{"t39", "huge"} {
		if k := o.tools.know(name, time.Time{}); k.presence != present || k.schema != nil {
			t.Errorf("%s: %+v", name, k)
		}
	}
	if k := o.tools.know("none", time.Time{}); k.presence != absent {
		t.Errorf("none: %+v", k)
	}
}
