package credential

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"issuer.example/handlers/exchange"
	"issuer.example/handlers/origin"
)

// The causes of a refusal of [Origins.RequireTrusted].
var (
	// ErrNoOrigin means that a request does not say which page it comes from.
	ErrNoOrigin = errors.New("credential: the request has no origin")
	// ErrForeignOrigin means that a request comes from a page whose origin is not trusted.
	ErrForeignOrigin = errors.New("credential: the origin of the request is not trusted")
)

// Origins decides which pages may call with credentials: those of the trusted origins, which are the
// issuer's own and the allowed ones.
type Origins struct {
	own     string
	allowed *origin.List // besides the issuer's own
	check   *http.CrossOriginProtection
}

func newOrigins(issuer string, allowed []string) (*Origins, error) {
	own, err := origin.Of(issuer)
	if err != nil {
		return nil, errors.New("the issuer is not a URL")
	}
	list, err := origin.NewList(allowed)
	if err != nil {
		return nil, fmt.Errorf("allowed origins: %w", err)
	}
	return &Origins{own: own, allowed: list, check: http.NewCrossOriginProtection()}, nil
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
	if len(r.Header.Values("Origin")) > 1 || len(r.Header.Values("Sec-Fetch-Site")) > 1 {
		return forbidden("The request has more than one origin.", nil)
	}
	from, site := r.Header.Get("Origin"), r.Header.Get("Sec-Fetch-Site")
	if from == "" && site == "" { // an empty header counts as none
		return forbidden("A change by cookie needs an Origin or Sec-Fetch-Site header, as browsers send them.", nil)
	}
	// The issuer's own origin is compared too, because a proxy may have changed Host.
	if o.Trusts(from) {
		return nil
	}
	// Without Sec-Fetch-Site, net/http compares the host of Origin with Host, whatever the scheme.
	if site == "" && !strings.HasPrefix(from, "https://") && !strings.HasPrefix(from, "http://") || o.check.Check(r) != nil {
		return forbidden("The request comes from a page of another origin.", nil)
	}
	return nil
}

func forbidden(detail string, cause error) error {
	return &exchange.Refusal{Code: exchange.CodeForbidden, Detail: detail, Err: cause}
}

// Trusts reports whether pages of that origin, as it is in an Origin header, may call with
// credentials.
func (o *Origins) Trusts(from string) bool { return from == o.own || o.allowed.Contains(from) }

// TrustsLink reports whether a link leads to exactly a trusted origin, so that it can be shown to
// people who trust the issuer.
func (o *Origins) TrustsLink(link string) bool {
	u, err := url.Parse(link)
	return err == nil && u.User == nil && u.Opaque == "" && o.Trusts(u.Scheme+"://"+u.Host)
}

// RequireTrusted refuses a request unless its origins are exactly one trusted one.
func (o *Origins) RequireTrusted(given []string) error {
	switch {
	case len(given) == 0 || len(given) == 1 && (given[0] == "" || given[0] == "null"):
		return UntrustedOrigin(ErrNoOrigin)
	case len(given) > 1 || !o.Trusts(given[0]):
		return UntrustedOrigin(ErrForeignOrigin)
	}
	return nil
}

// UntrustedOrigin refuses a request because of the page that it comes from.
func UntrustedOrigin(cause error) error {
	return forbidden("The request does not come from a page of a trusted origin.", cause)
}
