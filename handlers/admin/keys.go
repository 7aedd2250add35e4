package admin

import (
	"context"
	"errors"
	"net/http"
	"time"

	"issuer.example/handlers/exchange"
	"issuer.example/keys"
	"issuer.example/session"
)

// maxKeyID is how long a kid may be, in bytes.
const maxKeyID = 64

// keys answers with every key that the store has, those that are gone too.
func (h *Handlers) keys(x *exchange.Exchange) error {
	if err := h.cfg.Keys.Refresh(x.Context()); err != nil {
		return err
	}
	return x.JSON(http.StatusOK, struct {
		Keys []keys.Key `json:"keys"`
	}{h.cfg.Keys.List()})
}

// rotateKey publishes a new key. While one is pending, that is the answer.
func (h *Handlers) rotateKey(x *exchange.Exchange) error {
	if err := x.RequireNoMembers(); err != nil {
		return err
	}
	key, err := h.cfg.Keys.Rotate(x.Context(), x.Log.Client)
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
	if err := x.RequireNoMembers(); err != nil {
		return err
	}
	if err := h.cfg.Keys.Promote(x.Context(), x.Log.Client, kid); err != nil {
		return err
	}
	return x.NoContent(http.StatusNoContent)
}

// revokeKey withdraws a key at once and ends every session: see [keys.Manager.Revoke].
func (h *Handlers) revokeKey(x *exchange.Exchange) error {
	kid, err := keyIDParam(x)
	if err != nil {
		return err
	}
	reason, _, err := x.Query("reason")
	if err != nil {
		return err
	}
	if err := x.RequireNoMembers(); err != nil {
		return err
	}
	err = h.cfg.Keys.Revoke(x.Context(), x.Log.Client, kid, reason, func(ctx context.Context) error {
		return h.cfg.Sessions.RevokeEverything(ctx, adminCause(x, session.ReasonKeyRevoked))
	})
	if errors.Is(err, keys.ErrNotAnnounced) {
		return &exchange.Refusal{
			Code: exchange.CodeUnavailable, RetryAfter: time.Second, Err: err,
			Detail: "The key is withdrawn, but verifiers could not be told: end everything as soon as the store answers.",
		}
	}
	if err != nil {
		return err
	}
	return x.NoContent(http.StatusNoContent)
}

// keyIDParam returns the path parameter {kid}. Text that cannot be a kid is refused like an unknown key.
func keyIDParam(x *exchange.Exchange) (string, error) {
	kid, err := x.Segment("kid")
	if err != nil || !exchange.IsPlain(kid, maxKeyID, "") {
		return "", exchange.NotFound()
	}
	return kid, nil
}
