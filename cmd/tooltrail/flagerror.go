package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// flagError makes a wrong flag a usage error, and says what may have been
// meant.
func flagError(cmd *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	var bare *pflag.ValueRequiredError
	var invalid *pflag.InvalidValueError
	switch {
	case errors.As(err, &unknown):
		return &usageError{Err: err, Hint: meantFlag(cmd, unknown)}
	case errors.As(err, &bare):
		return needsValue(cmd, bare.GetFlag())
	case errors.As(err, &invalid) && invalid.GetValue() == "--":
		return needsValue(cmd, invalid.GetFlag())
	case errors.As(err, &invalid):
		flag := invalid.GetFlag()
		if what, ok := wantedValues[flag.Value.Type()]; ok {
			return usagef("%s is %s, not %q", shortest(flag), what, invalid.GetValue())
		}
	}
	return &usageError{Err: err}
}

// wantedValues say what values of a type look like.
var wantedValues = map[string]string{
	"int":      "a whole number",
	"duration": "a duration such as 500ms, 30s or 2m",
	"bool":     "true or false",
}

// needsValue complains of a flag without a value.
func needsValue(cmd *cobra.Command, flag *pflag.Flag) error {
	name, _ := pflag.UnquoteUsage(flag)
	return &usageError{
		Err:  fmt.Errorf("%s needs a value", shortest(flag)),
		Hint: fmt.Sprintf("%s %s %s", cmd.CommandPath(), shortest(flag), strings.ToUpper(name)),
	}
}

// shortest is a flag as most people type it.
func shortest(flag *pflag.Flag) string {
	if flag.Shorthand != "" {
		return "-" + flag.Shorthand
	}
	return "--" + flag.Name
}

// meantFlag suggests what an unknown flag was meant to be: a flag with a name
// like it, one whose second '-' is missing, or a filter word.
func meantFlag(cmd *cobra.Command, unknown *pflag.NotExistError) string {
	letters := unknown.GetSpecifiedShortnames()
	if letters == "" {
		if near := nearestFlag(cmd, unknown.GetSpecifiedName()); near != "" {
			return fmt.Sprintf("%s --%s", cmd.CommandPath(), near)
		}
		return ""
	}
	name, _, _ := strings.Cut(letters, "=")
	switch {
	case cmd.Flags().Lookup(name) != nil:
		return fmt.Sprintf("%s --%s", cmd.CommandPath(), letters)
	case len(letters) > 1 && takesFilter(cmd):
		return fmt.Sprintf("%s -- -%s, if that is a word of the filter", cmd.CommandPath(), letters)
	}
	return ""
}

// takesFilter reports whether the arguments of cmd are a filter.
func takesFilter(cmd *cobra.Command) bool { return strings.Contains(cmd.Use, "FILTER") }
