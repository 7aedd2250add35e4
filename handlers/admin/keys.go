package admin

import (
	"context"
	"net/http"
	"time"

	"issuer.example/handlers/exchange"
	"issuer.example/keys"
	"issuer.example/session"
)

// maxKeyID is how long a kid may be, in bytes.
const maxKeyID = 64

// keys answers with every key, those that are gone too.
func (h *Handlers) keys(x *exchange.Exchange) error {
	return x.JSON(http.StatusOK, struct {
		Keys []keys.Key `json:"keys"`
	}{h.cfg.Keys.List()})
}

// rotateKey publishes a new key. While one is pending, that is the answer.
func (h *Handlers) rotateKey(x *exchange.Exchange) error {
	key, err := h.cfg.Keys.Rotate(x.Context())
	if err != nil {
		return err
	}
	return x.JSON(http.StatusOK, struct {
		Key keys.Key `json:"key"`
	}{key})
}

// promoteKey makes a pending key sign.
func (h *Handlers) promoteKey(x *exchange.Exchange) error {
	kid, err := keyIDParam(x)
	if err != nil {
		return err
	}
	if err := h.cfg.Keys.Promote(x.Context(), kid); err != nil {
		return err
	}
	return x.NoContent(http.StatusNoContent)
}

// revokeKey withdraws a key at once and ends every session.
func (h *Handlers) revokeKey(x *exchange.Exchange) error {
	kid, err := keyIDParam(x)
	if err != nil {
		return err
	}
	reason, _, err := x.Query("reason")
	if err != nil {
		return err
	}
	// A client that hangs up must not stop the work half-way.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(x.Context()), exchange.RequestTimeout)
	defer cancel()
	if err := h.revokeKeyAndSessions(ctx, kid, reason); err != nil {
		return err
	}
	return x.NoContent(http.StatusNoContent)
}

// revokeKeyAndSessions ends every session, withdraws the key and ends every session again. Whoever has
// the key can have made tokens for any session. The sessions end first, so that a call that fails half-way
// has not withdrawn the key and can be repeated. They end once more after it, because that tells verifiers
// to fetch the keys again. A key that is gone already changes nothing.
func (h *Handlers) revokeKeyAndSessions(ctx context.Context, kid, reason string) error {
	useful, err := h.cfg.Keys.Revocable(kid, reason)
	if err != nil || !useful {
		return err
	}
	if err := h.cfg.Sessions.RevokeEverything(ctx, session.ReasonKeyRevoked); err != nil {
		return err
	}
	if err := h.cfg.Keys.Revoke(ctx, kid, reason); err != nil {
		return err
	}
	if err := h.cfg.Sessions.RevokeEverything(ctx, session.ReasonKeyRevoked); err != nil {
		// Repeating the call would change nothing, because the key is gone.
		return &exchange.Refusal{
			Code: exchange.CodeUnavailable, RetryAfter: time.Second, Err: err,
			Detail: "The key is withdrawn, but verifiers could not be told: end everything as soon as the store answers.",
		}
	}
	return nil
}

// keyIDParam returns the path parameter {kid}. Text that cannot be a kid is refused like an unknown key.
func keyIDParam(x *exchange.Exchange) (string, error) {
	kid, err := x.Segment("kid")
	if err != nil || !exchange.IsPlain(kid, maxKeyID, "") {
		return "", exchange.NotFound()
	}
	return kid, nil
}
