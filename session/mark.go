package session

import (
	"context"
	"log/slog"

	"issuer.example/revocation"
)

// RevokeOthers ends every other session of the holder's user with one mark, and returns how
// many were live. A holder whose session has ended gets the same errors as from
// [Service.RevokeOwn].
func (s *Service) RevokeOthers(ctx context.Context, h Holder) (int, error) {
	m := s.markOfHolder(h, ReasonUserRevoked)
	m.SpareHolder = true
	return s.mark(ctx, m)
}

// RevokeAll ends every session of the holder's user, also the holder's, with one mark, and
// returns how many were live. [ErrNotFresh] if the policy asks for a fresh authentication
// and this one is not.
func (s *Service) RevokeAll(ctx context.Context, h Holder) (int, error) {
	if s.cfg.RevokeAllRequiresFresh {
		if err := s.RequireFresh(h); err != nil {
			return 0, err
		}
	}
	return s.mark(ctx, s.markOfHolder(h, ReasonUserRevokedAll))
}

// RevokeUser ends every session of a user with one mark, and returns how many were live.
// A user without any is no error: the issuer does not know who exists.
func (s *Service) RevokeUser(ctx context.Context, userID string, cause Cause) (int, error) {
	return s.mark(ctx, s.markRequest(revocation.UserScope(userID), cause))
}

// RevokeClient ends every session that a client (a service key) has minted, with one mark.
func (s *Service) RevokeClient(ctx context.Context, clientID string, cause Cause) error {
	_, err := s.mark(ctx, s.markRequest(revocation.ClientScope(clientID), cause))
	return err
}

// RevokeEverything ends every session there is, with one mark.
func (s *Service) RevokeEverything(ctx context.Context, cause Cause) error {
	_, err := s.mark(ctx, s.markRequest(revocation.EverythingScope(), cause))
	return err
}

func (s *Service) markRequest(scope revocation.Scope, cause Cause) MarkRequest {
	now := s.now()
	return MarkRequest{
		Scope: scope, At: now, Reason: cause.Reason, By: cause.By,
		Notice: s.notice(now), Judge: s.judgeAt(now),
	}
}

// markOfHolder is a mark over the holder's user, on condition that the holder is live.
func (s *Service) markOfHolder(h Holder, reason Reason) MarkRequest {
	m := s.markRequest(revocation.UserScope(h.View.User.ID), Cause{Reason: reason})
	m.Holder = h.View.ID
	m.Allow = func(holder Snapshot) error { return s.requireLive(holder, m.At) }
	return m
}

// mark writes a mark, and wakes the sweeper to record the ends of the sessions under it.
func (s *Service) mark(ctx context.Context, m MarkRequest) (ended int, err error) {
	marked, err := s.cfg.Store.Mark(ctx, m)
	if err != nil {
		return 0, err
	}
	s.reportUnreadable("counting the sessions under a mark", marked.Unreadable)
	s.wakeSweeper()
	return marked.Ended, nil
}

// reportUnreadable logs that n records were skipped because they are damaged.
func (s *Service) reportUnreadable(during string, n int) {
	if n > 0 {
		s.cfg.Logger.Error("records of sessions cannot be read and were skipped",
			slog.Int("records", n), slog.String("during", during))
	}
}
