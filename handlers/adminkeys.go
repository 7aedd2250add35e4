package handlers

import (
	"net/http"

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
// have made tokens for any of them. Both halves may be repeated, so that a call whose
// second half has failed is mended by the same call.
func (s *Server) adminRevokeKey(x *exchange) error {
	kid, err := x.keyID()
	if err != nil {
		return err
	}
	reason, _, err := x.query("reason")
	if err != nil {
		return err
	}
	if err := s.cfg.Keys.Revoke(x.Request().Context(), kid, reason); err != nil {
		return err
	}
	if err := s.cfg.Sessions.RevokeEverything(x.Request().Context(), session.ReasonKeyRevoked); err != nil {
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
