package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/tooltrail/tooltrail/seal"
	"github.com/tooltrail/tooltrail/trail"
)

// What a disk should have free, in bytes.
const (
	scarceSpace   = 1 << 30
	exhaustedDisk = 64 << 20
)

// checkHome looks at the folder of the trails and at each of them.
func (a *app) checkHome(c *checkup, path string, named bool) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && !named:
		c.add("home", hint, "tooltrail run -- COMMAND", "nothing is recorded yet in %s", path)
		checkDisk(c, existingParent(path))
		return
	case err != nil:
		c.add("home", wrong, "check the path and who may read it", "%v", err)
		return
	case !info.IsDir():
		c.add("home", wrong, "name the folder that holds the trails", "%s is a file", path)
		return
	}
	checkAccess(c, path, info)
	checkDisk(c, path)
	dirs, err := trail.Find(path)
	switch {
	case errors.Is(err, trail.ErrNotTrail) && isEmpty(path):
		c.add("home", hint, "tooltrail run -- COMMAND", "nothing is recorded yet")
	case errors.Is(err, trail.ErrNotTrail):
		c.add("home", wrong, "name the folder that 'tooltrail run' writes to with --trail or TOOLTRAIL_DIR",
			"there are files, but no trail is among them")
	case err != nil:
		c.add("home", wrong, "give the folders back to the user who records: chown -R, chmod -R u+rwX", "%v", err)
	}
	var keys []*seal.Key
	if r, err := a.keyRing(homeOf(path)); err == nil {
		keys = checkKeys(c, r, dirs)
	}
	for _, dir := range dirs {
		a.checkTrail(c, dir, keys)
	}
}

// checkAccess looks at who may read the folder, and whether we may write it.
func checkAccess(c *checkup, path string, info fs.FileInfo) {
	open, writable := openToOthers(info), isWritable(path)
	if open {
		c.add("home", wrong, "chmod 700 "+path, "others may look into %s (mode %04o): what agents do is private", path, info.Mode().Perm())
	}
	if !writable {
		c.add("home", wrong, "record as the user who owns it, or choose another folder with --trail", "%s cannot be written: nothing can be recorded", path)
	}
	if !open && writable {
		c.add("home", fine, "", "%s", path)
	}
}

// existingParent returns the nearest folder above path that there is.
func existingParent(path string) string {
	for {
		if _, err := os.Stat(path); err == nil || path == filepath.Dir(path) {
			return path
		}
		path = filepath.Dir(path)
	}
}

func checkDisk(c *checkup, path string) {
	free, err := freeSpace(path)
	switch {
	case err != nil:
		c.add("disk", hint, "", "the free space is not known: %v", err)
	case free < exhaustedDisk:
		c.add("disk", wrong, "make room, or move the trails: events are lost when the disk is full", "%s free", bytesText(free))
	case free < scarceSpace:
		c.add("disk", hint, "make room soon", "%s free", bytesText(free))
	default:
		c.add("disk", fine, "", "%s free", bytesText(free))
	}
}

func bytesText(n uint64) string {
	const step = 1024
	value, units := float64(n), []string{"bytes", "KiB", "MiB", "GiB", "TiB"}
	i := 0
	for ; value >= step && i < len(units)-1; i++ {
		value /= step
	}
	if i == 0 {
		return fmt.Sprintf("%d %s", n, units[0])
	}
	return fmt.Sprintf("%.1f %s", value, units[i])
}

// checkPrograms looks for what most MCP servers are started with.
func checkPrograms(c *checkup) {
	var there, missing []string
	for _, name := range []string{"node", "npx"} {
		if path, err := exec.LookPath(name); err == nil {
			there = append(there, path)
		} else {
			missing = append(missing, name)
		}
	}
	if len(there) > 0 {
		c.add("programs", fine, "", "%s", strings.Join(there, ", "))
	}
	if len(missing) > 0 {
		c.add("programs", hint, "install Node.js if your MCP servers come from npm", "not on PATH: %s", strings.Join(missing, ", "))
	}
}
