package proc

import (
	"errors"
	"strings"
)

// batchLine is the command line that runs a batch file, such as npx.cmd, with
// arguments that the batch file gets as they are. cmd.exe reads the line a
// second time, by rules of its own, so without this an argument could hold a
// command (CVE-2024-24576): every argument that is not plain is quoted, a
// quote is doubled, and "%" is given a harmless expansion, %cd:~,%, that
// yields it empty. A line break cannot be passed at all.
func batchLine(path string, args []string) (string, error) {
	if strings.ContainsAny(path, "\"\r\n\x00") || strings.HasSuffix(path, `\`) {
		return "", errors.New("the path of a batch file cannot hold a quote or a line break, or end in a backslash")
	}
	var b strings.Builder
	// /e and /v fix the extensions that the quoting relies on, /d skips AutoRun.
	b.WriteString(`cmd.exe /e:ON /v:OFF /d /c ""` + path + `"`)
	for _, arg := range args {
		if strings.ContainsAny(arg, "\r\n\x00") {
			return "", errors.New("an argument of a batch file cannot hold a line break")
		}
		b.WriteByte(' ')
		quoteForBatch(&b, arg)
	}
	b.WriteByte('"')
	return b.String(), nil
}

// plain are the characters, letters and digits apart, that neither cmd.exe nor
// a program's own splitting gives a meaning to.
const plain = `#$*+-./:?@\_`

// quoteForBatch appends one argument. A backslash is doubled only where it
// stands before a quote, since programs unquote by the rules of
// CommandLineToArgvW.
func quoteForBatch(b *strings.Builder, arg string) {
	quote := arg == "" || strings.HasSuffix(arg, `\`) || strings.ContainsFunc(arg, func(r rune) bool {
		isPlain := r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z'
		return !isPlain && !strings.ContainsRune(plain, r)
	})
	if quote {
		b.WriteByte('"')
	}
	slashes := 0
	for _, r := range arg {
		switch r {
		case '\\':
			slashes++
		case '"':
			b.WriteString(strings.Repeat(`\`, slashes))
			b.WriteByte('"')
			slashes = 0
		case '%':
			b.WriteString("%%cd:~,")
			slashes = 0
		default:
			slashes = 0
		}
		b.WriteRune(r)
	}
	if quote {
		b.WriteString(strings.Repeat(`\`, slashes))
		b.WriteByte('"')
	}
}
