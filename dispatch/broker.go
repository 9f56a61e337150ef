package dispatch

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// A Broker finds the secrets that a caller's tools may use, such as an access
// token. nil means that the caller has none, and the tool runs without.
//
// What a client says of itself is not proven: a broker that serves several
// users has to go by Caller.Principal. An error's text goes to the caller; it
// must not hold a secret. It is called from many goroutines at once and has to
// return when ctx is done.
type Broker interface {
	Secrets(ctx context.Context, who Caller) (Secrets, error)
}

// A Caller is who calls: by its own word, and by the operating system's or a
// token's.
type Caller struct{ ID, Principal string }

// Secrets are secrets by their names.
type Secrets map[string]Secret

// hidden stands for a secret wherever one would be seen.
const hidden = "[secret]"

// Scrub replaces every secret in text.
func (s Secrets) Scrub(text string) string {
	if len(s) == 0 {
		return text
	}
	values := slices.Collect(maps.Values(s))
	slices.SortFunc(values, func(a, b Secret) int { return len(b.value) - len(a.value) })
	var pairs []string
	for _, v := range values {
		if v.value != "" {
			pairs = append(pairs, v.value, hidden)
		}
	}
	return strings.NewReplacer(pairs...).Replace(text)
}

// A Secret is a value that prints as "[secret]", however it is printed.
type Secret struct{ value string }

// NewSecret returns a secret.
func NewSecret(value string) Secret { return Secret{value} }

// Reveal returns the value.
func (s Secret) Reveal() string { return s.value }

// String returns "[secret]".
func (s Secret) String() string { return hidden }

// Format writes "[secret]", whatever the verb.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(hidden)) }

// MarshalText returns "[secret]".
func (s Secret) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// A MemoryBroker has the secrets of callers by the ids that they give
// themselves.
type MemoryBroker struct{ callers map[string]Secrets }

// NewMemoryBroker returns a broker of secrets by caller id and name.
func NewMemoryBroker(callers map[string]map[string]string) *MemoryBroker {
	b := &MemoryBroker{map[string]Secrets{}}
	for id, values := range callers {
		b.callers[id] = Secrets{}
		for name, value := range values {
			b.callers[id][name] = NewSecret(value)
		}
	}
	return b
}

// Secrets returns a copy of the caller's secrets.
func (b *MemoryBroker) Secrets(_ context.Context, who Caller) (Secrets, error) {
	if who.ID == "" {
		return nil, nil
	}
	return maps.Clone(b.callers[who.ID]), nil
}
