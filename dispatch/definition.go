package dispatch

import (
	"encoding/json"
	"slices"

	"github.com/tooltrail/tooltrail/audit"
)

// A Definition describes a tool to its callers. Its JSON form is ATD's tool
// definition. What dispatch acts on is ID, InputSchema, Bindings,
// Resources.MaxConcurrent, Visibility, RequiredCapabilities and Tier; the rest
// is a declaration.
type Definition struct {
	ID                   string          `json:"id"`
	Name                 string          `json:"name"`
	Description          string          `json:"description"`
	Version              string          `json:"version"`
	Capability           Capability      `json:"capability"`
	InputSchema          json.RawMessage `json:"input_schema"`  // JSON Schema, draft 2020-12; nil takes any JSON
	OutputSchema         json.RawMessage `json:"output_schema"` // nil says nothing
	Bindings             []Binding       `json:"bindings"`
	Safety               Safety          `json:"safety"`
	Resources            Resources       `json:"resources"`
	Trust                Trust           `json:"trust"`
	Visibility           Visibility      `json:"visibility"`
	RequiredCapabilities []string        `json:"required_capabilities"`
	Tier                 Tier            `json:"tier,omitempty"`
	Errors               []ErrorSpec     `json:"errors"`
}

// A Capability says what a tool is about. It is a description; what a caller
// must hold is Definition.RequiredCapabilities.
type Capability struct {
	Domain         string   `json:"domain"`
	Actions        []string `json:"actions"`
	Tags           []string `json:"tags"`
	IntentExamples []string `json:"intent_examples"`
}

// A Binding says how a tool is reached. The first one counts.
type Binding struct {
	Protocol string          `json:"protocol"` // Cli, Mcp, AppFunction or Rest
	Config   json.RawMessage `json:"config"`
}

// Safety says what a call may do.
type Safety struct {
	// Level is Read, Write, Financial, Privacy, Physical or Destructive.
	Level           SafetyLevel `json:"level"`
	DryRun          bool        `json:"dry_run"`
	SideEffects     []string    `json:"side_effects"`
	DataSensitivity *string     `json:"data_sensitivity"`
}

// A SafetyLevel is how much harm a tool can do. The zero value is SafetyRead.
type SafetyLevel string

// The levels, the least harmful first.
const (
	SafetyRead        SafetyLevel = "Read"
	SafetyWrite       SafetyLevel = "Write"
	SafetyFinancial   SafetyLevel = "Financial"
	SafetyPrivacy     SafetyLevel = "Privacy"
	SafetyPhysical    SafetyLevel = "Physical"
	SafetyDestructive SafetyLevel = "Destructive"
)

// Resources are what a call may use. MaxConcurrent is enforced; the deadline
// and the size of the output come from the tier.
type Resources struct {
	TimeoutMS       uint64  `json:"timeout_ms"`         // advisory
	MaxConcurrent   uint32  `json:"max_concurrent"`     // calls at once; 0 is unlimited
	RateLimitPerMin *uint32 `json:"rate_limit_per_min"` // advisory
	EstimatedTokens *uint32 `json:"estimated_tokens"`
}

// Trust is what a tool says of its origin. Nothing checks it.
type Trust struct {
	Publisher string `json:"publisher"`
	// TrustLevel is L0Unverified, L1SchemaValid, L2Tested, L3Verified or
	// L4Certified.
	TrustLevel string    `json:"trust_level"`
	Signature  Signature `json:"signature"`
}

// A Signature is written as an array of numbers; nil is null.
type Signature []byte

// MarshalJSON writes an array of numbers.
func (s Signature) MarshalJSON() ([]byte, error) {
	if s == nil {
		return []byte("null"), nil
	}
	numbers := make([]uint16, len(s))
	for i, b := range s {
		numbers[i] = uint16(b)
	}
	return json.Marshal(numbers)
}

// UnmarshalJSON reads an array of numbers, or null.
func (s *Signature) UnmarshalJSON(text []byte) error {
	*s = nil
	var numbers []uint8
	var wide []uint16
	if err := json.Unmarshal(text, &wide); err != nil || wide == nil {
		return err
	}
	for _, n := range wide {
		numbers = append(numbers, uint8(n))
	}
	*s = append(Signature{}, numbers...)
	return nil
}

// Visibility says who is shown a tool. The zero value is VisibilityRead.
type Visibility string

// The visibilities. A hidden tool is left out of the list; whoever knows its id
// may ask for its schema, and call it if its capabilities allow.
const (
	VisibilityRead      Visibility = "read"
	VisibilityWrite     Visibility = "write"
	VisibilityDangerous Visibility = "dangerous"
	VisibilitySystem    Visibility = "system"
	VisibilityHidden    Visibility = "hidden"
)

// A Tier is a latency class: it gives a call its deadline and the size that its
// result may have. The zero value is warm, ATD's default.
type Tier string

// The tiers.
const (
	TierHot  Tier = "hot"
	TierWarm Tier = "warm"
	TierCold Tier = "cold"
)

// Tiers are all tiers, the fastest first.
var Tiers = []Tier{TierHot, TierWarm, TierCold}

// index is the tier's place in Tiers; that of warm for the zero value.
func (t Tier) index() int { return max(slices.Index(Tiers, t.orWarm()), 0) }

func (t Tier) orWarm() Tier {
	if t == "" {
		return TierWarm
	}
	return t
}

// audited is the tier as events have it.
func (t Tier) audited() audit.Tier {
	switch t {
	case TierHot:
		return audit.TierHot
	case TierCold:
		return audit.TierCold
	}
	return audit.TierWarm
}

// An ErrorSpec declares a code with which a tool may fail.
type ErrorSpec struct {
	Code        string `json:"code"`
	Description string `json:"description"`
	Retryable   bool   `json:"retryable"`
}

// A Summary is what a list says of a tool.
type Summary struct {
	ID          string          `json:"id"`
	Name        string          `json:"name"`
	Description string          `json:"description"`
	Domain      string          `json:"domain"`
	Tags        []string        `json:"tags"`
	Visibility  Visibility      `json:"visibility"`
	Tier        Tier            `json:"tier"`
	InputSchema json.RawMessage `json:"input_schema"`
}

// Summary returns the summary of the definition.
func (d *Definition) Summary() Summary {
	return Summary{
		ID: d.ID, Name: d.Name, Description: d.Description,
		Domain: d.Capability.Domain, Tags: list(d.Capability.Tags),
		Visibility: d.Visibility, Tier: d.Tier.orWarm(), InputSchema: d.InputSchema,
	}
}

// complete returns the definition with every default written out, so that its
// JSON form has neither an absent nor a null list.
func (d *Definition) complete() *Definition {
	c := *d
	if c.Name == "" {
		c.Name = c.ID
	}
	c.Visibility = or(c.Visibility, VisibilityRead)
	c.Safety.Level = or(c.Safety.Level, SafetyRead)
	c.Trust.TrustLevel = or(c.Trust.TrustLevel, "L0Unverified")
	if c.InputSchema == nil {
		c.InputSchema = json.RawMessage(`true`)
	}
	if c.OutputSchema == nil {
		c.OutputSchema = json.RawMessage(`true`)
	}
	c.Capability.Actions = list(c.Capability.Actions)
	c.Capability.Tags = list(c.Capability.Tags)
	c.Capability.IntentExamples = list(c.Capability.IntentExamples)
	c.Safety.SideEffects = list(c.Safety.SideEffects)
	c.Bindings = list(c.Bindings)
	c.Errors = list(c.Errors)
	c.RequiredCapabilities = list(slices.Clone(c.RequiredCapabilities))
	slices.Sort(c.RequiredCapabilities)
	c.RequiredCapabilities = slices.Compact(c.RequiredCapabilities)
	return &c
}

// list returns s, and an empty list for nil.
func list[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return s
}

func or[T ~string](value, standard T) T {
	if value == "" {
		return standard
	}
	return value
}
