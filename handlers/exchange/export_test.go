package exchange

import (
	"net/http"
	"net/netip"
)

// The parsers of bytes from outside.
var (
	ParseForm      = parseForm
	Unmarshal      = unmarshal
	Printable      = printable
	NestsTooDeeply = nestsTooDeeply
)

// ClientAddress is the address of the client, as the access log and the limits see it.
func ClientAddress(trusted []netip.Prefix, r *http.Request) netip.Addr {
	_, client := Proxies(trusted).addresses(r)
	return client
}

// HostAllowed reports whether an issuer with that URL may be called by that Host.
func HostAllowed(issuer, host string) bool { return newHosts(issuer, nil).allows(host) }
