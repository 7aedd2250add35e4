// Package keys manages the issuer's signing keys: it generates them, stores them
// encrypted, rotates them on a schedule, signs with them, and publishes their public keys.
//
// [Open] loads the keys from a [Store], or makes the first one, and returns a
// [Manager]. [Manager.Run] runs the rotation schedule. [Manager.Mint] and [Manager.Sign]
// sign with the active key. [Manager.JWKS] is the document for
// /.well-known/jwks.json.
//
// A key is [Pending], [Active], [Retiring], then [Gone]. What callers rely on:
//
//   - At every moment one key signs.
//   - A key is published for Config.PublishBefore before it signs, so every
//     verifier that obeys the max-age of the JWKS knows it in time. Only after
//     [Manager.Revoke] of the active key another one may sign earlier, since the
//     alternative is to continue with a stolen key.
//   - A key stays published until the last token that it signed has expired. Its
//     private key is erased as soon as it stops signing.
//   - Every change is one compare-and-swap of the whole set, so several issuers
//     can run the schedule on one store: one wins and the others follow.
//   - What one of them knows survives a store that loses its last changes (a standby that
//     lagged behind): it writes them again, before it uses what is stored. A key that
//     was gone stays gone, and a key whose tokens are valid stays published.
//
// In the store, private keys are encrypted as JWE (RFC 7516) with a key that is
// derived from a [secret.Secret], and the document has a MAC from the same secret:
// nobody can read a key or add one without the secret.
package keys

import (
	"time"

	"issuer.example/jwt"
)

// State is the state of a key in its life cycle.
type State string

// The states of a key, in their order.
const (
	// Pending keys are published and do not sign yet.
	Pending State = "pending"
	// Active is the state of the key that signs. There is exactly one.
	Active State = "active"
	// Retiring keys no longer sign. They are published until their tokens have expired.
	Retiring State = "retiring"
	// Gone keys are not published any more. Only their history is kept.
	Gone State = "gone"
)

// Key describes a key without its key material. A time is zero until the key has reached
// that state.
type Key struct {
	ID        string        `json:"kid"` // RFC 7638 thumbprint
	Algorithm jwt.Algorithm `json:"alg"`
	State     State         `json:"state"`
	// CreatedAt is when the key was made, PublishedAt when it entered the JWKS.
	CreatedAt   time.Time `json:"created_at,omitzero"`
	PublishedAt time.Time `json:"published_at,omitzero"`
	// ActivatedAt is when it began to sign, RetiringAt when it stopped.
	ActivatedAt time.Time `json:"activated_at,omitzero"`
	RetiringAt  time.Time `json:"retiring_at,omitzero"`
	// GoneAt is when it left the JWKS.
	GoneAt time.Time `json:"gone_at,omitzero"`
	// Reason is what the administrator gave when the key was revoked. It may be empty.
	Reason string `json:"reason,omitempty"`
}

// Document is the JWKS (RFC 7517 §5) as it is served. The caller must not change Body.
type Document struct {
	Body []byte
	// ETag is a strong entity tag (RFC 9110 §8.8.3), quotes included.
	ETag string
	// MaxAge is how long a verifier may keep Body, in whole seconds: the
	// max-age of Cache-Control (RFC 9111 §5.2.2.1).
	MaxAge time.Duration
}
