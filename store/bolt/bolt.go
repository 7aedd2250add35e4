package bolt

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"go.etcd.io/bbolt"

	"issuer.example/session"
	"issuer.example/sid"
	"issuer.example/store"
)

var _ store.Backend = (*DB)(nil)

// errClosed is what a closed store answers.
var errClosed = fmt.Errorf("%w: closed", session.ErrUnavailable)

// Config says how to open a store.
type Config struct {
	// Path is the data file. It is made if it is missing, with its folder. Required.
	Path string
	// Check reads the whole file at [Open] and refuses it if anything in it does not
	// add up. It takes about a second for a million sessions.
	Check bool
	// Logger is told of failures and of slow steps. nil: slog.Default.
	Logger *slog.Logger
	// Observe is told of each commit, on the goroutine that commits: it must not block.
	// nil: nobody is.
	Observe func(Commit)

	journal int // states that fill a journal; 0: journalLen
}

// Commit is what one commit was like.
type Commit struct {
	Callers int           // how many transactions shared it
	Took    time.Duration // from the first one's turn until it was durable
}

// DB is an open store. It is safe for concurrent use.
type DB struct {
	cfg    Config
	handle atomic.Pointer[handle] // nil while the store does not answer
	queue  chan *op
	broken chan *handle // a handle to be replaced

	published atomic.Pointer[counters] // those of the newest commit

	closing   chan struct{} // closed by Close
	stopped   chan struct{} // closed when the committer has ended
	cancel    context.CancelFunc
	recovered sync.WaitGroup // ends when nothing brings the store back any more
	watchers  watchers
	closeOnce sync.Once
	closeErr  error

	mu      sync.Mutex // also held while handle is set to nil
	failure error      // why it is
}

// handle is the open file. A failure replaces it by another.
type handle struct {
	bolt     *bbolt.DB
	file     *os.File // the same, which bolt closes
	codec    codec
	counters counters // the committer's
	journal  *journal
	durable  *watermark
	stuck    atomic.Bool // bbolt is locked for ever: Close would never return
}

// Open opens the data file, or makes one where there is none. The errors that it refuses
// a file with are in errors.go; none of them changes the file.
func Open(ctx context.Context, cfg Config) (*DB, error) {
	if cfg.Path == "" {
		return nil, errors.New("bolt: Path is required")
	}
	cfg.Logger = cmp.Or(cfg.Logger, slog.Default())
	db := &DB{
		cfg: cfg, queue: make(chan *op, maxQueue), broken: make(chan *handle, 1),
		closing: make(chan struct{}), stopped: make(chan struct{}),
	}
	h, err := db.open(ctx)
	if err != nil {
		return nil, fmt.Errorf("opening store %s: %w", cfg.Path, err)
	}
	db.install(h)
	recovering, cancel := context.WithCancel(context.WithoutCancel(ctx))
	db.cancel = cancel
	go db.commitLoop()
	db.recovered.Go(func() { db.recoverLoop(recovering) })
	return db, nil
}

// install puts a handle into service.
func (db *DB) install(h *handle) {
	now := h.counters
	db.published.Store(&now)
	db.setFailure(nil)
	db.handle.Store(h)
	db.watchers.wake() // what a failed commit wrote may be there after all
}

// View implements [session.Store].
func (db *DB) View(ctx context.Context, fn func(session.Reader) error) error {
	return db.view(ctx, func(v *view) error { return fn(v) })
}

func (db *DB) view(ctx context.Context, fn func(*view) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	h := db.handle.Load()
	if h == nil {
		return db.unavailable()
	}
	seen, fault, err := h.read(fn)
	if fault != nil {
		db.fail(h, fault)
		return session.ErrUnavailable
	}
	if !h.durable.wait(seen) {
		return db.unavailable()
	}
	return err
}

// read runs fn on the newest snapshot and returns the number of its transaction.
func (h *handle) read(fn func(*view) error) (seen uint64, fault, err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	low := h.durable.reached()
	h.journal.readers.enter(low)
	defer h.journal.readers.leave(low)
	t, fault := h.snapshot()
	if fault != nil {
		return 0, fault, nil
	}
	defer t.Rollback()                          //nolint:errcheck // of a read-only transaction
	v := &view{h: h, tx: t, at: uint64(t.ID())} //nolint:gosec // never negative
	err = fn(v)
	return v.at, v.fault, err
}

func (h *handle) snapshot() (t *bbolt.Tx, err error) {
	defer recovered("beginning to read", &err)
	return h.transaction(false)
}

// Update implements [session.Store].
func (db *DB) Update(ctx context.Context, fn func(session.Tx) error) error {
	return db.update(ctx, func(t *tx) error { return fn(t) })
}

// LastID implements [store.Status].
func (db *DB) LastID() sid.ID { return db.published.Load().last }

// Live implements [store.Status].
func (db *DB) Live() int64 { return db.published.Load().live }

// Healthy implements [store.Status].
func (db *DB) Healthy() error {
	if db.handle.Load() != nil {
		return nil
	}
	return db.unavailable()
}

func (db *DB) setFailure(err error) {
	db.mu.Lock()
	defer db.mu.Unlock()
	db.failure = err
}

// unavailable is what callers get while the store does not answer.
func (db *DB) unavailable() error {
	db.mu.Lock()
	defer db.mu.Unlock()
	if db.failure == nil {
		return session.ErrUnavailable
	}
	return fmt.Errorf("%w: %w", session.ErrUnavailable, db.failure)
}

// Close implements [store.Backend].
func (db *DB) Close() error {
	db.closeOnce.Do(func() {
		close(db.closing)
		db.cancel()
		<-db.stopped
		db.recovered.Wait()
		db.mu.Lock()
		h := db.handle.Swap(nil)
		db.failure = errors.New("closed")
		db.mu.Unlock()
		if h != nil {
			db.closeErr = h.close()
			h.durable.abandon()
		}
		select {
		case h := <-db.broken: // it failed too late to be replaced
			db.closeErr = h.abandon()
		default:
		}
	})
	return db.closeErr
}
