package bolt

import (
	"context"
	"errors"

	"issuer.example/session"
	"issuer.example/sid"
)

const (
	// listSlack is how many records beyond its limit a page may cost to read: those of
	// other clients, and those that are damaged.
	listSlack = 1024
	// readsPerCheck is how many records are read between two looks at the context.
	readsPerCheck = 256
)

var errNoLimit = errors.New("bolt: a query needs a limit")

// List implements [session.Store].
func (db *DB) List(ctx context.Context, q session.Query) (page session.Page, err error) {
	if q.Limit <= 0 {
		return page, errNoLimit
	}
	err = db.view(ctx, func(v *view) (err error) {
		page, err = v.list(ctx, q)
		return err
	})
	if err != nil {
		return session.Page{}, err
	}
	return page, nil
}

func (v *view) list(ctx context.Context, q session.Query) (page session.Page, err error) {
	w := v.walkQuery(q)
	last := sid.ID{}
	for reads := 0; ; reads++ {
		id, ok := w.next()
		if !ok {
			return page, nil
		}
		if id == q.Before && !id.IsZero() {
			continue
		}
		if len(page.Sessions) == q.Limit || reads >= q.Limit+listSlack {
			page.Next = last
			return page, nil
		}
		if reads%readsPerCheck == readsPerCheck-1 && ctx.Err() != nil {
			return page, ctx.Err()
		}
		snap, err := v.load(session.Ref{ID: id})
		switch {
		case err != nil && !unreadable(err):
			return page, err
		case err != nil:
			page.Unreadable++
		case q.ClientID == "" || q.ClientID == snap.Session.ClientID:
			page.Sessions = append(page.Sessions, snap)
		}
		if !id.IsZero() {
			last = id
		}
	}
}

// walkQuery goes through the sessions that a query asks for, whatever their client.
func (v *view) walkQuery(q session.Query) *walk {
	switch {
	case q.UserID != "" && q.Ended:
		return v.walkUser(byUserEnded, q.UserID, q.Before)
	case q.UserID != "":
		return v.walkUser(byUser, q.UserID, q.Before)
	case q.Ended:
		return v.walkAll(ends, q.Before)
	}
	return v.walkAll(states, q.Before)
}
