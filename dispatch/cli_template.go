package dispatch

import (
	"encoding/json"
	"errors"
	"strings"
)

// arguments are those of a call, by name.
type arguments map[string]json.RawMessage

// A template is text with the names of arguments in it.
type template []part

// A part is text, or an argument's name.
type part struct {
	text string
	name string // "" where the part is text
}

// parseTemplate reads {name} as a name, and {{ as a brace.
func parseTemplate(text string) (template, error) {
	t := template{}
	for text != "" {
		before, after, found := strings.Cut(text, "{")
		if before != "" {
			t = append(t, part{text: before})
		}
		switch {
		case !found:
			return t, nil
		case strings.HasPrefix(after, "{"):
			t = append(t, part{text: "{"})
			text = after[1:]
		default:
			name, rest, closed := strings.Cut(after, "}")
			if !closed || name == "" {
				return nil, errors.New("a { that no name and no } follow; a brace is {{")
			}
			t = append(t, part{name: name})
			text = rest
		}
	}
	return t, nil
}

// elements are what an element of a program's arguments becomes.
func (t template) elements(values arguments) ([]string, error) {
	if len(t) == 1 && t[0].name != "" {
		var list []json.RawMessage
		value := values[t[0].name]
		if strings.HasPrefix(string(value), "[") && json.Unmarshal(value, &list) == nil {
			return scalars(t[0].name, list)
		}
	}
	text, ok, err := t.fill(values)
	if !ok || err != nil {
		return nil, err
	}
	return []string{text}, nil
}

func scalars(name string, list []json.RawMessage) ([]string, error) {
	texts := make([]string, len(list))
	for i, value := range list {
		text, ok, err := scalar(name, value)
		if err != nil {
			return nil, err
		}
		if !ok {
			return nil, InvalidArgs("/%s: an element is null", harmless(name))
		}
		texts[i] = text
	}
	return texts, nil
}

// fill puts arguments into the text. It reports false where one is absent.
func (t template) fill(values arguments) (string, bool, error) {
	var b strings.Builder
	for _, p := range t {
		if p.name == "" {
			b.WriteString(p.text)
			continue
		}
		text, ok, err := scalar(p.name, values[p.name])
		if !ok || err != nil {
			return "", false, err
		}
		b.WriteString(text)
	}
	return b.String(), true, nil
}

// scalar is the text of a string, a number or a boolean. It reports false for
// what is absent or null.
func scalar(name string, value json.RawMessage) (string, bool, error) {
	switch {
	case len(value) == 0 || string(value) == "null":
		return "", false, nil
	case value[0] == '{' || value[0] == '[':
		return "", false, InvalidArgs("/%s: must be a string, a number, true or false", harmless(name))
	case value[0] != '"':
		return string(value), true, nil
	}
	var text string
	if err := json.Unmarshal(value, &text); err != nil {
		return "", false, InvalidArgs("/%s: must be a string", harmless(name))
	}
	return text, true, nil
}
