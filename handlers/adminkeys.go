package handlers

import (
	"context"
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

// adminRevokeKey withdraws a key at once, and ends every session: whoever has the key can
// have made tokens for any of them. The sessions end first, so that a call that fails
// half-way has not withdrawn the key and can be repeated; they end once more behind the
// key, which tells verifiers to fetch the keys anew, and whoever asks what to do if it can't.
// A key that is gone already changes nothing. Nobody's hanging up stops it between the steps.
func (s *Server) adminRevokeKey(x *exchange) error {
	kid, err := x.keyID()
	if err != nil {
		return err
	}
	reason, _, err := x.query("reason")
	if err != nil {
		return err
	}
	useful, err := s.cfg.Keys.Revocable(kid, reason)
	if err != nil {
		return err
	}
	if useful {
		ctx := context.WithoutCancel(x.Request().Context())
		cause := session.Cause{Reason: session.ReasonKeyRevoked, By: x.client}
		end := func() error { return s.cfg.Sessions.RevokeEverything(ctx, cause) }
		if err := end(); err != nil {
			return err
		}
		if err := s.cfg.Keys.Revoke(ctx, kid, reason); err != nil {
			return err
		}
		if err := end(); err != nil { // repeating the call changes nothing any more
			return &refusal{
				code: codeUnavailable, retry: time.Second, err: err,
				detail: "The key is withdrawn, but verifiers could not be told: end everything as soon as the store answers.",
			}
		}
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
