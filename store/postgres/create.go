package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"issuer.example/fact"
	"issuer.example/revocation"
	"issuer.example/session"
	"issuer.example/sid"
)

// maxUserID is how many bytes the id of a user has at most: it is in indexes.
const maxUserID = 255

const (
	// insertIfNewest adds a session, and its fact, if its identifier is the user's newest, greater than the marks of its
	// scopes $40, and the user has less than $41 sessions without a recorded end (0: however many). It follows raiseUser,
	// which locks the user's row, so that what it reads of the user cannot change until the commit.
	insertIfNewest = `WITH added AS (
		INSERT INTO sessions (` + insertColumns + `) SELECT ` + insertValues + `
		FROM users u WHERE u.user_id = $3 AND u.newest = $1
			AND NOT EXISTS (SELECT FROM marks k WHERE k.scope = ANY($40::text[]) AND k.sid >= $1)
			AND ($41::bigint = 0 OR $41::bigint > (SELECT count(*) FROM (
				SELECT FROM sessions l WHERE l.user_id = $3 AND l.ended_at IS NULL LIMIT $41::bigint) l))
		ON CONFLICT (sid) DO NOTHING RETURNING sid
	) INSERT INTO pending_facts (id, kind, at, sid, scope, key_id, what, by_client)
		SELECT $42, $43, $16, sid, '', '', '', $44 FROM added RETURNING sid`
)

var errUserID = errors.New("postgres: a user id has 1 to 255 bytes")

// Create implements [session.Store].
//
// A sign-in that ends no other session is one round trip. Any other takes a transaction, which begins with the lock of
// the user's row, too.
func (db *DB) Create(ctx context.Context, c session.CreateRequest) (session.Created, error) {
	if err := db.enter(ctx); err != nil {
		return session.Created{}, err
	}
	n, err := newNewcomer(db, c)
	if err != nil {
		return session.Created{}, err
	}
	r, st := &n.session.Session, &n.session.State
	if err := db.reserve(ctx, r.CreatedAt, r.AuthTime, st.RedeemedAt, st.LastSeenAt); err != nil {
		return session.Created{}, err
	}
	if err := n.create(ctx); err != nil {
		return session.Created{}, err
	}
	db.wroteQuietly()
	created := n.outcomes[n.session.Session.ID]
	for _, s := range created.Evicted {
		db.recent.Remove(s.Session.ID)
	}
	s := n.session
	db.recent.Add(s.Session.ID, &s)
	return created, nil
}

// newcomer is a session that is about to begin.
type newcomer struct {
	db      *DB
	request session.CreateRequest
	session stored
	scopes  []string // of the marks that could cover it
	// outcomes are what has been done, by the identifier that the session had in each attempt whose outcome was unknown.
	outcomes map[sid.ID]session.Created
}

func newNewcomer(db *DB, c session.CreateRequest) (*newcomer, error) {
	switch user := c.Session.User.ID; {
	case user == "" || len(user) > maxUserID:
		return nil, errUserID
	case c.At.IsZero() && (c.Limit.Max > 0 || !c.Replaces.IsZero()):
		return nil, errEndTime
	case len(c.By) > maxWord:
		return nil, errLongFact
	}
	n := &newcomer{db: db, request: c, outcomes: map[sid.ID]session.Created{}}
	n.session.Snapshot = asStored(session.Snapshot{Session: c.Session, State: c.State})
	n.session.Session.ID = sid.ID{}
	n.session.version, n.session.dueAt = newVersion(), milli(firstDue(n.session.Snapshot, c.Limit.Judge))
	for _, scope := range revocation.ScopesOf(c.Session.User.ID, c.Session.ClientID) {
		n.scopes = append(n.scopes, scopeText(scope))
	}
	return n, nil
}

// firstDue is when a sweep is to look at a new session.
func firstDue(s session.Snapshot, judge session.Judge) time.Time {
	if judge != nil {
		return judge(s).Again
	}
	idle := s.State.LastSeenAt.Add(s.Session.IdleTimeout)
	if idle.After(s.Session.ExpiresAt) {
		return s.Session.ExpiresAt
	}
	return idle
}

// give gives the session an identifier that is greater than after.
func (n *newcomer) give(after sid.ID) sid.ID {
	id := sid.Next(after, n.session.Session.CreatedAt)
	n.session.Session.ID = id
	n.outcomes[id] = session.Created{Session: n.session.Snapshot}
	return id
}

// fact is what the journal says of it.
func (n *newcomer) fact() pendingFact {
	s := &n.session.Session
	return fact.Fact{Kind: fact.Created, At: s.CreatedAt, SID: s.ID, By: n.request.By}
}

// create adds the session, in one round trip if nothing has to end for it.
func (n *newcomer) create(ctx context.Context) error {
	done, err := n.db.oneOfUser(ctx, n.session.Session.User.ID)
	if err != nil {
		return err
	}
	defer done()
	if n.request.Replaces.IsZero() {
		n.give(n.db.floor.get())
		if added, err := n.insert(ctx); added || err != nil {
			return err
		}
	}
	return n.db.inTx(ctx, func(tx pgx.Tx) error { return n.createIn(ctx, tx) }, nil)
}

// insert adds the session under its identifier if nothing has to end for it. If the outcome is unknown, it may have been
// added all the same: createIn finds out.
func (n *newcomer) insert(ctx context.Context) (added bool, err error) {
	s, abandoned, err := n.db.creations.do(ctx, creation{newcomer: n})
	if abandoned {
		err = fmt.Errorf("%w: the database has not confirmed it yet: %w", session.ErrUnavailable, err)
	}
	return s.added, err
}
