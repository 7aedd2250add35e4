package session

import (
	"context"
	"slices"

	"issuer.example/sid"
)

// MaxListed is how many sessions [Service.List] returns at most: what an answer costs must
// not grow with how often someone has signed in.
const MaxListed = 1000

// Get returns one session, live or ended. [ErrNotFound] if there is none.
func (s *Service) Get(ctx context.Context, id sid.ID) (View, error) {
	return s.load(ctx, Ref{ID: id})
}

// GetOwn returns one session of the holder's user, live or ended. [ErrNotFound] if it is
// another user's.
func (s *Service) GetOwn(ctx context.Context, h Holder, id sid.ID) (View, error) {
	v, err := s.load(ctx, Ref{ID: id, UserID: h.View.User.ID})
	if err != nil {
		return View{}, err
	}
	return s.forHolder(v, s.now()), nil
}

func (s *Service) load(ctx context.Context, ref Ref) (View, error) {
	snap, err := s.cfg.Store.Load(ctx, ref)
	if err != nil {
		return View{}, err
	}
	return s.view(snap, s.now()), nil
}

// List returns the live sessions of a user, newest first: all, or the newest [MaxListed]. A
// user without any is no error.
func (s *Service) List(ctx context.Context, userID string) ([]View, error) {
	return s.list(ctx, Query{UserID: userID, Limit: MaxListed}, func(v View) bool { return v.End.IsZero() })
}

// ListOwn is [Service.List] for the holder, whose own session is in the list however many
// have begun since.
func (s *Service) ListOwn(ctx context.Context, h Holder) ([]View, error) {
	list, err := s.List(ctx, h.View.User.ID)
	now := s.now()
	for i := range list {
		list[i] = s.forHolder(list[i], now)
	}
	if last := len(list) - 1; last == MaxListed-1 && h.View.ID.Compare(list[last].ID) < 0 {
		list[last] = h.View
	}
	return list, err
}

// History returns up to limit ended sessions of a user, newest first. Each says why it ended.
func (s *Service) History(ctx context.Context, userID string, limit int) ([]View, error) {
	var ended []View
	for _, recorded := range []bool{false, true} {
		q := Query{UserID: userID, Ended: recorded, Limit: limit}
		part, err := s.list(ctx, q, func(v View) bool { return !v.End.IsZero() })
		if err != nil {
			return nil, err
		}
		ended = append(ended, part...)
	}
	// A session whose end was recorded between the two readings is in both.
	slices.SortFunc(ended, func(a, b View) int { return b.ID.Compare(a.ID) })
	ended = slices.CompactFunc(ended, func(a, b View) bool { return a.ID == b.ID })
	return ended[:min(limit, len(ended))], nil
}

// HasClient reports whether a session that is not on record as ended was minted by that
// client.
func (s *Service) HasClient(ctx context.Context, clientID string) (bool, error) {
	if clientID == "" {
		return false, nil // a query without a client asks for the sessions of all
	}
	list, err := s.list(ctx, Query{ClientID: clientID, Limit: 1}, func(View) bool { return true })
	return len(list) > 0, err
}

// list returns up to q.Limit of the query's sessions that want admits.
func (s *Service) list(ctx context.Context, q Query, want func(View) bool) ([]View, error) {
	var list []View
	now, limit := s.now(), q.Limit
	for {
		page, err := s.cfg.Store.List(ctx, q)
		if err != nil {
			return nil, err
		}
		s.reportUnreadable("listing sessions", page.Unreadable)
		for _, snap := range page.Sessions {
			if v := s.view(snap, now); want(v) {
				list = append(list, v)
			}
			if len(list) == limit {
				return list, nil
			}
		}
		if page.Next.IsZero() {
			return list, nil
		}
		q.Before = page.Next
	}
}
