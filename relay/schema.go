package relay

import (
	"bytes"
	"errors"
	"slices"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
)

// A schema is a tool's inputSchema, compiled when it is first needed. It comes
// from the server, so nothing in it may reach out, run long or panic through.
// A nil schema refuses nothing.
type schema struct {
	text []byte

	mu       sync.Mutex
	tried    bool               // guarded by mu
	compiled *jsonschema.Schema // guarded by mu; nil where it cannot be used
	steps    int                // guarded by mu: what the check under way may still do
}

// maxSteps bounds a check: references can make the work grow exponentially
// with the size of the schema.
const maxSteps = 200_000

const schemaURL = "mem:///inputSchema.json"

// refuses says whether the schema is sure to refuse the arguments. It is not
// sure where there are none that we kept, where encoding/json cannot read
// them (10,000 levels), and where the schema cannot be compiled.
func (s *schema) refuses(args []byte) (refused bool) {
	if s == nil {
		return false
	}
	v, ok := readArgs(args)
	if !ok {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	defer func() {
		if recover() != nil { // a fault in the library, or out of steps
			refused, s.compiled = false, nil
		}
	}()
	if !s.tried {
		s.tried = true
		s.compiled = s.compile()
	}
	if s.compiled == nil {
		return false
	}
	s.steps = maxSteps
	var refusal *jsonschema.ValidationError
	return errors.As(s.compiled.Validate(v), &refusal) && !isCycle(refusal)
}

// isCycle says whether the schema refers to itself without end, which is no
// fault of the arguments.
func isCycle(e *jsonschema.ValidationError) bool {
	if _, ok := e.ErrorKind.(*kind.RefCycle); ok {
		return true
	}
	return slices.ContainsFunc(e.Causes, isCycle)
}

// readArgs reads arguments; a call without any, or with null, has an empty
// object.
func readArgs(args []byte) (any, bool) {
	switch {
	case args == nil:
		return nil, false
	case len(args) == 0, string(args) == "null":
		return map[string]any{}, true
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(args))
	return v, err == nil
}

func (s *schema) compile() *jsonschema.Schema {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(s.text))
	if err != nil {
		return nil
	}
	c := jsonschema.NewCompiler()
	c.UseLoader(noLoader{})
	c.RegisterVocabulary(&jsonschema.Vocabulary{
		URL: "mem:///steps",
		Compile: func(*jsonschema.CompilerContext, map[string]any) (jsonschema.SchemaExt, error) {
			return (*stepCounter)(s), nil
		},
	})
	c.AssertVocabs()
	if c.AddResource(schemaURL, doc) != nil {
		return nil
	}
	compiled, err := c.Compile(schemaURL)
	if err != nil {
		return nil
	}
	return compiled
}

// A stepCounter is a keyword of every subschema: it stops a check that takes
// too many steps.
type stepCounter schema

// Validate counts one step.
func (c *stepCounter) Validate(*jsonschema.ValidatorContext, any) {
	if c.steps--; c.steps < 0 {
		panic(errTooLong)
	}
}

var errTooLong = errors.New("relay: schema check takes too long")

// noLoader refuses to load what a schema refers to elsewhere.
type noLoader struct{}

// Load always fails.
func (noLoader) Load(string) (any, error) {
	return nil, errors.New("relay: remote references are refused")
}
