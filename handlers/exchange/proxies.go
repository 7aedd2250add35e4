package exchange

import (
	"net/http"
	"net/netip"
	"strings"
)

// Proxies are the networks of the proxies that are trusted to name their client
// (X-Forwarded-For), the host that it called (Host) and the request's id (X-Request-Id).
type Proxies []netip.Prefix

func (p Proxies) trusts(addr netip.Addr) bool {
	for _, prefix := range p {
		if prefix.Contains(addr) {
			return true
		}
	}
	return false
}

// addresses returns the peer of the connection and the client: the right-most hop of
// X-Forwarded-For that is no trusted proxy, if the peer is one. The hops left of it can be
// forged by the client. Forwarded and X-Real-IP are ignored.
func (p Proxies) addresses(r *http.Request) (peer, client netip.Addr) {
	if ap, err := netip.ParseAddrPort(r.RemoteAddr); err == nil {
		peer = ap.Addr().Unmap().WithZone("")
	}
	if !p.trusts(peer) {
		return peer, peer
	}
	client = peer
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0; i-- {
		hop, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
		if err != nil {
			return peer, client // not an address: the hops left of it cannot be trusted
		}
		client = hop.Unmap().WithZone("")
		if !p.trusts(client) {
			break
		}
	}
	return peer, client
}
