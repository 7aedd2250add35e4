package session

import (
	"context"
	"log/slog"
	"time"

	"issuer.example/sid"
)

// ReauthRequest says how the user has proved who they are again.
type ReauthRequest struct {
	AMR  []string // nil leaves what it was
	ACR  string   // "" leaves what it was
	From Client   // if known, what the session is bound to from now on
}

// Reauthenticate notes that the user of a live session has authenticated again: its
// auth_time is now, its amr and acr are raised, its id and its end stay. The grant has
// a new access token and no refresh token. [ErrNotFound] if no such session is live.
func (s *Service) Reauthenticate(ctx context.Context, id sid.ID, req ReauthRequest) (Grant, error) {
	if err := req.check(); err != nil {
		return Grant{}, err
	}
	var (
		v   View
		now time.Time
	)
	err := s.cfg.Store.Update(ctx, func(tx Tx) error {
		snap, before, err := s.load(tx, id, s.now())
		if err != nil {
			return err
		}
		if !before.End.IsZero() {
			return ErrNotFound
		}
		now = latest(s.now(), snap.State.LastSeenAt)
		snap.Session = req.amend(snap.Session, now)
		if err := checkSize(snap.Session); err != nil {
			return err
		}
		v = s.unmarked(snap)
		return tx.Amend(snap.Session)
	})
	if err != nil {
		return Grant{}, err
	}
	s.cfg.Logger.Info("user authenticated again", slog.String("sid", id.String()), slog.String("acr", v.ACR))
	return s.grant(v, now)
}

func (r ReauthRequest) amend(sess Session, now time.Time) Session {
	sess.AuthTime = now.Truncate(time.Second)
	if r.AMR != nil {
		sess.AMR = r.AMR
	}
	if r.ACR != "" {
		sess.ACR = r.ACR
	}
	if r.From.IP.IsValid() {
		sess.IP = r.From.IP.Unmap()
	}
	if r.From.UserAgent != "" {
		sess.UserAgent = r.From.UserAgent
	}
	return sess
}
