package config

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// checkAddresses checks the URL of the issuer, its listeners and what they accept.
func (v checker) checkAddresses() {
	if problem := issuerProblem(v.Issuer); problem != "" {
		v.fault("issuer", "%s", problem)
	}
	v.checkListen("listen", v.Listen)
	v.checkListen("admin.listen", v.Admin.Listen)
	if collide(v.Listen, v.Admin.Listen) {
		v.fault("admin.listen", "must differ from listen: the admin API has an address of its own")
	}
	if v.Limits.Connections < 1 || v.Limits.Connections > 1_000_000 {
		v.fault("limits.connections", "must be from 1 to 1000000")
	}
	if n := v.Limits.FeedStreams; n < 0 || n > 1_000_000 {
		v.fault("limits.feed_streams", "must be from 0 to 1000000")
	}
	if v.Limits.FeedStreamsPerKey < 1 || v.Limits.FeedStreamsPerKey > 1_000_000 {
		v.fault("limits.feed_streams_per_key", "must be from 1 to 1000000")
	}
	for i, proxy := range v.TrustedProxies {
		if _, err := ParseProxy(proxy); err != nil {
			v.fault(fmt.Sprintf("trusted_proxies[%d]", i), "must be an IP address or a CIDR block such as 10.0.0.0/8")
		}
	}
	v.oneOf("log.level", v.Log.Level, "debug", "info", "warn", "error")
}

// issuerProblem returns why a URL cannot be the issuer, "" when it can.
func issuerProblem(issuer string) string {
	u, err := url.Parse(issuer)
	switch {
	case err != nil || u.Host == "" || u.Opaque != "" || !isPlain(issuer):
		return "must be a URL such as https://login.example.com"
	case u.User != nil:
		return "must not hold a user name or password"
	case u.RawQuery != "" || u.ForceQuery || strings.Contains(issuer, "#"):
		return "must not have a query or a fragment"
	case strings.HasSuffix(issuer, "/"):
		return `must not end in "/": every published URL is this text and a path`
	case u.Scheme == "http" && !isLoopback(u.Hostname()):
		return "must begin with https://; plain http is only for localhost"
	case u.Scheme != "https" && u.Scheme != "http":
		return "must begin with https://"
	case hasDefaultPort(u):
		return "must leave out the port " + u.Port() + ", as browsers do in the origin of its pages"
	}
	return ""
}

// hasDefaultPort reports whether a URL names the default port of its scheme. Browsers leave
// that port out of an Origin, and origins are compared byte by byte.
func hasDefaultPort(u *url.URL) bool {
	return u.Scheme == "https" && u.Port() == "443" || u.Scheme == "http" && u.Port() == "80"
}

// isLoopback reports whether a host is this machine without a look-up in DNS.
func isLoopback(host string) bool {
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}

// checkListen checks the address of a listener.
func (v checker) checkListen(key, address string) {
	host, port, err := net.SplitHostPort(address)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if err != nil || strings.ContainsAny(host, " /") {
		v.fault(key, "must be an address and a port, such as 127.0.0.1:8080 or :8080")
	}
}

// collide reports whether two listeners cannot both open: their ports are equal, and so are
// their hosts, or one is a wildcard that covers the other.
func collide(a, b string) bool {
	hostA, portA, errA := net.SplitHostPort(a)
	hostB, portB, errB := net.SplitHostPort(b)
	if errA != nil || errB != nil || portA != portB || portA == "0" {
		return false
	}
	return hostA == hostB || covers(hostA, hostB) || covers(hostB, hostA)
}

// covers reports whether host is an address of the wildcard: "" and :: cover both families,
// 0.0.0.0 covers IPv4.
func covers(wildcard, host string) bool {
	if wildcard == "" || wildcard == "::" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return wildcard == "0.0.0.0" && (err != nil || ip.Is4())
}

// ParseProxy reads one entry of trusted_proxies, an address or a CIDR block.
func ParseProxy(text string) (netip.Prefix, error) {
	if addr, err := netip.ParseAddr(text); err == nil && addr.Zone() == "" {
		return netip.PrefixFrom(addr, addr.BitLen()), nil
	}
	return netip.ParsePrefix(text)
}
