package main

import "strings"

// shield stands for the '-' of a negated filter word while the flags are being
// parsed. A real argument cannot hold it.
const shield = "\x00"

// shieldNegations hides filter words such as -tool:echo from the parser of
// flags, which would take them for a row of short flags. What follows "--" is
// left alone.
func shieldNegations(args []string) []string {
	out := make([]string, len(args))
	copy(out, args)
	for i, arg := range out {
		if arg == "--" {
			break
		}
		if isNegation(arg) {
			out[i] = shield + arg[1:]
		}
	}
	return out
}

// isNegation reports whether arg is '-', letters, and a colon. A key that
// there is not is a filter word too, so that the message is about the key.
func isNegation(arg string) bool {
	key, _, ok := strings.Cut(arg, ":")
	if !ok || len(key) < 3 || key[0] != '-' {
		return false
	}
	for _, c := range key[1:] {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && c != '_' {
			return false
		}
	}
	return true
}

// unshield gives a negated word its '-' back.
func unshield(word string) string {
	if rest, ok := strings.CutPrefix(word, shield); ok {
		return "-" + rest
	}
	return word
}

// filterWords returns a command's arguments as the user wrote them.
func filterWords(args []string) []string {
	words := make([]string, len(args))
	for i, arg := range args {
		words[i] = unshield(arg)
	}
	return words
}
