// Package revocations is the HTTP side of the revocation feed, for verifiers with a service key: the
// signed snapshot, the keys, the stream of events (Server-Sent Events) and the reports of what was applied.
package revocations

import (
	"log/slog"
	"net/http"
	"time"

	"issuer.example/client"
	"issuer.example/feed"
	"issuer.example/handlers/credential"
	"issuer.example/handlers/exchange"
	"issuer.example/keys"
)

const (
	// defaultFrameTimeout is how long a reader may take for the frames that are sent at once.
	defaultFrameTimeout = 10 * time.Second
	// snapshotTimeout is the same for the snapshot, which can be large.
	snapshotTimeout = time.Minute
	// maxVerifierName is how long the name of a verifier may be, in bytes.
	maxVerifierName = 64
	// maxNonce is the same for the nonce of a request for the keys.
	maxNonce = 64
	// maxSeq is the largest number of an event: the largest integer of JSON readers.
	maxSeq = 1<<53 - 1
	// maxDelay bounds the delay that a verifier reports.
	maxDelay = 24 * time.Hour

	verifierRule = "The verifier must be 1 to 64 characters of A-Z a-z 0-9 . _ -."
)

// Config is what Handlers are made of.
type Config struct {
	Feed *feed.Hub // nil: the routes answer 404
	Keys *keys.Manager
	Auth *credential.Authenticator
	// FrameTimeout is how long a reader may take for the frames that are sent at once. 0: 10 s.
	FrameTimeout time.Duration
	Logger       *slog.Logger
}

// Handlers answers the routes of the revocation feed.
type Handlers struct{ cfg Config }

// New makes Handlers.
func New(cfg Config) *Handlers {
	if cfg.FrameTimeout == 0 {
		cfg.FrameTimeout = defaultFrameTimeout
	}
	return &Handlers{cfg: cfg}
}

// Routes lists the routes.
func (h *Handlers) Routes() []exchange.Route {
	return []exchange.Route{
		{Method: "GET", Path: "/v1/revocations", Serve: h.snapshot},
		{Method: "GET", Path: "/v1/revocations/keys", Serve: h.keys},
		{Method: "GET", Path: "/v1/revocations/stream", Serve: h.stream, Unbounded: true},
		{Method: "POST", Path: "/v1/revocations/applied", Serve: h.applied},
	}
}

// reader demands a service key that may read the feed, and returns its name.
func (h *Handlers) reader(x *exchange.Exchange) (key string, err error) {
	if h.cfg.Feed == nil {
		return "", exchange.NotFound()
	}
	caller, err := h.cfg.Auth.Clients.Require(x, client.ScopeReadRevocations)
	return caller.Client.Name, err
}

// snapshot answers with everything that is revoked, signed.
func (h *Handlers) snapshot(x *exchange.Exchange) error {
	if _, err := h.reader(x); err != nil {
		return err
	}
	if err := checkNonce(x); err != nil {
		return err
	}
	text, err := h.cfg.Feed.Snapshot(x.Context())
	if err != nil {
		return err
	}
	if err := x.Control().SetWriteDeadline(time.Now().Add(snapshotTimeout)); err != nil {
		return err
	}
	return x.Blob(http.StatusOK, "application/jwt", text)
}

// keys answers with the public keys that the store has at this moment, not those that this issuer remembers, and
// no cache may keep the answer: after a key was compromised verifiers get the keys here. The JWKS in a
// cache still has that key.
func (h *Handlers) keys(x *exchange.Exchange) error {
	if _, err := h.reader(x); err != nil {
		return err
	}
	if err := checkNonce(x); err != nil {
		return err
	}
	if err := h.cfg.Keys.Refresh(x.Context()); err != nil {
		return err
	}
	x.Header().Set("Vary", "*")
	return x.Blob(http.StatusOK, "application/jwk-set+json", h.cfg.Keys.JWKS().Body)
}

// checkNonce checks the nonce that a reader puts into the query, so that not even a cache that ignores
// Cache-Control has an answer. Nothing else looks at it.
func checkNonce(x *exchange.Exchange) error {
	nonce, given, err := x.Query("nonce")
	if err != nil {
		return err
	}
	if given && !exchange.IsPlain(nonce, maxNonce, ".") {
		return exchange.InvalidField("nonce", "The nonce must be 1 to 64 characters of A-Z a-z 0-9 . _ -.")
	}
	return nil
}

// applied takes a verifier's report of what it has applied.
func (h *Handlers) applied(x *exchange.Exchange) error {
	key, err := h.reader(x)
	if err != nil {
		return err
	}
	var body struct {
		Verifier string `json:"verifier"`
		Seq      *int64 `json:"seq"`
		Delay    int64  `json:"delay_ms"`
	}
	if err := x.DecodeJSON(&body); err != nil {
		return err
	}
	switch {
	case !isVerifierName(body.Verifier):
		return exchange.InvalidField("verifier", verifierRule)
	case body.Seq == nil || *body.Seq < 0 || *body.Seq > maxSeq:
		return exchange.InvalidField("seq", "The seq must be the number of an event, or 0.")
	case body.Delay < 0 || body.Delay > maxDelay.Milliseconds():
		return exchange.InvalidField("delay_ms", "The delay_ms must be from 0 to a day.")
	}
	h.cfg.Feed.Report(key, body.Verifier, uint64(*body.Seq), time.Duration(body.Delay)*time.Millisecond)
	return x.NoContent(http.StatusNoContent)
}

// isVerifierName reports whether text can name a verifier.
func isVerifierName(text string) bool { return exchange.IsPlain(text, maxVerifierName, ".") }
