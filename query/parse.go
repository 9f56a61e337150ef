package query

import (
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/tooltrail/tooltrail/audit"
)

// MaxFilter is how long a filter may be, in bytes.
const MaxFilter = 64 << 10

var (
	errNoValue = errors.New(`a value is missing; write "" for none`)
	errNoText  = errors.New("there is no text to look for")
	errMin     = errors.New("want a duration such as 50ms, 2s or 1m30s")
	errTooLong = errors.New("the filter is longer than 65536 bytes")
	errNUL     = errors.New("a filter holds no NUL characters")
)

// Parse reads a filter from the arguments of a command line. They are joined
// by spaces, so that one argument may hold several words; quotes in them keep
// a value together. Times that are relative, or have no zone or no date, are
// taken from now. No words give a filter that everything passes.
//
// Errors are of type [*ParseError]; one that is due to an unknown name holds
// an [*UnknownError].
func Parse(words []string, now time.Time) (*Filter, error) {
	text := strings.ToValidUTF8(strings.Join(words, " "), "\ufffd")
	if len(text) > MaxFilter {
		return nil, &ParseError{Word: strings.ToValidUTF8(text[:32], "") + "…", Err: errTooLong}
	}
	if strings.IndexByte(text, 0) >= 0 {
		return nil, &ParseError{Word: text, Err: errNUL}
	}
	tokens, err := tokenize(text)
	if err != nil {
		return nil, err
	}
	terms := make([]term, 0, len(tokens))
	for _, tok := range tokens {
		t, err := parseTerm(tok, now)
		if err != nil {
			return nil, &ParseError{Word: tok.source, Err: err}
		}
		terms = append(terms, t)
	}
	return newFilter(terms), nil
}

func parseTerm(tok token, now time.Time) (t term, err error) {
	chars := tok.chars
	if len(chars) > 1 && chars[0] == (char{'-', false}) {
		t.not, chars = true, chars[1:]
	}
	name, value, ok := cutKey(chars)
	if !ok {
		if t.text = plainText(chars); t.text == "" {
			return t, errNoText
		}
		t.finder = newFinder(t.text)
		return t, nil
	}
	if t.key, ok = keyOf(name); !ok {
		return t, &UnknownError{"word", name + ":", nearest(name+":", Words()), Words()}
	}
	if len(value) == 0 {
		return t, errNoValue
	}
	err = t.parseValue(value, now)
	return t, err
}

func (t *term) parseValue(value []char, now time.Time) (err error) {
	switch t.key {
	case keySince, keyUntil:
		t.when, err = parseWhen(plainText(value), now, t.key == keyUntil)
		t.nanos = nanos(t.when)
		return err
	case keyMin:
		if t.min, err = time.ParseDuration(plainText(value)); err != nil || t.min < 0 {
			return errMin
		}
		return nil
	}
	var ok bool
	if t.any, ok = patterns(value); !ok {
		return errNoValue
	}
	switch t.key {
	case keyOutcome:
		return t.resolveOutcomes()
	case keyID:
		for i := range t.any {
			t.any[i].text = upper(t.any[i].text)
		}
	}
	return nil
}

// upper is strings.ToUpper for ASCII, which call ids are; it leaves wildcards
// alone.
func upper(s string) string {
	b := []byte(s)
	for i, c := range b {
		if c >= 'a' && c <= 'z' {
			b[i] = c - 'a' + 'A'
		}
	}
	return string(b)
}

// outcomeNames are the six kinds, by audit.OutcomeKind; 0 is none.
var outcomeNames = func() (names [7]string) {
	for k := audit.KindSuccess; k <= audit.KindToolNotFound; k++ {
		names[k] = k.String()
	}
	return names
}()

// outcomeError is the word for everything but success.
const outcomeError = "error"

// resolveOutcomes turns the patterns of an outcome: word into a set of kinds.
func (t *term) resolveOutcomes() error {
	for i := range t.any {
		p := &t.any[i]
		if !p.glob {
			p.text = strings.ToLower(p.text)
		}
		mask := uint8(0)
		for k, name := range outcomeNames {
			if name != "" && (p.match([]byte(name)) || p.text == outcomeError && k != int(audit.KindSuccess)) {
				mask |= 1 << k
			}
		}
		if mask == 0 {
			known := append(slices.Clone(outcomeNames[1:]), outcomeError)
			return &UnknownError{"outcome", p.String(), nearest(p.text, known), known}
		}
		t.outcomes |= mask
	}
	return nil
}
