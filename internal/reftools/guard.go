package reftools

import (
	"errors"
	"net/netip"
	"slices"
	"syscall"
)

// errPrivate says that an address is not on the public internet.
var errPrivate = errors.New("reftools: not a public address")

// special4 are what of IPv4 is not the public internet: the IANA registry of
// special-purpose addresses (RFC 6890), multicast, and the addresses at which
// clouds answer with credentials. 169.254.169.254, 100.100.100.200 and
// 192.0.0.192 are in it by their networks; Azure's is an ordinary address.
var special4 = prefixes("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
	"192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24",
	"203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4", "168.63.129.16/32")

// public6 is what of IPv6 is assigned to the public internet. Outside of it
// are loopback, link-local, unique local (with AWS' fd00:ec2::254), multicast,
// IPv4-mapped and NAT64 addresses.
var public6 = netip.MustParsePrefix("2000::/3")

// special6 are the exceptions: protocol assignments with Teredo,
// documentation, and 6to4.
var special6 = prefixes("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")

func prefixes(texts ...string) []netip.Prefix {
	list := make([]netip.Prefix, len(texts))
	for i, text := range texts {
		list[i] = netip.MustParsePrefix(text)
	}
	return list
}

// isPublic reports whether an address is on the public internet.
func isPublic(a netip.Addr) bool {
	holds := func(p netip.Prefix) bool { return p.Contains(a) }
	a = a.Unmap()
	if a.Is4() {
		return !slices.ContainsFunc(special4, holds)
	}
	return public6.Contains(a) && !slices.ContainsFunc(special6, holds)
}

// control refuses a connection to an address that may not be reached. It sees
// the address that is connected to, so a name that resolves to another one the
// second time is of no help.
func (f *fetcher) control(_, address string, _ syscall.RawConn) error {
	to, err := netip.ParseAddrPort(address)
	if err != nil || !isPublic(to.Addr()) && !(f.loopback && to.Addr().IsLoopback()) {
		return errPrivate
	}
	return nil
}
