package session

import (
	"context"
	"iter"
	"time"
)

// MaxListed is how many sessions [Service.List] returns at most: what an answer costs must
// not grow with how often someone has signed in.
const MaxListed = 1000

// List returns the live sessions of a user, newest first: all, or the newest [MaxListed]. A
// user without any is no error.
func (s *Service) List(ctx context.Context, userID string) ([]View, error) {
	var list []View
	err := s.cfg.Store.View(ctx, func(r Reader) error {
		list = nil
		for v, err := range s.live(r, userID, s.now()) {
			if err != nil {
				return err
			}
			if list = append(list, v); len(list) == MaxListed {
				break
			}
		}
		return nil
	})
	return list, err
}

// ListOwn is [Service.List] for the holder, whose own session is in the list however many
// have begun since.
func (s *Service) ListOwn(ctx context.Context, h Holder) ([]View, error) {
	list, err := s.List(ctx, h.View.User.ID)
	if last := len(list) - 1; last == MaxListed-1 && h.View.ID.Compare(list[last].ID) < 0 {
		list[last] = h.View
	}
	return list, err
}

// live yields the live sessions of a user, newest first. It ends with an error.
func (s *Service) live(r Reader, userID string, now time.Time) iter.Seq2[View, error] {
	return func(yield func(View, error) bool) {
		for snap, err := range r.UserSessions(userID, false) {
			var v View
			if err == nil {
				v, err = s.view(r, snap, now)
			}
			if err == nil && !v.End.IsZero() {
				continue
			}
			if !yield(v, err) || err != nil {
				return
			}
		}
	}
}

// History returns up to limit ended sessions of a user, newest first. Each says why it ended.
func (s *Service) History(ctx context.Context, userID string, limit int) ([]View, error) {
	var ended []View
	err := s.cfg.Store.View(ctx, func(r Reader) error {
		ended = nil
		for _, recorded := range []bool{false, true} {
			for snap, err := range r.UserSessions(userID, recorded) {
				if err != nil {
					return err
				}
				v, err := s.view(r, snap, s.now())
				if err != nil {
					return err
				}
				if !v.End.IsZero() {
					ended = append(ended, v)
				}
				if len(ended) >= limit && recorded {
					break
				}
			}
		}
		return nil
	})
	return newestFirst(ended, limit), err
}
