package guard

import (
	"fmt"
	"net/http"
	"strings"
)

// Credential returns the access token of a request: the bearer token of the Authorization
// header (RFC 6750 §2.1) or, if [Config].Cookie is set, the value of that cookie. The same
// token in both is one credential. The error wraps [ErrNoCredential] if there is none;
// [ErrCredential] if there are several, one is malformed or one is in the URL;
// [ErrCrossOrigin] if a page of another origin may have made the browser send the cookie.
func (g *Guard) Credential(r *http.Request) (string, error) {
	token, err := bearer(r.Header["Authorization"])
	if err != nil {
		return "", err
	}
	if strings.Contains(r.URL.RawQuery, "access_token") && r.URL.Query().Has("access_token") {
		return "", fmt.Errorf("%w: the URL must not contain it", ErrCredential)
	}
	if g.config.Cookie == "" {
		if token == "" {
			return "", ErrNoCredential
		}
		return token, nil
	}
	return g.withCookie(r, token)
}

// withCookie returns the token of the cookie or the bearer token, which may be empty.
func (g *Guard) withCookie(r *http.Request, token string) (string, error) {
	hasBearer := token != ""
	for _, cookie := range r.CookiesNamed(g.config.Cookie) {
		switch {
		case cookie.Value == "" || cookie.Value == token:
		case token != "":
			return "", fmt.Errorf("%w: the cookie differs from another one, or from the bearer token", ErrCredential)
		default:
			token = cookie.Value
		}
	}
	if token == "" {
		return "", ErrNoCredential
	}
	if !hasBearer {
		if err := g.origins.check(r); err != nil {
			return "", err
		}
	}
	return token, nil
}

// bearer returns the bearer token of the Authorization header, empty if there is no header.
func bearer(headers []string) (string, error) {
	if len(headers) == 0 {
		return "", nil
	}
	if len(headers) > 1 {
		return "", fmt.Errorf("%w: there are %d Authorization headers", ErrCredential, len(headers))
	}
	scheme, token, _ := strings.Cut(headers[0], " ")
	if strings.ContainsAny(headers[0], "\t,") || strings.Contains(token, " ") {
		return "", fmt.Errorf("%w: the Authorization header holds more than a scheme and a token", ErrCredential)
	}
	if !strings.EqualFold(scheme, "Bearer") {
		return "", fmt.Errorf("%w: the scheme is not Bearer", ErrNoCredential)
	}
	if token == "" {
		return "", fmt.Errorf("%w: the Authorization header has no token", ErrCredential)
	}
	return token, nil
}

// origins refuses requests with a cookie that come from a page of another origin.
type origins struct{ protection *http.CrossOriginProtection }

func newOrigins(trusted []string) (*origins, error) {
	o := &origins{protection: http.NewCrossOriginProtection()}
	for _, origin := range trusted {
		if err := o.protection.AddTrustedOrigin(origin); err != nil {
			return nil, fmt.Errorf("%w: TrustedOrigins: %w", ErrConfig, err)
		}
	}
	return o, nil
}

// check accepts a request if its method is safe, or if the browser says that it comes from
// the service's own or a trusted origin. A client that does not name its origin is not a
// browser, and must send a bearer token.
func (o *origins) check(r *http.Request) error {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions:
		return nil
	}
	if r.Header.Get("Sec-Fetch-Site") == "" && r.Header.Get("Origin") == "" {
		return fmt.Errorf("%w: it does not name its origin; send a bearer token", ErrCrossOrigin)
	}
	if err := o.protection.Check(r); err != nil {
		return fmt.Errorf("%w: %w", ErrCrossOrigin, err)
	}
	return nil
}
