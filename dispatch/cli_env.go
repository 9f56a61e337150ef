package dispatch

import (
	"os"
	"slices"
	"strings"
)

// baseNames are what a program needs to find itself at home.
var baseNames = []string{
	"PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LANGUAGE", "TZ", "TMPDIR",
	"PATHEXT", "COMSPEC", "SYSTEMROOT", "SYSTEMDRIVE", "WINDIR", "TEMP", "TMP", "USERNAME", "USERPROFILE",
	"APPDATA", "LOCALAPPDATA", "PROGRAMDATA", "PROGRAMFILES", "NUMBER_OF_PROCESSORS",
}

// BaseEnv returns the part of our environment that says where programs, home
// and temporary files are, and what the language is. The rest is kept from the
// programs that callers run: it may hold our keys.
func BaseEnv() []string {
	env := []string{}
	for _, pair := range os.Environ() {
		name, _, _ := strings.Cut(pair, "=")
		name = strings.ToUpper(name)
		if slices.Contains(baseNames, name) || strings.HasPrefix(name, "LC_") {
			env = append(env, pair)
		}
	}
	return env
}
