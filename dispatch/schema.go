package dispatch

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
	"golang.org/x/text/language"
	"golang.org/x/text/message"
)

// An argsCheck holds arguments against a tool's input schema.
type argsCheck struct {
	schema     *jsonschema.Schema // nil where objectOnly or nothing says it all
	objectOnly bool
}

const schemaURL = "mem:///input_schema"

// newArgsCheck compiles a schema of draft 2020-12, unless it names another. It
// loads nothing from elsewhere.
func newArgsCheck(text json.RawMessage) (*argsCheck, error) {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	switch s := doc.(type) {
	case bool:
		if s {
			return &argsCheck{}, nil
		}
	case map[string]any:
		if s["type"] == "object" && onlyAnnotations(s) {
			return &argsCheck{objectOnly: true}, nil
		}
	}
	c := jsonschema.NewCompiler()
	c.UseLoader(noLoader{})
	if err := c.AddResource(schemaURL, doc); err != nil {
		return nil, err
	}
	schema, err := c.Compile(schemaURL)
	if err != nil {
		return nil, err
	}
	return &argsCheck{schema: schema}, nil
}

// onlyAnnotations reports whether nothing but "type" in a schema can refuse a
// value.
func onlyAnnotations(schema map[string]any) bool {
	for key := range schema {
		switch key {
		case "type", "title", "description", "$schema", "$comment", "examples", "default":
		default:
			return false
		}
	}
	return true
}

// noLoader refuses what a schema refers to elsewhere.
type noLoader struct{}

func (noLoader) Load(url string) (any, error) {
	return nil, fmt.Errorf("it refers to %s, and nothing is loaded from elsewhere", url)
}

// refuse says what is wrong with arguments, "" if nothing is. It names places
// and rules, and no values: those may be private.
func (a *argsCheck) refuse(args json.RawMessage) string {
	if why := malformed(args); why != "" {
		return why
	}
	if a.objectOnly && args[firstToken(args)] != '{' {
		return "the arguments must be an object"
	}
	if a.schema == nil {
		return ""
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(args))
	if err != nil {
		return "the arguments cannot be read"
	}
	var refusal *jsonschema.ValidationError
	switch err := a.schema.Validate(v); {
	case err == nil:
		return ""
	case errors.As(err, &refusal):
		return explain(refusal)
	}
	return "the arguments do not match the schema"
}

// malformed says why text is not JSON that all parsers read alike: it has a
// duplicate key, or bytes that are not UTF-8. It returns "" where it is.
func malformed(text json.RawMessage) string {
	if jsontext.Value(text).IsValid() {
		return ""
	}
	d := jsontext.NewDecoder(bytes.NewReader(text))
	for {
		if _, err := d.ReadToken(); err != nil {
			return malformedAt(err)
		}
	}
}

func malformedAt(err error) string {
	var syntax *jsontext.SyntacticError
	if !errors.As(err, &syntax) {
		return "the arguments are not JSON"
	}
	where := "the arguments"
	if syntax.JSONPointer != "" {
		where = harmless(string(syntax.JSONPointer))
	}
	switch {
	case errors.Is(err, jsontext.ErrDuplicateName):
		return where + ": the key stands twice"
	case strings.Contains(syntax.Err.Error(), "UTF-8"):
		return where + ": not UTF-8"
	case strings.Contains(syntax.Err.Error(), "depth"):
		return "the arguments are nested too deep"
	}
	return where + ": not JSON"
}

func firstToken(args []byte) int {
	for i, b := range args {
		if b != ' ' && b != '\t' && b != '\n' && b != '\r' {
			return i
		}
	}
	return 0
}

// maxExplained is how many faults are named.
const maxExplained = 3

// explain names the faults, each with its place.
func explain(e *jsonschema.ValidationError) string {
	var faults []string
	more := 0
	leaves(e, func(leaf *jsonschema.ValidationError) {
		fault := "/" + harmless(strings.Join(leaf.InstanceLocation, "/")) + ": " + rule(leaf.ErrorKind)
		switch {
		case len(faults) > 0 && faults[len(faults)-1] == fault:
		case len(faults) < maxExplained:
			faults = append(faults, fault)
		default:
			more++
		}
	})
	if more > 0 {
		faults = append(faults, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(faults, "; ")
}

func leaves(e *jsonschema.ValidationError, visit func(*jsonschema.ValidationError)) {
	if len(e.Causes) == 0 {
		visit(e)
	}
	for _, cause := range e.Causes {
		leaves(cause, visit)
	}
}

var english = message.NewPrinter(language.English)

// rule names a rule that a value breaks, without the value.
func rule(k jsonschema.ErrorKind) string {
	switch k := k.(type) {
	case *kind.Pattern:
		return "does not match the pattern " + k.Want
	case *kind.Format:
		return "is no " + k.Want
	case *kind.Const, *kind.Enum:
		return "is none of the values that are allowed"
	case *kind.AdditionalProperties:
		return "has a property that is not allowed: " + harmless(strings.Join(k.Properties, ", "))
	case *kind.Required:
		return "lacks " + strings.Join(k.Missing, ", ")
	case *kind.PropertyNames:
		return "has a property whose name is not allowed"
	case *kind.Type, *kind.MinLength, *kind.MaxLength, *kind.MinItems, *kind.MaxItems, *kind.UniqueItems,
		*kind.MinProperties, *kind.MaxProperties, *kind.FalseSchema, *kind.Dependency, *kind.DependentRequired,
		*kind.MinContains, *kind.MaxContains, *kind.Contains, *kind.Not, *kind.AnyOf, *kind.AllOf, *kind.OneOf:
		return k.LocalizedString(english)
	case *kind.Minimum:
		return "must be at least " + k.Want.RatString()
	case *kind.Maximum:
		return "must be at most " + k.Want.RatString()
	case *kind.ExclusiveMinimum:
		return "must be more than " + k.Want.RatString()
	case *kind.ExclusiveMaximum:
		return "must be less than " + k.Want.RatString()
	}
	return "does not match the schema: " + strings.Join(k.KeywordPath(), "/")
}

// harmless cuts text that a caller chose, for a message.
func harmless(text string) string {
	const limit = 200
	if len(text) > limit {
		text = strings.ToValidUTF8(text[:limit], "") + "…"
	}
	return text
}
