package guard

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"

	"issuer.example/jwt"
)

const maxMetadata = 64 << 10

// endpoints are the URLs of the issuer that a guard requests.
type endpoints struct {
	jwks, snapshot, stream, applied string
	introspection                   string // empty if the issuer has none
}

// discover reads the issuer's metadata (OpenID Connect Discovery 1.0 §4). All endpoints
// must be of the issuer's own origin, because they receive the service key.
func discover(ctx context.Context, c *client, issuer string) (endpoints, error) {
	res, err := c.fetch(ctx, request{
		url:    issuer + "/.well-known/openid-configuration",
		header: map[string]string{"Accept": "application/json"},
	}, maxMetadata)
	if err != nil {
		return endpoints{}, fmt.Errorf("reading the issuer's metadata: %w", err)
	}
	return parseMetadata(res.body, issuer)
}

func parseMetadata(body []byte, issuer string) (endpoints, error) {
	if err := jwt.CheckJSON(body, 16); err != nil {
		return endpoints{}, fmt.Errorf("%w: %w", ErrDiscovery, err)
	}
	var members map[string]json.RawMessage
	if json.Unmarshal(body, &members) != nil {
		return endpoints{}, fmt.Errorf("%w: not an object", ErrDiscovery)
	}
	text := func(name string) (s string) {
		if json.Unmarshal(members[name], &s) != nil {
			return ""
		}
		return s
	}
	if text("issuer") != issuer {
		return endpoints{}, fmt.Errorf("%w: it is for another issuer", ErrDiscovery)
	}
	var e endpoints
	for _, member := range [...]struct {
		name     string
		endpoint *string
		optional bool
	}{
		{"jwks_uri", &e.jwks, false},
		{"revocations_endpoint", &e.snapshot, false},
		{"revocations_stream_endpoint", &e.stream, false},
		{"introspection_endpoint", &e.introspection, true},
	} {
		*member.endpoint = text(member.name)
		if member.optional && *member.endpoint == "" {
			continue
		}
		if !sameOrigin(issuer, *member.endpoint) {
			return endpoints{}, fmt.Errorf("%w: %s is missing or not of the issuer's origin", ErrDiscovery, member.name)
		}
	}
	e.applied = e.snapshot + "/applied"
	return e, nil
}

func sameOrigin(issuer, endpoint string) bool {
	a, err := url.Parse(issuer)
	if err != nil {
		return false
	}
	b, err := url.Parse(endpoint)
	return err == nil && b.User == nil && b.Fragment == "" && a.Scheme == b.Scheme && a.Host == b.Host
}
