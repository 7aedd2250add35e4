package postgres

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"github.com/jackc/pgx/v5/pgxpool"

	"issuer.example/session"
	"issuer.example/sid"
)

const (
	// maxRecent is how many sessions are remembered, of about a kilobyte each.
	maxRecent = 32 << 10
	// acquireTimeout is how long an operation waits for a connection of the pool.
	acquireTimeout = 3 * time.Second
	// closeGrace is how long Close waits for what has begun.
	closeGrace = 10 * time.Second
)

// DB is an open store. It is safe for concurrent use.
type DB struct {
	cfg    Config
	pool   *pgxpool.Pool
	clock  issuerClock
	floor  floor
	upkeep upkeep

	reads           lanes[reading]
	swaps, rewrites lanes[swap] // of states, of whole sessions
	creations       lanes[creation]
	recent          *lru.Cache[sid.ID, *stored] // as this issuer has read or written them last; none is changed
	// sids let one change of a session, and users one of what concerns a user as a whole, be under way at a time.
	sids  keyLocks[sid.ID]
	users keyLocks[string]
	live  atomic.Int64 // what Live has returned last

	health health

	// life ends when the store is closed. What runs in the background is of background.
	life       context.Context //nolint:containedctx // that of the store
	end        context.CancelFunc
	background sync.WaitGroup
	closing    sync.Once
	closeErr   error

	journal journal
}

// Open connects to a database that has the schema.
func Open(ctx context.Context, cfg Config) (*DB, error) {
	cfg = cfg.withDefaults()
	if err := preflight(ctx, cfg); err != nil {
		return nil, err
	}
	pc, err := poolConfig(cfg)
	if err != nil {
		return nil, err
	}
	recent, err := lru.New[sid.ID, *stored](maxRecent)
	if err != nil {
		return nil, err
	}
	pool, err := pgxpool.NewWithConfig(ctx, pc)
	if err != nil {
		return nil, fmt.Errorf("postgres: %w", err)
	}
	db := &DB{cfg: cfg, pool: pool, recent: recent}
	db.life, db.end = context.WithCancel(context.WithoutCancel(ctx))
	db.health.begin(context.WithoutCancel(ctx)) // what has begun goes on while the store closes
	db.openLanes()
	db.background.Go(func() { (&monitor{db: db}).run(db.life) })
	db.startJournal()
	return db, nil
}

func (db *DB) openLanes() {
	db.reads = lanes[reading]{most: maxBatch, run: db.readBatch}
	db.swaps = lanes[swap]{most: maxBatch, run: func(batch []*call[swap]) { db.swapBatch(batch, db.trySwapStates) }}
	db.rewrites = lanes[swap]{most: maxBatch, run: func(batch []*call[swap]) { db.swapBatch(batch, db.trySwapSessions) }}
	db.creations = lanes[creation]{most: maxSignIns, run: db.createBatch}
}

var errSlowClose = errors.New("postgres: closing takes too long")

// Close implements store.Backend.
func (db *DB) Close() error {
	db.closing.Do(func() {
		db.end()
		closed := make(chan struct{})
		go func() {
			db.background.Wait()
			db.pool.Close()
			close(closed)
		}()
		select {
		case <-closed:
		case <-time.After(closeGrace):
			db.closeErr = errSlowClose
		}
	})
	return db.closeErr
}

// enter is what each operation begins with: it refuses a context that has ended, and a store that cannot answer.
func (db *DB) enter(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if db.life.Err() != nil {
		return errClosed
	}
	_, outage := db.health.answers()
	return outage
}

// acquire takes a connection of the pool. The caller releases it.
func (db *DB) acquire(ctx context.Context) (*pgxpool.Conn, error) {
	if err := db.enter(ctx); err != nil {
		return nil, err
	}
	bounded, cancel := context.WithTimeout(ctx, acquireTimeout)
	defer cancel()
	conn, err := db.pool.Acquire(bounded)
	for attempt := 0; isFull(err) && pause(bounded, db.life, attempt) == nil; attempt++ {
		conn, err = db.pool.Acquire(bounded) // others of the pool may be free again
	}
	switch {
	case err == nil:
		return conn, nil
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case db.life.Err() != nil:
		return nil, errClosed
	case bounded.Err() != nil:
		return nil, errNoConnection
	}
	db.note(ctx, err)
	return nil, wrap(err)
}

// withConn runs fn with a connection of the pool, for no longer than a statement may take.
func (db *DB) withConn(ctx context.Context, fn func(ctx context.Context, conn *pgxpool.Conn) error) error {
	conn, err := db.acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	work, cancel := db.bounded(ctx)
	defer cancel()
	if err := fn(work, conn); err != nil {
		return db.failed(ctx, err)
	}
	return nil
}

// errNoConnection means that all connections were busy, or that none could be made.
var errNoConnection = fmt.Errorf("%w: postgres: no connection was free within %s", session.ErrUnavailable, acquireTimeout)

// bounded is a context that does not end with the caller's: what has been sent is not given up half-way, which would
// cost the connection. It ends by the caller's deadline, after the time of a statement, or when the server fails.
func (db *DB) bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	until := time.Now().Add(db.cfg.StatementTimeout)
	if deadline, ok := ctx.Deadline(); ok && deadline.Before(until) {
		until = deadline
	}
	serving, _ := db.health.answers()
	return context.WithDeadline(serving, until)
}

// note looks at the error of an operation, unless it says how much time the caller had.
func (db *DB) note(ctx context.Context, err error) {
	if deadline, ok := ctx.Deadline(); ctx.Err() == nil && (!ok || time.Now().Before(deadline)) {
		db.health.note(err)
	}
}

// failed is what an operation returns that could not be done. The error of the caller's context stays as it is. What an
// outage has ended says why.
func (db *DB) failed(ctx context.Context, err error) error {
	if err == ctx.Err() { //nolint:errorlint // that itself, not that of a statement
		return err
	}
	db.note(ctx, err)
	if _, outage := db.health.answers(); outage != nil && errors.Is(err, context.Canceled) {
		return outage
	}
	return wrap(err)
}
