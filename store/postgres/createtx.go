package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"issuer.example/revocation"
	"issuer.example/session"
	"issuer.example/sid"
)

const (
	insertSession = `INSERT INTO sessions (` + insertColumns + `) VALUES (` + insertValues + `)`
	marksOf       = `SELECT scope, sid FROM marks WHERE scope = ANY($1)`
	whichExist    = `SELECT sid FROM sessions WHERE sid = ANY($1) AND user_id = $2`
)

// createIn adds the session in a transaction that has the user's row locked, unless an attempt whose connection was lost
// has added it. One that is still under way cannot add it afterwards: its identifier is not the user's newest any more.
func (n *newcomer) createIn(ctx context.Context, tx pgx.Tx) error {
	user := n.session.Session.User.ID
	newest, err := newestOf(ctx, tx, user)
	if err != nil {
		return err
	}
	if found, err := n.find(ctx, tx); found || err != nil {
		return err
	}
	marked, err := n.newestMark(ctx, tx)
	if err != nil {
		return err
	}
	eviction, facts, err := n.db.admit(ctx, tx, session.Snapshot{Session: session.Session{User: session.User{ID: user}}},
		n.request.Admission, n.request.By)
	if err != nil {
		return err
	}
	id := n.give(greatest(newest, marked, n.session.Session.ID)) // the last is that of an earlier attempt
	done := n.outcomes[id]
	done.Evicted, done.EvictedUpTo = eviction.Each, eviction.UpTo
	n.outcomes[id] = done
	var b pgx.Batch
	b.Queue(raiseUser, user, uuid(id))
	b.Queue(insertSession, insertArgs(n.session)...)
	queueFacts(&b, append(facts, n.fact()))
	return tx.SendBatch(ctx, &b).Close()
}

// newestMark is the newest identifier that marks of its scopes cover.
func (n *newcomer) newestMark(ctx context.Context, tx pgx.Tx) (newest sid.ID, err error) {
	rows, err := tx.Query(ctx, marksOf, n.scopes)
	if err != nil {
		return newest, err
	}
	var (
		scope string
		id    pgtype.UUID
	)
	_, err = pgx.ForEachRow(rows, []any{&scope, &id}, func() error {
		newest = greatest(newest, id.Bytes)
		if parseScope(scope).Kind != revocation.KindUser {
			n.db.floor.raise(id.Bytes)
		}
		return nil
	})
	return newest, err
}

// find finds the session of an attempt whose outcome was unknown, and makes it the outcome.
func (n *newcomer) find(ctx context.Context, tx pgx.Tx) (found bool, err error) {
	if len(n.outcomes) == 0 {
		return false, nil
	}
	tried := make([]sid.ID, 0, len(n.outcomes))
	for id := range n.outcomes {
		tried = append(tried, id)
	}
	ids, err := scanIDs(tx.Query(ctx, whichExist, uuids(tried), n.session.Session.User.ID))
	if err != nil || len(ids) == 0 {
		return false, err
	}
	n.session.Session.ID = ids[0]
	return true, nil
}
