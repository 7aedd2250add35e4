package postgres

import (
	"context"
	"sync"

	"github.com/jackc/pgx/v5"
)

// numberedAtOnce is how many facts get their numbers in one transaction.
const numberedAtOnce = 2000

// The statements of a transaction that gives numbers: lockHead and one of the others, which
// has a snapshot of its own: it sees all that was numbered before the lock was granted.
const (
	lockHead = `SELECT FROM log_head WHERE id = 1 FOR UPDATE`

	numberFacts = takeFacts

	// numberFactsNotify also tells the other issuers, at the commit.
	numberFactsNotify = takeFacts + `, pg_notify('` + channel + `', h.number::text)::text`

	takeFacts = `
WITH oldest AS (
	SELECT written_at, id FROM pending_facts ORDER BY written_at, id LIMIT $1
), taken AS (
	DELETE FROM pending_facts
	WHERE written_at BETWEEN (SELECT min(written_at) FROM oldest) AND (SELECT max(written_at) FROM oldest)
		AND (written_at, id) <= (SELECT written_at, id FROM oldest ORDER BY written_at DESC, id DESC LIMIT 1)
	RETURNING *
), numbered AS (
	SELECT h.number + row_number() OVER place AS number,
		CASE WHEN t.until IS NOT NULL THEN h.revocation + count(t.until) OVER place END AS revocation,
		t.kind, t.at, t.sid, t.scope, t.key_id, t.what, t.by_client, t.until
	FROM taken t JOIN log_head h ON h.id = 1
	WINDOW place AS (ORDER BY t.written_at, t.id)
), added AS (
	INSERT INTO facts (number, revocation, kind, at, sid, scope, key_id, what, by_client, until) SELECT * FROM numbered
)
UPDATE log_head h SET number = h.number + t.facts, revocation = h.revocation + t.revocations
FROM (SELECT count(*) AS facts, count(until) AS revocations FROM taken) t
WHERE h.id = 1 AND t.facts > 0
RETURNING t.facts, h.number`
)

// numbering lets one goroutine at a time give numbers, on behalf of all that wait for it.
type numbering struct {
	mu      sync.Mutex
	next    *round // that has not begun; nil: nobody waits for it
	running bool
}

// round is one attempt to number all that is committed.
type round struct {
	done chan struct{}
	err  error
}

// number gives numbers to all facts that are committed when it is called. Calls that come
// together share one attempt.
func (db *DB) number(ctx context.Context) error {
	r := db.joinRound(ctx)
	select {
	case <-r.done:
		return r.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (db *DB) joinRound(ctx context.Context) *round {
	n := &db.journal.numbering
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.next == nil {
		n.next = &round{done: make(chan struct{})}
	}
	r := n.next
	if !n.running {
		n.running = true
		go db.runRounds(context.WithoutCancel(ctx))
	}
	return r
}

// runRounds runs rounds until nobody waits for another one.
func (db *DB) runRounds(ctx context.Context) {
	n := &db.journal.numbering
	for {
		n.mu.Lock()
		r := n.next
		n.next = nil
		n.running = r != nil
		n.mu.Unlock()
		if r == nil {
			return
		}
		r.err = db.numberAll(ctx)
		close(r.done)
	}
}

func (db *DB) numberAll(ctx context.Context) error {
	for attempt := 0; ; {
		n, err := db.numberSome(ctx)
		switch {
		case err == nil && n < numberedAtOnce:
			return nil
		case err == nil:
			attempt = 0
		case !isRetryable(err) || attempt == maxRetries:
			return db.failed(ctx, err)
		default:
			attempt++
			_ = pause(ctx, db.life, attempt)
		}
	}
}

// numberSome gives numbers to the facts that were written first. The server gets both
// statements at once: whatever becomes of this issuer, the lock is not held for longer than
// they take.
func (db *DB) numberSome(ctx context.Context) (facts int64, err error) {
	var (
		b    pgx.Batch
		head uint64
	)
	statement, targets := numberFacts, []any{&facts, &head}
	if db.cfg.Notify == NotifyListen {
		statement, targets = numberFactsNotify, append(targets, new(string))
	}
	b.Queue(lockHead)
	b.Queue(statement, numberedAtOnce).Query(func(rows pgx.Rows) error {
		_, err := pgx.ForEachRow(rows, targets, func() error { return nil }) // no row: there was nothing
		return err
	})
	conn, err := db.acquire(ctx)
	if err != nil {
		return 0, err
	}
	defer conn.Release()
	work, cancel := db.bounded(ctx)
	defer cancel()
	if err := conn.SendBatch(work, &b).Close(); err != nil {
		return 0, err
	}
	if facts > 0 {
		db.journal.saw(head)
	}
	return facts, nil
}
