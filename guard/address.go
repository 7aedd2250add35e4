package guard

import (
	"fmt"
	"net/netip"
	"net/url"
	"strings"
)

// checkURL refuses a URL that is not the normal form of an issuer, or from which it is not
// safe to fetch keys.
func (c Config) checkURL(field, text string) error {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "" || u.User != nil || strings.ContainsAny(text, "?#") || strings.HasSuffix(text, "/"):
		return fmt.Errorf("%w: %s must be a URL without user, query, fragment and final slash", ErrConfig, field)
	case u.Scheme == "https":
		return nil
	case u.Scheme == "http" && isLoopback(u.Hostname()):
		return nil
	case u.Scheme == "http" && c.AllowPrivateHTTP && isPrivate(u.Hostname()):
		return nil
	case u.Scheme == "http" && isPrivate(u.Hostname()):
		return fmt.Errorf("%w: %s must be https, or http on a loopback address; AllowPrivateHTTP allows this one", ErrConfig, field)
	default:
		return fmt.Errorf("%w: %s must be https, or http on a loopback address", ErrConfig, field)
	}
}

// isLoopback reports whether a host is this machine.
func isLoopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}

// privateDomains are the domains below which no name can be registered in the public DNS.
var privateDomains = [...]string{".localhost", ".local", ".internal", ".svc", ".cluster.local", ".home.arpa"}

// isPrivate reports whether a host is on a private network.
func isPrivate(host string) bool {
	if ip, err := netip.ParseAddr(host); err == nil {
		ip = ip.Unmap()
		return ip.IsLoopback() || ip.IsPrivate() || ip.IsLinkLocalUnicast()
	}
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if last := host[strings.LastIndexByte(host, '.')+1:]; strings.Trim(last, "0123456789") == "" || strings.HasPrefix(last, "0x") {
		return false // another way to write an address
	}
	if !strings.Contains(host, ".") {
		return !strings.Contains(host, ":")
	}
	for _, domain := range privateDomains {
		if strings.HasSuffix(host, domain) {
			return true
		}
	}
	return false
}
