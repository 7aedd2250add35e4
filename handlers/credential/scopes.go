package credential

import (
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"issuer.example/handlers/exchange"
)

// scope is where a browser keeps a cookie. Cookies of one name in different scopes stand side by side.
type scope struct {
	domain string // "" is the issuer's host alone
	path   string
}

// scopes are those in which a browser may send cookies of our names.
type scopes struct {
	own scope
	// others may hold a cookie from an earlier value of cookies.domain.
	others []scope
	// parents are the domains above the issuer's host, whose other hosts may plant a cookie.
	parents []string
	base    string // the path of the issuer's URL, which a proxy may have stripped from a request
	plain   bool   // the issuer is reached by plain http
}

func newScopes(issuer, domain string) scopes {
	s := scopes{own: scope{domain, "/"}, base: exchange.BasePath(issuer)}
	u, err := url.Parse(issuer)
	if err != nil {
		return s
	}
	s.plain = u.Scheme == "http"
	domains := domainsOf(strings.ToLower(u.Hostname()))
	if len(domains) > 1 {
		s.parents = domains[1:]
	}
	for _, d := range append([]string{""}, domains...) {
		if d != domain {
			s.others = append(s.others, scope{d, "/"})
		}
	}
	return s
}

// domainsOf returns a host and the domains above it, nearest first, except for the top-level domain. An
// address or a name of one label has none: browsers keep its cookies for the host alone.
func domainsOf(host string) []string {
	if _, err := netip.ParseAddr(host); err == nil {
		return nil
	}
	var domains []string
	for strings.Contains(strings.Trim(host, "."), ".") {
		domains = append(domains, host)
		_, host, _ = strings.Cut(host, ".")
	}
	return domains
}

// planted returns the scopes in which another host below a parent domain may have put a cookie that this
// request carries. Cookies of the issuer's host alone, and those that the configuration asks for, are not
// among them.
func (s scopes) planted(r *http.Request) []scope {
	var all []scope
	for _, path := range append([]string{"/"}, pathPrefixes(s.base+r.URL.EscapedPath())...) {
		for _, domain := range s.parents {
			if sc := (scope{domain, path}); sc != s.own {
				all = append(all, sc)
			}
		}
	}
	return all
}

// elsewhere returns every scope, except for the configured one, in which a cookie that this request carries
// may be.
func (s scopes) elsewhere(r *http.Request) []scope {
	all := slices.Clone(s.others)
	for _, sc := range s.planted(r) {
		if !slices.Contains(all, sc) {
			all = append(all, sc)
		}
	}
	return all
}

// pathPrefixes returns the cookie paths, longer than "/", that a request path matches (RFC 6265 §5.1.4).
func pathPrefixes(path string) []string {
	var prefixes []string
	if strings.ContainsFunc(path, func(r rune) bool { return r <= ' ' || r >= 0x7f || r == ';' }) {
		return nil
	}
	for i := 1; i < len(path); i++ {
		if path[i] == '/' {
			prefixes = append(prefixes, path[:i], path[:i+1])
		}
	}
	if len(path) > 1 && !slices.Contains(prefixes, path) {
		prefixes = append(prefixes, path)
	}
	return prefixes
}

// expireIn removes a cookie from further scopes, as far as the headers of the answer have room for it. The
// removals come before every other cookie of the answer: some clients do not tell a cookie of a host from
// one of the domain of that name, and would remove what the answer has just set.
func (j *Jar) expireIn(x *exchange.Exchange, name string, in []scope) {
	if len(in) == 0 {
		return
	}
	x.BeforeAnswer(func() {
		h := x.Header()
		for _, s := range in {
			line := j.cookie(name, "", -1, s).String()
			if !x.HeaderFits(setCookie, line) {
				return
			}
			if !slices.Contains(h[setCookie], line) {
				h[setCookie] = slices.Insert(h[setCookie], 0, line)
			}
		}
	})
}

// clearPlanted removes the cookies that a page of a sibling subdomain may have planted, and nothing that
// the issuer has set in the configured scope or for its host alone. The answer may not have room for all of
// it: names of which the request has most cookies come first.
func (j *Jar) clearPlanted(x *exchange.Exchange) {
	names := []string{j.refresh, j.access, j.cache}
	slices.SortStableFunc(names, func(a, b string) int {
		return len(x.Request().CookiesNamed(b)) - len(x.Request().CookiesNamed(a))
	})
	for _, name := range names {
		if len(cookieValues(x, name)) > 0 {
			j.expireIn(x, name, j.scopes.planted(x.Request()))
		}
	}
}
