package guard

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"issuer.example/jwt"
)

const (
	introspectTimeout = 3 * time.Second
	maxIntrospections = 64       // at the same time, to spare an issuer in trouble
	maxIntrospection  = 64 << 10 // bytes of an answer
)

// introspector asks the issuer about single tokens (RFC 7662).
type introspector struct {
	client    *client
	discovery *discovery
	slots     chan struct{} // holds a value for each request in flight
}

func newIntrospector(c *client, d *discovery) *introspector {
	return &introspector{client: c, discovery: d, slots: make(chan struct{}, maxIntrospections)}
}

// ask returns nil if the issuer says that the token is active, [ErrRevoked] if it says that
// the token is not, and [ErrStale] if there is no usable answer.
func (i *introspector) ask(ctx context.Context, token string, v *verified) error {
	ctx, cancel := context.WithTimeout(ctx, introspectTimeout)
	defer cancel()
	select {
	case i.slots <- struct{}{}:
		defer func() { <-i.slots }()
	case <-ctx.Done():
		return fmt.Errorf("%w: too many introspections at the same time", ErrStale)
	}
	urls, err := i.discovery.endpoints(ctx)
	if err != nil {
		return fmt.Errorf("%w: introspection: %w", ErrStale, err)
	}
	if urls.introspection == "" {
		return fmt.Errorf("%w: the issuer has no introspection endpoint", ErrStale)
	}
	res, err := i.client.fetch(ctx, request{
		method: http.MethodPost, url: urls.introspection, scope: scopeIntrospect, body: url.Values{"token": {token}}.Encode(),
		header: map[string]string{"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"},
	}, maxIntrospection)
	if err != nil {
		return fmt.Errorf("%w: introspection: %w", ErrStale, err)
	}
	return checkIntrospection(res.body, &v.claims)
}

func checkIntrospection(body []byte, claims *jwt.Claims) error {
	if err := jwt.CheckJSON(body, 16); err != nil {
		return fmt.Errorf("%w: introspection: %w", ErrStale, err)
	}
	var answer struct {
		Active  *bool  `json:"active"`
		SID     string `json:"sid"`
		Subject string `json:"sub"`
	}
	switch err := json.Unmarshal(body, &answer); {
	case err != nil || answer.Active == nil:
		return fmt.Errorf("%w: introspection: the answer does not say whether the token is active", ErrStale)
	case !*answer.Active:
		return ErrRevoked
	case answer.SID != claims.SessionID || answer.Subject != claims.Subject:
		return fmt.Errorf("%w: introspection: the answer is about another session or user", ErrStale)
	}
	return nil
}
