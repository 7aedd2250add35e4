package exchange

import (
	"net/http"
	"net/netip"
	"strconv"
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
		text := strings.Trim(hops[i], " \t")
		if text == "" {
			continue // an empty element counts for nothing (RFC 9110 §5.6.1)
		}
		hop, ok := parseHop(text)
		if !ok {
			return peer, client // not an address: the hops left of it cannot be trusted
		}
		client = hop
		if !p.trusts(client) {
			break
		}
	}
	return peer, client
}

// parseHop reads an element of X-Forwarded-For. No standard says its form: proxies write addresses
// with a port (Azure, HAProxy), in brackets, or quoted as in Forwarded (RFC 7239 §6). It is not ok for
// what names no address, such as "unknown" or "_hidden".
func parseHop(text string) (addr netip.Addr, ok bool) {
	if inner, quoted := strings.CutPrefix(text, `"`); quoted {
		if text, quoted = strings.CutSuffix(inner, `"`); !quoted {
			return netip.Addr{}, false
		}
	}
	host, port := text, ""
	if inner, bracketed := strings.CutPrefix(text, "["); bracketed {
		if host, port, bracketed = strings.Cut(inner, "]"); !bracketed {
			return netip.Addr{}, false
		}
	} else if strings.Count(text, ":") == 1 { // an IPv6 address has more
		colon := strings.IndexByte(text, ':')
		host, port = text[:colon], text[colon:]
	}
	addr, err := netip.ParseAddr(host)
	if err != nil || !isHopPort(port) {
		return netip.Addr{}, false
	}
	return addr.Unmap().WithZone(""), true
}

// isHopPort reports whether text is empty, or a colon and a port: a number, or a name that hides it
// (RFC 7239 §6.2).
func isHopPort(text string) bool {
	if text == "" {
		return true
	}
	port, ok := strings.CutPrefix(text, ":")
	if hidden, found := strings.CutPrefix(port, "_"); ok && found {
		return IsPlain(hidden, maxLogged, ".")
	}
	_, err := strconv.ParseUint(port, 10, 16)
	return ok && err == nil
}
