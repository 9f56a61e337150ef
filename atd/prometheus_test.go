package atd

import (
	"context"
	"encoding/json"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/tooltrail/tooltrail/dispatch"
)

// sample is a line of the text format, version 0.0.4.
var sample = regexp.MustCompile(`^([a-z_]+)(\{([a-z]+="([^"\\\n]|\\["\\n])*",?)+\})? ([0-9.e+-]+)$`)

func TestPrometheus(t *testing.T) {
	path, server, _ := serve(t, nil, dispatch.Func(dispatch.Definition{ID: "odd \"\\\nname"}, func(context.Context, *dispatch.Call, any) (any, error) { return 1, nil }))
	c, err := Dial(context.Background(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for range 3 {
		_, _ = c.Run(context.Background(), &dispatch.RunTool{ToolID: "odd \"\\\nname", Args: json.RawMessage(`{}`)})
	}
	_, _ = c.Run(context.Background(), &dispatch.RunTool{ToolID: "none", Args: json.RawMessage(`{}`)})
	text := string(server.Snapshot().AppendPrometheus(nil))
	values := map[string]float64{}
	described := ""
	last := 0.0
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if name, ok := strings.CutPrefix(line, "# TYPE "); ok {
			described, _, _ = strings.Cut(name, " ")
			continue
		}
		if strings.HasPrefix(line, "# HELP ") {
			continue
		}
		m := sample.FindStringSubmatch(line)
		if m == nil {
			t.Fatalf("no sample: %q", line)
		}
		if !strings.HasPrefix(m[1], described) {
			t.Errorf("%s stands under %s", m[1], described)
		}
		v, err := strconv.ParseFloat(m[5], 64)
		if err != nil {
			t.Fatal(err)
		}
		values[m[1]+m[2]] = v
		if strings.HasSuffix(m[1], "_bucket") {
			if strings.Contains(m[2], `le="5e-05"`) {
				last = 0
			}
			if v < last {
				t.Errorf("a bucket that is smaller than the one before: %s", line)
			}
			last = v
		}
	}
	odd := `tool="odd \"\\\nname"`
	for name, want := range map[string]float64{
		"tooltrail_requests_total": 4, "tooltrail_audit_events_total": 4, "tooltrail_atd_connections": 1,
		`tooltrail_errors_total{code="none"}`:                                   1,
		`tooltrail_calls_total{` + odd + `,outcome="success"}`:                  3,
		`tooltrail_calls_total{tool="",outcome="tool_not_found"}`:               1,
		`tooltrail_call_duration_seconds_count{` + odd + `}`:                    3,
		`tooltrail_call_duration_seconds_bucket{` + odd + `,le="+Inf"}`:         3,
		`tooltrail_call_duration_seconds_bucket{tool="",le="+Inf"}`:             1,
		`tooltrail_call_duration_seconds_bucket{tool="ref:echo.say",le="+Inf"}`: 0,
	} {
		if values[name] != want {
			t.Errorf("%s is %v, want %v", name, values[name], want)
		}
	}
}
