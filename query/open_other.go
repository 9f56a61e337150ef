//go:build !unix

package query

const openNonblock = 0
