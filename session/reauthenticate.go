package session

import (
	"context"
	"log/slog"
	"time"

	"issuer.example/fact"
	"issuer.example/sid"
)

// ReauthRequest says how the user has proved who they are again.
type ReauthRequest struct {
	By   string   // the name of the service key that asks
	AMR  []string // nil leaves what it was
	ACR  string   // "" leaves what it was
	From Device   // if known, what the session is bound to from now on
}

// Reauthenticate records that the user of a live session has authenticated again: its
// auth_time is now, its amr and acr are replaced, its id and its end stay. The grant has
// a new access token and no refresh token. [ErrNotFound] if no such session is live. In the
// last second of a session, when no token can be minted, it is [ErrIdle] or [ErrExpired].
func (s *Service) Reauthenticate(ctx context.Context, id sid.ID, req ReauthRequest) (Grant, error) {
	if err := req.check(); err != nil {
		return Grant{}, err
	}
	now := s.now()
	after, err := s.cfg.Store.Change(ctx, Target{Ref: Ref{ID: id}}, func(snap, _ Snapshot) (Change, error) {
		return s.reauthenticate(snap, req, now)
	})
	if err != nil {
		return Grant{}, err
	}
	v := s.view(after, now)
	s.cfg.Logger.Info("user authenticated again", slog.String("sid", id.String()), slog.String("acr", v.ACR))
	return s.grant(v, latest(now, v.LastSeenAt))
}

// reauthenticate decides what a new authentication changes.
func (s *Service) reauthenticate(snap Snapshot, req ReauthRequest, now time.Time) (Change, error) {
	if !s.view(snap, now).End.IsZero() {
		return Change{}, ErrNotFound
	}
	at := latest(now, snap.State.LastSeenAt)
	if end := lastSecond(s.view(snap, now), at); !end.IsZero() {
		return Change{}, end.refusal()
	}
	sess := req.amend(snap.Session, at)
	if err := checkSize(sess); err != nil {
		return Change{}, err
	}
	return Change{
		Session: &sess,
		Facts:   []fact.Fact{{Kind: fact.Changed, At: at, SID: sess.ID, What: factReauthenticated, By: req.By}},
	}, nil
}

// amend returns the session's record after the authentication.
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
