// Package layout holds the project to its plan: which package may import which,
// and that the documented formats are what the code writes.
package layout

import (
	"bytes"
	"encoding/json"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/tooltrail/tooltrail/audit"
)

const module = "github.com/tooltrail/tooltrail"

// mayImport lists, for each package, the packages of ours that it may import.
// What is not listed may import everything (the command and the tests).
var mayImport = map[string][]string{
	"audit":             {},
	"audit/audittest":   {"audit"},
	"internal/durable":  {},
	"internal/proc":     {},
	"internal/term":     {},
	"trail":             {"audit", "internal/durable"},
	"relay":             {"audit"},
	"dispatch":          {"audit", "internal/proc"},
	"atd":               {"audit", "dispatch"},
	"internal/reftools": {"audit", "dispatch"},
	"query":             {"audit", "internal/durable", "trail"},
	"seal":              {"audit", "internal/durable", "trail"},
	"seal/witness":      {"internal/durable", "seal"},
	"seal/tiles":        {"internal/durable", "seal", "trail"},
	"internal/config":   {"audit", "internal/durable", "seal", "seal/witness", "trail"},
	"internal/stdio":    {"internal/proc", "relay"},
	"internal/demo":     {"audit", "internal/proc", "relay"},
}

type listed struct {
	ImportPath string
	Imports    []string
	Standard   bool
}

func TestImportsGoDownTheOrder(t *testing.T) {
	for _, p := range list(t, "./...") {
		name := strings.TrimPrefix(strings.TrimPrefix(p.ImportPath, module), "/")
		allowed, bound := mayImport[name]
		if !bound {
			continue
		}
		for _, imported := range p.Imports {
			own, ours := strings.CutPrefix(imported, module+"/")
			if ours && !slices.Contains(allowed, own) {
				t.Errorf("%s imports %s", name, own)
			}
		}
	}
}

func TestAuditImportsTheStandardLibraryOnly(t *testing.T) {
	for _, p := range list(t, "-deps", "./audit") {
		if !p.Standard && p.ImportPath != module+"/audit" {
			t.Errorf("package audit depends on %s", p.ImportPath)
		}
	}
}

func list(t *testing.T, args ...string) []listed {
	t.Helper()
	cmd := exec.Command("go", append([]string{"list", "-json=ImportPath,Imports,Standard"}, args...)...)
	cmd.Dir = "../.."
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var packages []listed
	for d := json.NewDecoder(bytes.NewReader(out)); d.More(); {
		var p listed
		if err := d.Decode(&p); err != nil {
			t.Fatal(err)
		}
		packages = append(packages, p)
	}
	if len(packages) == 0 {
		t.Fatal("go list names no package")
	}
	return packages
}

func TestEventsFitTheSchema(t *testing.T) {
	schema, err := jsonschema.NewCompiler().Compile("../../docs/formats/event.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 11, 24, 9, 30, 0, 120_000_000, time.UTC)
	long := strings.Repeat("x", 100_000)
	for name, ev := range map[string]*audit.CallEvent{
		"least":   {},
		"success": {Time: at, CallID: audit.NewCallID(), ToolID: "x", Outcome: audit.Success(), Seq: 1, DecidedBy: audit.ByTool},
		"failed":  {Time: at, Outcome: audit.ExecutionFailed(audit.CodeTimeout, true), Lost: &audit.Lost{Count: 1, First: at, Last: at, Reason: audit.LossQueueFull}},
		"invalid": {Time: at, Outcome: audit.InvalidArgs(long), RequestID: "7", Args: `{"a":[1]}`, Result: long},
		"denied":  {Time: at, Outcome: audit.CapabilityDenied([]string{"write"}), GrantedCapabilities: []string{"read"}, RequestID: `"7"`},
		"limited": {Time: at, Outcome: audit.RateLimited(time.Second), Tier: audit.TierHot, Transport: audit.TransportUDS, Flags: []string{"x"}},
		"unknown": {Time: at, ToolID: long + "\xff", Outcome: audit.ToolNotFound(), CursorPage: 2, CapabilityProvenance: []audit.Provenance{{Cap: "a", Source: audit.ProvenanceSource{Kind: "ucan_chain"}}}},
	} {
		if err := schema.Validate(parse(t, ev.AppendJSON(nil))); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, line := range map[string]string{
		"no event":     `{}`,
		"seventh kind": strings.Replace(string((&audit.CallEvent{Outcome: audit.Success()}).AppendJSON(nil)), `"success"`, `"maybe"`, 1),
	} {
		if schema.Validate(parse(t, []byte(line))) == nil {
			t.Errorf("%s fits the schema", name)
		}
	}
}

func parse(t *testing.T, line []byte) any {
	t.Helper()
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(line))
	if err != nil {
		t.Fatal(err)
	}
	return value
}
