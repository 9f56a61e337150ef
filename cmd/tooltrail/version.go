package main

import (
	"fmt"
	"io"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// A buildVersion says what this program was built from.
type buildVersion struct {
	Version  string `json:"version"`            // of the module; "devel" where it is not a release
	Revision string `json:"revision,omitempty"` // commit
	Time     string `json:"time,omitempty"`     // of the commit, RFC 3339
	Modified bool   `json:"modified,omitempty"` // there were changes on top of the commit
	Go       string `json:"go"`
	OS       string `json:"os"`
	Arch     string `json:"arch"`
}

// readVersion reads what the Go tool put into the program.
func readVersion() buildVersion {
	v := buildVersion{Version: "devel", Go: runtime.Version(), OS: runtime.GOOS, Arch: runtime.GOARCH}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return v
	}
	if m := info.Main.Version; m != "" && m != "(devel)" {
		v.Version = m
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			v.Revision = s.Value
		case "vcs.time":
			v.Time = s.Value
		case "vcs.modified":
			v.Modified = s.Value == "true"
		}
	}
	return v
}

func newVersionCmd(a *app) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "version [--json]",
		Short:   "Say which build this is",
		Example: "  tooltrail version",
		Args:    noArgs,
		RunE: func(*cobra.Command, []string) error {
			if asJSON {
				return writeJSON(a.stdout, readVersion())
			}
			return readVersion().write(a.stdout)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return cmd
}

func (v buildVersion) write(w io.Writer) error {
	commit := ""
	if v.Revision != "" {
		commit = " " + v.Revision[:min(12, len(v.Revision))]
		if v.Modified {
			commit += "+changes"
		}
	}
	_, err := fmt.Fprintf(w, "tooltrail %s%s %s %s/%s\n", v.Version, commit, v.Go, v.OS, v.Arch)
	return err
}
