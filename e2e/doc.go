// Package e2e holds the tests of the built program: real clients drive real
// servers through `tooltrail run`, and what they see, what is recorded and
// what is left running is compared with what must be. They need Linux (/proc)
// and the parts of package rig.
package e2e
