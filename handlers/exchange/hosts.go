package exchange

import (
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// hosts are the names that the issuer may be called by.
type hosts map[string]bool

func newHosts(issuer string, more []string) hosts {
	h := make(hosts)
	if u, err := url.Parse(issuer); err == nil {
		h[strings.ToLower(strings.TrimSuffix(u.Hostname(), "."))] = true
	}
	for _, name := range more {
		h[strings.ToLower(name)] = true
	}
	return h
}

// allows reports whether a request with this Host header may be answered: a configured name, an
// address, or a name that cannot be registered in the public DNS. So a page that points its own
// name at the issuer (DNS rebinding) reads nothing.
func (h hosts) allows(host string) bool {
	if h[host] {
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
	if h[host] || !strings.Contains(host, ".") {
		return true
	}
	if _, err := netip.ParseAddr(host); err == nil {
		return true
	}
	return isPrivateName(host)
}

// isPrivateName reports whether a name lies in a domain that is not in the public DNS.
func isPrivateName(host string) bool {
	for _, suffix := range []string{".localhost", ".local", ".internal", ".svc", ".home.arpa"} {
		if strings.HasSuffix(host, suffix) {
			return true
		}
	}
	return false
}
