package config

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"issuer.example/secret"
)

// checkAddresses checks where the issuer is found and where it listens.
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

// issuerProblem says why a URL can't be the issuer; "" when it can.
func issuerProblem(issuer string) string {
	u, err := url.Parse(issuer)
	switch {
	case err != nil || u.Host == "" || u.Opaque != "" || !plain(issuer):
		return "must be a URL such as https://login.example.com"
	case u.User != nil:
		return "must not hold a user name or password"
	case u.RawQuery != "" || u.ForceQuery || strings.Contains(issuer, "#"):
		return "must not have a query or a fragment"
	case strings.HasSuffix(issuer, "/"):
		return `must not end in "/": every published URL is this text and a path`
	case u.Scheme == "http" && !loopback(u.Hostname()):
		return "must begin with https://; plain http is only for localhost"
	case u.Scheme != "https" && u.Scheme != "http":
		return "must begin with https://"
	case defaultPort(u):
		return "must leave out the port " + u.Port() + ", as browsers do in the origin of its pages"
	}
	return ""
}

// defaultPort tells whether a URL names the port that its scheme has anyhow. Browsers leave
// it out of an Origin, and origins are compared to the letter.
func defaultPort(u *url.URL) bool {
	return u.Scheme == "https" && u.Port() == "443" || u.Scheme == "http" && u.Port() == "80"
}

// loopback tells whether a host is this machine, whatever DNS says.
func loopback(host string) bool {
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}

func (v checker) checkListen(key, address string) {
	host, port, err := net.SplitHostPort(address)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if err != nil || strings.ContainsAny(host, " /") {
		v.fault(key, "must be an address and a port, such as 127.0.0.1:8080 or :8080")
	}
}

// collide tells whether two listeners cannot both have their address: it is the same, or one
// is every address of the machine, with the other's port.
func collide(a, b string) bool {
	hostA, portA, errA := net.SplitHostPort(a)
	hostB, portB, errB := net.SplitHostPort(b)
	if errA != nil || errB != nil || portA != portB || portA == "0" {
		return false
	}
	return hostA == hostB || covers(hostA, hostB) || covers(hostB, hostA)
}

// covers tells whether a wildcard takes the address of another host: "" and :: take those of
// both families, 0.0.0.0 only IPv4's.
func covers(wildcard, host string) bool {
	if wildcard == "" || wildcard == "::" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return wildcard == "0.0.0.0" && (err != nil || ip.Is4())
}

// ParseProxy reads one entry of trusted_proxies: an address is a block of one.
func ParseProxy(text string) (netip.Prefix, error) {
	if addr, err := netip.ParseAddr(text); err == nil && addr.Zone() == "" {
		return netip.PrefixFrom(addr, addr.BitLen()), nil
	}
	return netip.ParsePrefix(text)
}

func (v checker) checkStore() {
	v.between("store.facts_keep", v.Store.FactsKeep, 0, year)
	switch v.Store.Driver {
	case "bolt":
		if v.Store.DSN != "" {
			v.fault("store.dsn", "is not used by the driver bolt; leave it empty")
		}
		v.checkPath("store.path", v.Store.Path)
	case "postgres":
		v.fault("store.driver", "this build has no postgres driver; use bolt")
	default:
		v.fault("store.driver", "must be bolt")
	}
}

// checkSecrets checks the paths of the key-encryption secrets and, where they have to
// be there, the files.
func (v checker) checkSecrets(prepared bool) {
	const most = 16
	if len(v.Secrets) == 0 || len(v.Secrets) > most {
		v.fault("secrets", "must name 1 to %d files", most)
	}
	v.unique("secrets", v.Secrets)
	for i, path := range v.Secrets {
		key := fmt.Sprintf("secrets[%d]", i)
		v.checkPath(key, path)
		if !prepared || v.broken(key) {
			continue
		}
		switch _, err := secret.Load(path); {
		case errors.Is(err, fs.ErrNotExist):
			v.fault(key, "there is no file %s; `issuer secret new %s` makes one", path, path)
		case err != nil:
			v.fault(key, "%v", err)
		}
	}
}

// checkPath refuses a path that climbs: what it names would depend on where the
// program was started in a way that nobody sees.
func (v checker) checkPath(key, path string) {
	switch {
	case path == "" || strings.ContainsRune(path, 0):
		v.fault(key, "must name a file")
	case slices.Contains(strings.Split(filepath.ToSlash(path), "/"), ".."):
		v.fault(key, `must not hold "..": give the path from the root or from the working directory`)
	}
}
