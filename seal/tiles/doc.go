// Package tiles serves a sealed trail over HTTP to any reader of
// c2sp.org/tlog-tiles: auditors, mirrors, monitors.
//
//	http.Handle("/log/", http.StripPrefix("/log", tiles.Handler("/var/lib/tooltrail/filesystem", nil)))
//
// Nothing is exported or copied for it. The tiles are ranges of the files
// tree/0, tree/1, …; the entry bundles are cut from the segments; a line
// without its '\n' is an entry. What is served is what the published checkpoint
// covers, and no more.
//
// An erased line is served as the stub that stands in its place. It does not
// have the hash that the tree has, so that a reader which does not know stubs
// refuses that bundle; the stub names the hash.
//
// Whoever reaches the handler reads every line of the trail: what guards it is
// to stand in front of it.
package tiles
