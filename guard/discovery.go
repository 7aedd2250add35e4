package guard

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"issuer.example/jwt"
)

const (
	maxMetadata = 64 << 10
	// discoveryPause is how long after a failed discovery the next one begins at the
	// earliest.
	discoveryPause = time.Second / 2
)

// errNoMetadata means that the answer is not a metadata document, but the page of a proxy
// for example. It wraps [ErrDiscovery].
var errNoMetadata = fmt.Errorf("%w: not a metadata document", ErrDiscovery)

// endpoints are the URLs of the issuer that a guard requests.
type endpoints struct {
	jwks, feedKeys, snapshot, stream, applied string
	introspection                             string // empty if the issuer has none
}

// discovery reads the issuer's metadata when an endpoint is needed, until it has succeeded.
type discovery struct {
	client       *client
	issuer, base string // base is where the issuer is, without a final slash

	asking chan struct{} // semaphore: one request at a time; it guards the fields below
	known  *endpoints
	failed error // of the last attempt
	at     time.Time
}

func newDiscovery(c *client, config Config) *discovery {
	return &discovery{client: c, issuer: config.Issuer, base: config.base(), asking: make(chan struct{}, 1)}
}

// endpoints returns the endpoints. It makes a request if they are not known yet, but not
// directly after one that failed.
func (d *discovery) endpoints(ctx context.Context) (endpoints, error) {
	select {
	case d.asking <- struct{}{}:
		defer func() { <-d.asking }()
	case <-ctx.Done():
		return endpoints{}, ctx.Err()
	}
	if d.known != nil {
		return *d.known, nil
	}
	if d.failed != nil && time.Since(d.at) < discoveryPause {
		return endpoints{}, d.failed
	}
	found, err := d.discover(ctx)
	d.failed, d.at = err, time.Now()
	if err != nil {
		return endpoints{}, err
	}
	d.known = &found
	return found, nil
}

// discover reads the issuer's metadata (OpenID Connect Discovery 1.0 §4). All endpoints
// must be of the issuer's own origin, because they receive the service key.
func (d *discovery) discover(ctx context.Context) (endpoints, error) {
	res, err := d.client.fetch(ctx, request{
		url:    d.base + "/.well-known/openid-configuration",
		header: map[string]string{"Accept": "application/json"},
	}, maxMetadata)
	switch {
	case errors.Is(err, ErrTooLarge):
		return endpoints{}, fmt.Errorf("%w: %w", errNoMetadata, err)
	case err != nil:
		return endpoints{}, fmt.Errorf("reading the issuer's metadata: %w", err)
	}
	return d.parseMetadata(res.body)
}

func (d *discovery) parseMetadata(body []byte) (endpoints, error) {
	if err := jwt.CheckJSON(body, 16); err != nil {
		return endpoints{}, fmt.Errorf("%w: %w", errNoMetadata, err)
	}
	var members map[string]json.RawMessage
	if json.Unmarshal(body, &members) != nil {
		return endpoints{}, fmt.Errorf("%w: not an object", errNoMetadata)
	}
	text := func(name string) (s string) {
		if json.Unmarshal(members[name], &s) != nil {
			return ""
		}
		return s
	}
	switch text("issuer") {
	case d.issuer:
	case "":
		return endpoints{}, fmt.Errorf("%w: it names no issuer", errNoMetadata)
	default:
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
		given := text(member.name)
		if member.optional && given == "" {
			continue
		}
		var ok bool
		if *member.endpoint, ok = d.rebase(given); !ok {
			return endpoints{}, fmt.Errorf("%w: %s is missing or not of the issuer's origin", ErrDiscovery, member.name)
		}
	}
	e.applied, e.feedKeys = e.snapshot+"/applied", e.snapshot+"/keys"
	return e, nil
}

// rebase returns where an endpoint is. It reports false for one of another origin, and, if
// the issuer is at another address than its URL, for one that is not below that URL.
func (d *discovery) rebase(endpoint string) (string, bool) {
	if !sameOrigin(d.issuer, endpoint) {
		return "", false
	}
	if d.base == d.issuer {
		return endpoint, true
	}
	path, below := strings.CutPrefix(endpoint, d.issuer+"/")
	return d.base + "/" + path, below
}

func sameOrigin(issuer, endpoint string) bool {
	a, err := url.Parse(issuer)
	if err != nil {
		return false
	}
	b, err := url.Parse(endpoint)
	return err == nil && b.User == nil && b.Fragment == "" && a.Scheme == b.Scheme && a.Host == b.Host
}
