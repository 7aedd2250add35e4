package credential

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"

	"issuer.example/handlers/exchange"
)

// The causes of a refusal of [Origins.RequireTrusted].
var (
	// ErrNoOrigin means that a request does not say which page it comes from.
	ErrNoOrigin = errors.New("credential: the request has no origin")
	// ErrForeignOrigin means that a request comes from a page whose origin is not trusted.
	ErrForeignOrigin = errors.New("credential: the origin of the request is not trusted")
)

// appScheme is the origin of an app that has no host, such as myapp://.
var appScheme = regexp.MustCompile(`^[a-z][a-z0-9+.-]*://$`)

// Origins decides which pages may call with credentials: those of the trusted origins, which are the
// issuer's own and the allowed ones.
type Origins struct {
	allowed map[string]bool // besides the issuer's own
	trusted map[string]bool
	check   *http.CrossOriginProtection
}

func newOrigins(issuer string, allowed []string) (*Origins, error) {
	o := &Origins{allowed: make(map[string]bool), trusted: make(map[string]bool), check: http.NewCrossOriginProtection()}
	u, err := url.Parse(issuer)
	if err != nil {
		return nil, errors.New("the issuer is not a URL")
	}
	// The issuer's own origin is listed, because a proxy may have changed Host.
	for _, origin := range append([]string{u.Scheme + "://" + u.Host}, allowed...) {
		// An app's origin may have no host; no browser sends one like that.
		if err := o.check.AddTrustedOrigin(origin); err != nil && !appScheme.MatchString(origin) {
			return nil, fmt.Errorf("allowed origins: %w", err)
		}
		o.trusted[origin] = true
	}
	for _, origin := range allowed {
		o.allowed[origin] = true
	}
	return o, nil
}

// CheckChange refuses a change that another site's page may have sent from the browser of a user
// (CSRF). It is for requests that a cookie authenticates: a foreign page can neither set the
// Authorization header nor know a token for the body.
func (o *Origins) CheckChange(x *exchange.Exchange) error {
	r := x.Request()
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions:
		return nil
	}
	origin, site := r.Header.Values("Origin"), r.Header.Values("Sec-Fetch-Site")
	if len(origin) > 1 || len(site) > 1 {
		return forbidden("The request has more than one origin.", nil)
	}
	if r.Header.Get("Origin") == "" && r.Header.Get("Sec-Fetch-Site") == "" { // an empty header counts as none
		return forbidden("A change by cookie needs an Origin or Sec-Fetch-Site header, as browsers send them.", nil)
	}
	if err := o.check.Check(r); err != nil {
		return forbidden("The request comes from a page of another origin.", nil)
	}
	return nil
}

func forbidden(detail string, cause error) error {
	return &exchange.Refusal{Code: exchange.CodeForbidden, Detail: detail, Err: cause}
}

// Trusts reports whether pages of that origin may call with credentials.
func (o *Origins) Trusts(origin string) bool { return o.trusted[origin] }

// TrustsLink reports whether a link leads to exactly a trusted origin, so that it can be shown to
// people who trust the issuer.
func (o *Origins) TrustsLink(link string) bool {
	u, err := url.Parse(link)
	return err == nil && u.User == nil && u.Opaque == "" && o.trusted[u.Scheme+"://"+u.Host]
}

// RequireTrusted refuses a request unless its origins are exactly one trusted one.
func (o *Origins) RequireTrusted(given []string) error {
	switch {
	case len(given) == 0 || len(given) == 1 && (given[0] == "" || given[0] == "null"):
		return UntrustedOrigin(ErrNoOrigin)
	case len(given) > 1 || !o.trusted[given[0]]:
		return UntrustedOrigin(ErrForeignOrigin)
	}
	return nil
}

// UntrustedOrigin refuses a request because of the page that it comes from.
func UntrustedOrigin(cause error) error {
	return forbidden("The request does not come from a page of a trusted origin.", cause)
}

// Share says in CORS headers which pages may read the answer. It reports whether the request is a
// preflight, which is answered by that.
func (o *Origins) Share(x *exchange.Exchange) (preflight bool) {
	r, h := x.Request(), x.Header()
	preflight = r.Method == http.MethodOptions && r.Header.Get("Access-Control-Request-Method") != ""
	if x.Open() {
		h.Set("Access-Control-Allow-Origin", "*")
		return false
	}
	h.Set("Vary", "Origin")
	origin := r.Header.Values("Origin")
	if len(origin) != 1 || !o.allowed[origin[0]] {
		return preflight
	}
	h.Set("Access-Control-Allow-Origin", origin[0])
	h.Set("Access-Control-Allow-Credentials", "true")
	h.Set("Access-Control-Expose-Headers", "X-Request-Id, Retry-After, X-Retry-After, WWW-Authenticate, Set-Auth-Jwt, Set-Auth-Token")
	if preflight {
		h.Set("Access-Control-Allow-Methods", "GET, POST, DELETE")
		h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type")
		h.Set("Access-Control-Max-Age", "600")
	}
	return preflight
}
