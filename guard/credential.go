package guard

import (
	"fmt"
	"net/http"
	"strings"
)

// Credential returns the access token of a request: the bearer token of the Authorization
// header (RFC 6750 §2.1) or, if [Config].Cookie is set, the value of that cookie. The
// same token in both is one credential. The error wraps [ErrNoCredential]; [ErrCredential]
// if there are several, one is malformed, or one is in the URL, where it does not belong;
// [ErrCrossOrigin] if a browser may have been tricked into sending the cookie.
func (g *Guard) Credential(r *http.Request) (string, error) {
	token, err := bearer(r.Header["Authorization"])
	if err != nil {
		return "", err
	}
	if strings.Contains(r.URL.RawQuery, "access_token") && r.URL.Query().Has("access_token") {
		return "", fmt.Errorf("%w: not in the URL", ErrCredential)
	}
	if g.config.Cookie == "" {
		if token == "" {
			return "", ErrNoCredential
		}
		return token, nil
	}
	return g.withCookie(r, token)
}

// withCookie takes the cookie into account beside the bearer token, if there is one.
func (g *Guard) withCookie(r *http.Request, token string) (string, error) {
	explicit := token != ""
	for _, cookie := range r.CookiesNamed(g.config.Cookie) {
		switch {
		case cookie.Value == "" || cookie.Value == token:
		case token != "":
			return "", fmt.Errorf("%w: the cookie differs from the other one", ErrCredential)
		default:
			token = cookie.Value
		}
	}
	if token == "" {
		return "", ErrNoCredential
	}
	if !explicit {
		if err := g.origins.check(r); err != nil {
			return "", err
		}
	}
	return token, nil
}

// bearer reads the Authorization headers, of which there may be one. No header is no
// token.
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

// origins refuses requests that a page of another origin makes with a cookie.
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

// check lets a request through that changes nothing, or that a browser vouches for. A
// client that is no browser, and says nothing of where it comes from, sends a bearer token.
func (o *origins) check(r *http.Request) error {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions:
		return nil
	}
	if r.Header.Get("Sec-Fetch-Site") == "" && r.Header.Get("Origin") == "" {
		return fmt.Errorf("%w: it says nothing of where it comes from", ErrCrossOrigin)
	}
	if err := o.protection.Check(r); err != nil {
		return fmt.Errorf("%w: %w", ErrCrossOrigin, err)
	}
	return nil
}
