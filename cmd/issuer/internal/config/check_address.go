package config

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"path"
	"strconv"
	"strings"

	"issuer.example/handlers/origin"
)

// checkAddresses checks the URL of the issuer, its listeners and what they accept.
func (v checker) checkAddresses() {
	if problem := issuerProblem(v.Issuer); problem != "" {
		v.fault("issuer", "%s", problem)
	}
	v.checkHosts()
	v.checkListen("listen", v.Listen)
	v.checkListen("admin.listen", v.Admin.Listen)
	if collide(v.Listen, v.Admin.Listen) {
		v.fault("admin.listen", "must differ from listen: the admin API has an address of its own")
	}
	v.checkLimits()
	for i, proxy := range v.TrustedProxies {
		if _, err := ParseProxy(proxy); err != nil {
			v.fault(fmt.Sprintf("trusted_proxies[%d]", i), "must be an IP address or a CIDR block such as 10.0.0.0/8")
		}
	}
	v.oneOf("log.level", v.Log.Level, "debug", "info", "warn", "error")
}

// checkHosts checks the further names of the issuer.
func (v checker) checkHosts() {
	v.unique("hosts", v.Hosts)
	for i, name := range v.Hosts {
		if host, err := origin.Host(name); err != nil || host != name || strings.HasSuffix(name, ".") {
			v.fault(fmt.Sprintf("hosts[%d]", i), "must be a host name such as auth.internal.example.com, without scheme, port and *%s", nameAdvice(name))
		}
	}
}

// nameAdvice returns how browsers write a host name that is in another form, as the end of a
// message; "" if they do not know it either.
func nameAdvice(name string) string {
	name = strings.Trim(name, ".")
	if _, host, ok := strings.Cut(name, "://"); ok {
		name = host
	}
	if host, port, err := net.SplitHostPort(name); err == nil && port != "" {
		name = host
	}
	host, err := origin.Host(name)
	if err != nil {
		return ""
	}
	return ": " + host
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
	case u.Scheme == "http" && !isLoopback(strings.ToLower(u.Hostname())):
		return "must begin with https://; plain http is only for localhost"
	case u.Scheme != "https" && u.Scheme != "http":
		return "must begin with https://"
	case u.Path != "" && (path.Clean(u.Path) != u.Path || u.EscapedPath() != u.Path):
		return "must have a path without empty segments, dots and escapes, such as https://example.com/auth"
	case hasDefaultPort(u):
		return "must leave out the port " + u.Port() + ", as browsers do in the origin of its pages"
	}
	return formProblem(issuer, u)
}

// formProblem returns how browsers write the origin of the issuer, if that is another text. The
// issuer is compared byte by byte, by verifiers and with the Origin of its own pages.
func formProblem(issuer string, u *url.URL) string {
	switch own, err := origin.Of(issuer); {
	case err != nil:
		return "must have a host that browsers accept, such as https://login.example.com"
	case issuer != own+u.Path:
		return "must be written as browsers send it: " + own + u.Path
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

// ParseProxy reads one entry of trusted_proxies, an address or a CIDR block. One of IPv4 addresses
// that are written as IPv6 (::ffff:10.0.0.1) is the block of those IPv4 addresses.
func ParseProxy(text string) (netip.Prefix, error) {
	addr, err := netip.ParseAddr(text)
	if err == nil && addr.Zone() == "" {
		addr = addr.Unmap()
		return netip.PrefixFrom(addr, addr.BitLen()), nil
	}
	prefix, err := netip.ParsePrefix(text)
	if mapped := 128 - 32; err == nil && prefix.Addr().Is4In6() && prefix.Bits() >= mapped {
		return netip.PrefixFrom(prefix.Addr().Unmap(), prefix.Bits()-mapped), nil
	}
	return prefix, err
}
