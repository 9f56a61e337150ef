package trail

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/tooltrail/tooltrail/internal/durable"
)

// A Home is a folder of trails, shared by many processes.
type Home struct{ dir string }

// maxRefusals is how many slots of one name may be passed over because their
// sealer refuses them. With more, something else is wrong.
const maxRefusals = 8

// maxSlots is how many processes of one name may write at once.
const maxSlots = 1000

// OpenHome returns the home at dir, which it makes where needed.
func OpenHome(dir string) (*Home, error) {
	if err := durable.Mkdir(dir); err != nil {
		return nil, fmt.Errorf("trail: open home: %w", err)
	}
	return &Home{dir: dir}, nil
}

// Dir returns the home's directory.
func (h *Home) Dir() string { return h.dir }

// Open takes the first free slot of name, name.2, name.3 and so on, and opens
// its trail. A slot is free when no process writes it; one that was used
// before is used again. One that its [Sealer] refuses is left as it is, which is
// an error to o's Logger. Characters that do not belong in a file name are
// written as '_'. o may be nil.
func (h *Home) Open(name string, o *Options) (*Trail, error) {
	base, refusals := SlotName(name), 0
	for n := 1; n <= maxSlots; n++ {
		slot := base
		if n > 1 {
			slot = fmt.Sprintf("%s.%d", base, n)
		}
		t, err := Open(filepath.Join(h.dir, slot), o)
		var inUse *InUseError
		var refused *RefusedError
		switch {
		case errors.As(err, &refused) && refusals < maxRefusals:
			refusals++
			if o.Logger != nil {
				o.Logger.Error("trail: another slot is taken", "dir", refused.Dir, "error", refused.Err)
			}
		case !errors.As(err, &inUse):
			return t, err
		}
	}
	return nil, fmt.Errorf("trail: open home: all %d slots of %s are in use", maxSlots, base)
}

// maxSlotName leaves room in a file name for the number.
const maxSlotName = 100

// SlotName makes a safe file name of a trail's name: letters, digits and "-_."
// stay, the rest becomes '_'. It does not begin with a dot, is never empty, and
// is none of the names that a home or Windows keeps to itself.
func SlotName(name string) string {
	safe := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '-', r == '_', r == '.':
			return r
		}
		return '_'
	}, name)
	safe = strings.TrimRight(safe[:min(len(safe), maxSlotName)], ".")
	if safe == "" {
		return "trail"
	}
	if safe[0] == '.' {
		safe = "_" + safe[1:]
	}
	if reserved(safe) {
		safe = "_" + safe
	}
	return safe
}

func reserved(name string) bool {
	stem, _, _ := strings.Cut(strings.ToLower(name), ".")
	switch stem {
	case "keys", "con", "prn", "aux", "nul":
		return true
	}
	return len(stem) == 4 && (strings.HasPrefix(stem, "com") || strings.HasPrefix(stem, "lpt")) && stem[3] >= '0' && stem[3] <= '9'
}
