//go:build !unix

package reftools

const openFlags = 0
