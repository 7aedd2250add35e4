package handlers

import (
	"context"
	"errors"
	"net/http"
	"time"

	"issuer.example/keys"
	"issuer.example/session"
)

// adminKeys answers with every key, those that are gone too.
func (s *Server) adminKeys(x *exchange) error {
	return writeJSON(x, http.StatusOK, struct {
		Keys []keys.Key `json:"keys"`
	}{s.cfg.Keys.List()})
}

// adminRotate publishes a new key. While one is pending, that is the answer.
func (s *Server) adminRotate(x *exchange) error {
	key, err := s.cfg.Keys.Rotate(x.Request().Context())
	if err != nil {
		return err
	}
	return writeJSON(x, http.StatusOK, struct {
		Key keys.Key `json:"key"`
	}{key})
}

// adminPromote makes a pending key sign.
func (s *Server) adminPromote(x *exchange) error {
	kid, err := x.keyID()
	if err != nil {
		return err
	}
	if err := s.cfg.Keys.Promote(x.Request().Context(), kid); err != nil {
		return err
	}
	return x.NoContent(http.StatusNoContent)
}

// adminRevokeKey withdraws a key at once and ends every session: see [keys.Manager.Revoke].
func (s *Server) adminRevokeKey(x *exchange) error {
	kid, err := x.keyID()
	if err != nil {
		return err
	}
	reason, _, err := x.query("reason")
	if err != nil {
		return err
	}
	cause := session.Cause{Reason: session.ReasonKeyRevoked, By: x.client}
	err = s.cfg.Keys.Revoke(x.Request().Context(), kid, reason, func(ctx context.Context) error {
		return s.cfg.Sessions.RevokeEverything(ctx, cause)
	})
	if errors.Is(err, keys.ErrNotAnnounced) {
		return &refusal{
			code: codeUnavailable, retry: time.Second, err: err,
			detail: "The key is withdrawn, but verifiers could not be told: end everything as soon as the store answers.",
		}
	}
	if err != nil {
		return err
	}
	return x.NoContent(http.StatusNoContent)
}

// keyID is the path parameter {kid}. What cannot be one names no key.
func (x *exchange) keyID() (string, error) {
	kid, err := x.segment("kid")
	if err != nil || !plainID(kid, 64) {
		return "", notFound()
	}
	return kid, nil
}
