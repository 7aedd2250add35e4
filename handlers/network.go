package handlers

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// proxies are those that may say who their client is.
type proxies []netip.Prefix

func (p proxies) trusted(addr netip.Addr) bool {
	for _, prefix := range p {
		if prefix.Contains(addr) {
			return true
		}
	}
	return false
}

// client is who asks.
func (p proxies) client(r *http.Request) netip.Addr {
	_, client := p.peerAndClient(r)
	return client
}

// peerAndClient returns who is connected, and who asks: the right-most hop of
// X-Forwarded-For that is not a trusted proxy, if the peer is one. Whatever stands to its
// left was written by a stranger. Forwarded and X-Real-IP are not read.
func (p proxies) peerAndClient(r *http.Request) (peer, client netip.Addr) {
	if ap, err := netip.ParseAddrPort(r.RemoteAddr); err == nil {
		peer = ap.Addr().Unmap().WithZone("")
	}
	if !p.trusted(peer) {
		return peer, peer
	}
	client = peer
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0; i-- {
		hop, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
		if err != nil {
			return peer, client // not an address: nothing left of it can be believed
		}
		client = hop.Unmap().WithZone("")
		if !p.trusted(client) {
			break
		}
	}
	return peer, client
}

// hosts are the names that the issuer is called by.
type hosts struct{ names map[string]bool }

func newHosts(issuer string, more []string) *hosts {
	h := &hosts{names: make(map[string]bool)}
	if u, err := url.Parse(issuer); err == nil {
		h.names[strings.ToLower(u.Hostname())] = true
	}
	for _, name := range more {
		h.names[strings.ToLower(name)] = true
	}
	return h
}

// known reports whether a request that says this Host may be answered; see [Server].
func (h *hosts) known(host string) bool {
	if h.names[host] {
		return true
	}
	if name, port, err := net.SplitHostPort(host); err == nil {
		if _, err := strconv.ParseUint(port, 10, 16); err != nil {
			return false
		}
		host = name
	}
	host = strings.ToLower(strings.TrimSuffix(strings.Trim(host, "[]"), "."))
	if host == "" {
		return false
	}
	if h.names[host] || !strings.Contains(host, ".") {
		return true
	}
	if _, err := netip.ParseAddr(host); err == nil {
		return true
	}
	return private(host)
}

// private reports whether nobody can register the name in the public DNS.
func private(host string) bool {
	for _, suffix := range []string{".localhost", ".local", ".internal", ".svc", ".home.arpa"} {
		if strings.HasSuffix(host, suffix) {
			return true
		}
	}
	return false
}
