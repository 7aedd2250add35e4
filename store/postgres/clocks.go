package postgres

import (
	"context"
	"crypto/rand"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"issuer.example/session"
)

const (
	// ahead is for how long beyond a time of a write an issuer reserves, so that it writes its clock once a minute at most.
	ahead = time.Minute
	// clocksKeep is how long the clock of an issuer that is gone is kept: no token of it is valid any more.
	clocksKeep = 24 * time.Hour
)

const (
	raiseClock = `INSERT INTO issuer_clocks (issuer, latest) VALUES ($1, $2)
		ON CONFLICT (issuer) DO UPDATE SET latest = greatest(issuer_clocks.latest, EXCLUDED.latest)`
	dropClocks = `DELETE FROM issuer_clocks WHERE latest < $1`
	// lockClocks keeps the clocks as they are until the transaction ends.
	lockClocks   = `LOCK TABLE issuer_clocks IN SHARE MODE`
	latestClocks = `SELECT latest FROM issuer_clocks ORDER BY latest DESC LIMIT 1`
)

// issuerClock is what an issuer has on record of its own clock: no token of it is dated later than latest.
type issuerClock struct {
	mu     sync.Mutex
	latest time.Time
	others time.Time // the latest that any issuer had on record at the last sweep
	// raising is closed when the one goroutine that raises the clock is done; nil: nobody does.
	raising chan struct{}

	issuer [16]byte // of this handle; only the goroutine that raises it uses it
}

// reserve makes sure that the clock of this issuer is on record up to the latest of some times. It must return before a
// write with these times is sent, and is not to be called by who has a connection: a mark that is set at the same time
// goes by what is on record.
func (db *DB) reserve(ctx context.Context, times ...time.Time) error {
	return db.reserveUntil(ctx, latestOf(times...), 0)
}

// reserveUntil also reserves anew when less than margin is left.
func (db *DB) reserveUntil(ctx context.Context, t time.Time, margin time.Duration) error {
	if t.IsZero() {
		return nil
	}
	for {
		done, mine := db.clock.begin(t.Add(margin))
		switch {
		case done == nil:
			return nil
		case mine:
			return db.raise(ctx, t.Add(ahead), done)
		}
		select {
		case <-done:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// begin says what is to be done so that t is on record: nothing (nil), or to wait for who does it, or to do it.
func (c *issuerClock) begin(t time.Time) (done chan struct{}, mine bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !t.After(c.latest) {
		return nil, false
	}
	if c.raising != nil {
		return c.raising, false
	}
	c.raising = make(chan struct{})
	return c.raising, true
}

// noticed is a notice that also goes by what other issuers had on record at the last sweep: one whose clock is ahead
// may have dated a token without a write.
func (c *issuerClock) noticed(n session.Notice) session.Notice {
	c.mu.Lock()
	defer c.mu.Unlock()
	n.Issued = latestOf(n.Issued, c.others)
	return n
}

// learn records what is on record of all issuers.
func (c *issuerClock) learn(latest time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.others = latest
}

// covers reports whether a time is on record.
func (c *issuerClock) covers(t time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !t.After(c.latest)
}

// raise puts a time on record, and removes the clocks of issuers that are gone.
func (db *DB) raise(ctx context.Context, t time.Time, done chan struct{}) error {
	c := &db.clock
	if c.issuer == [16]byte{} {
		_, _ = rand.Read(c.issuer[:]) // never fails
	}
	err := db.inTx(ctx, func(tx pgx.Tx) error {
		var b pgx.Batch
		b.Queue(raiseClock, pgtype.UUID{Bytes: c.issuer, Valid: true}, milli(t))
		b.Queue(dropClocks, milli(t.Add(-clocksKeep)))
		return tx.SendBatch(ctx, &b).Close()
	}, nil)
	c.mu.Lock()
	defer c.mu.Unlock()
	if err == nil {
		c.latest = milli(t)
	}
	c.raising = nil
	close(done)
	return err
}

// untilOfEnd is when verifiers may forget the end of a session; zero if they need not know.
func untilOfEnd(s session.Snapshot, at time.Time, n session.Notice) time.Time {
	if n.Life <= 0 {
		return time.Time{}
	}
	return untilAfter(n, latestOf(at, n.Issued, s.Session.CreatedAt, s.Session.AuthTime, s.State.RedeemedAt, s.State.LastSeenAt))
}

// untilAfter is when the last token has expired that is dated with that time.
func untilAfter(n session.Notice, dated time.Time) time.Time {
	const millisecond = time.Millisecond
	life := (n.Life + millisecond - 1).Truncate(millisecond) // never shorter
	return milli(dated.Add(millisecond - 1)).Add(life)
}

// untilOfMark is when verifiers may forget a mark, in its transaction; zero if they need not know. It must be called after
// the locks are held that keep out what the mark covers.
func untilOfMark(ctx context.Context, tx pgx.Tx, at time.Time, n session.Notice) (time.Time, error) {
	if n.Life <= 0 {
		return time.Time{}, nil
	}
	rows, err := tx.Query(ctx, latestClocks)
	if err != nil {
		return time.Time{}, err
	}
	var clock time.Time
	if _, err := pgx.ForEachRow(rows, []any{&clock}, func() error { return nil }); err != nil {
		return time.Time{}, err
	}
	return untilAfter(n, latestOf(at, n.Issued, clock.UTC())), nil
}

func latestOf(times ...time.Time) (latest time.Time) {
	for _, t := range times {
		if t.After(latest) {
			latest = t
		}
	}
	return latest
}

// lockAllClocks keeps issuers from writing sessions with times that are not on record yet, until the transaction ends.
func lockAllClocks(ctx context.Context, tx pgx.Tx) error {
	_, err := tx.Exec(ctx, lockClocks)
	return err
}
