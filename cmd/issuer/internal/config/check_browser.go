package config

import (
	"fmt"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	"issuer.example/handlers/origin"
)

var (
	cookiePrefix = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)
	domainName   = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)
)

func (v checker) checkCookies() {
	c := v.Cookies
	if !cookiePrefix.MatchString(c.Prefix) {
		v.fault("cookies.prefix", "must be 1 to 64 letters, digits, dots, dashes or underscores; __Secure- and __Host- are put before it by cookies.secure")
	}
	v.oneOf("cookies.secure", c.Secure, "auto", "always", "never", "host")
	v.oneOf("cookies.same_site", c.SameSite, "lax", "strict", "none")
	v.between("cookies.cache_max_age", c.CacheMaxAge, 0, 24*time.Hour)
	v.checkCookieDomain()
	if v.broken("issuer", "cookies.secure") {
		return
	}
	https := strings.HasPrefix(v.Issuer, "https://")
	if c.Secure == "never" && https {
		v.fault("cookies.secure", "never is for plain http; the issuer is https")
	}
	if c.SameSite == "none" && !v.CookiesSecure() {
		v.fault("cookies.same_site", "none needs Secure cookies: browsers drop the cookie otherwise")
	}
}

// CookiesSecure reports whether cookies have the attribute Secure. "auto" follows the issuer.
func (c *Config) CookiesSecure() bool {
	if c.Cookies.Secure == "auto" {
		return strings.HasPrefix(c.Issuer, "https://")
	}
	return c.Cookies.Secure != "never"
}

func (v checker) checkCookieDomain() {
	domain := v.Cookies.Domain
	if domain == "" {
		return
	}
	if v.Cookies.Secure == "host" {
		v.fault("cookies.domain", "must be empty with cookies.secure: host: a __Host- cookie has no domain")
	}
	if !domainName.MatchString(domain) {
		v.fault("cookies.domain", "must be a domain name such as example.com%s", nameAdvice(domain))
	}
	if v.broken("issuer", "cookies.domain") {
		return
	}
	u, err := url.Parse(v.Issuer)
	if err == nil && u.Hostname() != domain && !strings.HasSuffix(u.Hostname(), "."+domain) {
		v.fault("cookies.domain", "must be the issuer's host (%s) or a domain above it: browsers drop the cookie otherwise", u.Hostname())
	}
}

func (v checker) checkBrowsers() {
	v.unique("cors.allowed_origins", v.CORS.AllowedOrigins)
	for i, entry := range v.CORS.AllowedOrigins {
		if err := origin.Check(entry); err != nil {
			v.fault(fmt.Sprintf("cors.allowed_origins[%d]", i), "%v", err)
		}
	}
	if base := v.BetterAuth.BasePath; !strings.HasPrefix(base, "/") || base == "/" || path.Clean(base) != base || !isPlain(base) || strings.ContainsAny(base, "?#:*% ") {
		v.fault("better_auth.base_path", "must be a path such as /api/auth, without a slash at its end")
	} else if first, _, _ := strings.Cut(base[1:], "/"); slices.Contains(reservedPaths(), first) {
		v.fault("better_auth.base_path", "/%s belongs to the issuer's own API", first)
	}
}

// reservedPaths lists the first segments of the public listener's other paths.
func reservedPaths() []string {
	return []string{"v1", "oauth", ".well-known", "healthz", "readyz", "openapi.yaml", "problems", "account"}
}
