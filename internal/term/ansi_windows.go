package term

import (
	"os"

	"golang.org/x/sys/windows"
)

// EnableColours prepares the terminal f for escape sequences and reports
// whether it takes them. Consoles since Windows 10 do, once they are asked to.
func EnableColours(f *os.File) bool {
	h := windows.Handle(f.Fd())
	var mode uint32
	if windows.GetConsoleMode(h, &mode) != nil {
		return false
	}
	return windows.SetConsoleMode(h, mode|windows.ENABLE_VIRTUAL_TERMINAL_PROCESSING) == nil
}
