package credential

import (
	"net/http"
	"slices"
	"strings"

	"issuer.example/handlers/exchange"
)

// maxAskedHeaders bounds Access-Control-Request-Headers, in bytes, so that the answer fits into the
// buffers of proxies.
const maxAskedHeaders = 1024

// Share says in CORS headers which pages may read the answer. It reports whether the request is a
// preflight, which is answered by that.
func (o *Origins) Share(x *exchange.Exchange) (preflight bool) {
	r, h := x.Request(), x.Header()
	preflight = r.Method == http.MethodOptions && r.Header.Get("Access-Control-Request-Method") != ""
	h.Set("Vary", "Origin")
	from := r.Header.Values("Origin")
	switch {
	case len(from) == 1 && o.allowed.Contains(from[0]):
		h.Set("Access-Control-Allow-Origin", from[0])
		h.Set("Access-Control-Allow-Credentials", "true")
		h.Set("Access-Control-Expose-Headers", "X-Request-Id, Retry-After, X-Retry-After, WWW-Authenticate, Set-Auth-Jwt, Set-Auth-Token")
	case x.Open():
		h.Set("Access-Control-Allow-Origin", "*")
	default:
		return preflight
	}
	if preflight {
		// Some CDNs keep the answers to OPTIONS.
		h.Add("Vary", "Access-Control-Request-Headers")
		h.Set("Access-Control-Allow-Methods", "GET, POST, DELETE")
		h.Set("Access-Control-Allow-Headers", allowedHeaders(r.Header.Values("Access-Control-Request-Headers")))
		h.Set("Access-Control-Max-Age", "600")
	}
	return preflight
}

// allowedHeaders returns which of the headers that a preflight asks for a page may send: all that are
// not forbidden. Libraries for tracing and the like add headers of their own to the requests of a
// page, and none of them has a meaning here. Of a list that is not well-formed it allows nothing more
// than what the issuer reads.
func allowedHeaders(asked []string) string {
	const read = "Authorization, Content-Type"
	text := strings.Join(asked, ",")
	if len(text) > maxAskedHeaders {
		return read
	}
	var allowed []string
	for name := range strings.SplitSeq(text, ",") {
		name = strings.Trim(name, " \t")
		if name == "" || isForbiddenHeader(strings.ToLower(name)) {
			continue
		}
		if !isToken(name) {
			return read
		}
		allowed = append(allowed, name)
	}
	if len(allowed) == 0 {
		return read
	}
	return strings.Join(allowed, ", ")
}

// isForbiddenHeader reports whether no page can set a request header (Fetch, "forbidden
// request-header"), so that no browser asks for it. The name is in lower case.
func isForbiddenHeader(name string) bool {
	return strings.HasPrefix(name, "proxy-") || strings.HasPrefix(name, "sec-") ||
		strings.HasPrefix(name, "access-control-") || slices.Contains([]string{
		"accept-charset", "accept-encoding", "connection", "content-length", "cookie", "cookie2", "date", "dnt", "expect", "host",
		"keep-alive", "origin", "referer", "set-cookie", "te", "trailer", "transfer-encoding", "upgrade", "via",
	}, name)
}

// isToken reports whether a text is the name of a header (RFC 9110 §5.6.2).
func isToken(name string) bool {
	return exchange.IsPlain(name, maxAskedHeaders, "!#$%&'*+.^`|~")
}
