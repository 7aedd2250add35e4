package postgres

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"issuer.example/sid"
)

const (
	// maxSignIns is how many sign-ins share a transaction, which has the rows of their users locked.
	maxSignIns = 32
	// signInAttempts is how often sign-ins are sent that fail because of others.
	signInAttempts = 4
)

// creation is a session that begins if nothing has to end for it.
type creation struct {
	*newcomer

	added bool
}

// createBatch adds sessions in one transaction. Users are locked in the order of their ids, so that batches of two
// issuers do not lock each other out.
func (db *DB) createBatch(batch []*call[creation]) {
	slices.SortStableFunc(batch, func(a, b *call[creation]) int {
		return strings.Compare(a.request.session.Session.User.ID, b.request.session.Session.User.ID)
	})
	began := time.Now()
	err := db.createAll(batch)
	switch {
	case err == nil:
		db.observe(len(batch), began)
	case isConnectionLost(err), isUnsent(err):
		db.health.note(err)
		err = nil // nobody knows whether they were added; each caller finds out
	case len(batch) > 1 && isLocked(err):
		err = nil // nothing was added; each caller goes on alone, and only that of the locked user waits again
	case len(batch) > 1 && !isUnavailable(err):
		// One of them cannot be written. The others can.
		half := len(batch) / 2
		db.createBatch(batch[:half])
		db.createBatch(batch[half:])
		return
	default:
		err = db.failed(context.Background(), err)
	}
	for _, c := range batch {
		c.finish(err)
	}
}

// createAll adds sessions, as far as nothing has to end for them.
func (db *DB) createAll(batch []*call[creation]) (err error) {
	ctx, cancel := db.bounded(context.Background())
	defer cancel()
	for attempt := 1; ; attempt++ {
		if err = db.tryCreateAll(ctx, batch); err == nil || !isRetryable(err) || attempt == signInAttempts {
			return err
		}
		if pause(ctx, ctx, attempt) != nil {
			return err
		}
	}
}

// tryCreateAll sends all statements at once, as one transaction.
func (db *DB) tryCreateAll(ctx context.Context, batch []*call[creation]) error {
	conn, err := db.acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	var b pgx.Batch
	added := make([]bool, len(batch))
	for i, c := range batch {
		c.request.queue(&b, &added[i])
	}
	if err := conn.SendBatch(ctx, &b).Close(); err != nil {
		return err // what was answered before is not committed
	}
	for i, c := range batch {
		c.request.added = added[i]
	}
	return nil
}

// queue adds the two statements of a sign-in. added reports afterwards whether the session began.
func (n *newcomer) queue(b *pgx.Batch, added *bool) {
	s, f := &n.session.Session, n.fact()
	b.Queue(raiseUser, s.User.ID, uuid(s.ID))
	args := append(insertArgs(n.session), n.scopes, int64(n.request.Limit.Max), uuid(sid.Next(sid.ID{}, time.Now())), int16(f.Kind), f.By)
	b.Queue(insertIfNewest, args...).Query(func(rows pgx.Rows) error {
		ids, err := scanIDs(rows, nil)
		*added = len(ids) > 0
		return err
	})
}
