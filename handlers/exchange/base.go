package exchange

import (
	"net/http"
	"net/url"
	"strings"
)

// BasePath returns the path of the issuer's URL, such as /auth, under which browsers find its pages;
// "" if it has none.
func BasePath(issuer string) string {
	u, err := url.Parse(issuer)
	if err != nil {
		return ""
	}
	return strings.TrimSuffix(u.Path, "/")
}

// base is the path of the issuer's URL. A proxy in front may strip it from the paths of requests, or
// pass it on: both are answered.
type base struct {
	path     string          // "" if there is none
	segments map[string]bool // the first segments of the routes
}

func newBase(issuer string, routes []Route) base {
	b := base{path: BasePath(issuer), segments: make(map[string]bool)}
	for _, r := range routes {
		b.segments[firstSegment(r.Path)] = true
	}
	return b
}

// strip returns the request with the path that routes have: without the issuer's path if a route can
// follow it, and with the path of a document in the place where RFC 8414 §3.1 puts it for an issuer
// with a path, /.well-known/oauth-authorization-server/auth.
func (b base) strip(r *http.Request) *http.Request {
	if b.path == "" {
		return r
	}
	for _, document := range []string{"/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"} {
		if r.URL.Path == document+b.path && r.URL.RawPath == "" {
			return withPath(r, document, "")
		}
	}
	path, ok := strings.CutPrefix(r.URL.Path, b.path)
	raw, rawOK := strings.CutPrefix(r.URL.RawPath, b.path)
	if !ok || !b.segments[firstSegment(path)] || !rawOK && r.URL.RawPath != "" {
		return r
	}
	return withPath(r, path, raw)
}

// withPath returns a copy of the request with another path.
func withPath(r *http.Request, path, raw string) *http.Request {
	copied, u := *r, *r.URL
	u.Path, u.RawPath = path, raw
	copied.URL = &u
	return &copied
}

// firstSegment returns "/v1" of "/v1/sessions", and "" of a path that does not begin with a slash.
func firstSegment(path string) string {
	rest, ok := strings.CutPrefix(path, "/")
	if !ok {
		return ""
	}
	segment, _, _ := strings.Cut(rest, "/")
	return "/" + segment
}
