package handlers

import (
	"fmt"
	"net/http"
	"net/url"

	"github.com/labstack/echo/v4"
)

// origins decides which pages may call with credentials.
type origins struct {
	allowed map[string]bool // by other origins than the issuer's own
	trusted map[string]bool // allowed, and the issuer's own
	check   *http.CrossOriginProtection
}

func newOrigins(issuer string, allowed []string) (*origins, error) {
	o := &origins{allowed: make(map[string]bool), trusted: make(map[string]bool), check: http.NewCrossOriginProtection()}
	u, err := url.Parse(issuer)
	if err != nil {
		return nil, fmt.Errorf("%w: the issuer is not a URL", ErrConfig)
	}
	// A proxy may have changed Host, so the issuer's own origin is named.
	for _, origin := range append([]string{u.Scheme + "://" + u.Host}, allowed...) {
		if err := o.check.AddTrustedOrigin(origin); err != nil {
			return nil, fmt.Errorf("%w: allowed origins: %w", ErrConfig, err)
		}
		o.trusted[origin] = true
	}
	for _, origin := range allowed {
		o.allowed[origin] = true
	}
	return o, nil
}

// verify refuses a change that a browser was talked into by another site's page. It is
// asked for requests that a cookie authenticates: a header or a body no foreign page
// can make up.
func (o *origins) verify(x *exchange) error {
	r := x.Request()
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions:
		return nil
	}
	origin, site := r.Header.Values(echo.HeaderOrigin), r.Header.Values("Sec-Fetch-Site")
	if len(origin) > 1 || len(site) > 1 {
		return &refusal{code: codeForbidden, detail: "The request has more than one origin."}
	}
	if r.Header.Get(echo.HeaderOrigin) == "" && r.Header.Get("Sec-Fetch-Site") == "" { // an empty one says nothing
		return &refusal{code: codeForbidden, detail: "A change by cookie needs an Origin or Sec-Fetch-Site header, as browsers send them."}
	}
	if err := o.check.Check(r); err != nil {
		return &refusal{code: codeForbidden, detail: "The request comes from a page of another origin."}
	}
	return nil
}

// share says with CORS headers who may read the answer. It reports whether the request
// was a preflight, whose answer that already is.
func (o *origins) share(x *exchange) (preflight bool) {
	r, h := x.Request(), x.header()
	preflight = r.Method == http.MethodOptions && r.Header.Get(echo.HeaderAccessControlRequestMethod) != ""
	if x.route != nil && x.route.open {
		h.Set(echo.HeaderAccessControlAllowOrigin, "*")
		return false
	}
	h.Set(echo.HeaderVary, echo.HeaderOrigin)
	origin := r.Header.Values(echo.HeaderOrigin)
	if len(origin) != 1 || !o.allowed[origin[0]] {
		return preflight
	}
	h.Set(echo.HeaderAccessControlAllowOrigin, origin[0])
	h.Set(echo.HeaderAccessControlAllowCredentials, "true")
	h.Set(echo.HeaderAccessControlExposeHeaders, "X-Request-Id, Retry-After, X-Retry-After, WWW-Authenticate, Set-Auth-Jwt")
	if preflight {
		h.Set(echo.HeaderAccessControlAllowMethods, "GET, POST, DELETE")
		h.Set(echo.HeaderAccessControlAllowHeaders, "Authorization, Content-Type")
		h.Set(echo.HeaderAccessControlMaxAge, "600")
	}
	return preflight
}
