package bolt

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"issuer.example/session"
	"issuer.example/store"
	"issuer.example/store/bolt/internal/file"
)

var _ store.Backend = (*DB)(nil)

// errClosed is what a closed store answers.
var errClosed = fmt.Errorf("%w: closed", session.ErrUnavailable)

const (
	defaultFactsKeep  = time.Hour
	minFactsKeep      = time.Minute
	defaultCloseGrace = 5 * time.Second
)

// Config says how to open a store.
type Config struct {
	// Path is the data file. It is made if it is missing, with its folder. Required.
	Path string
	// Check reads the whole file at [Open] and refuses it if anything in it does not
	// add up. It takes about a second for a million sessions.
	Check bool
	// FactsKeep is how long facts are kept for their readers. Facts that verifiers need are
	// kept for longer, if they need them for longer. 0: one hour; otherwise at least a
	// minute.
	FactsKeep time.Duration
	// LockWait is how long [Open] waits for another process to let go of the file. 0: it is
	// [ErrLocked] at once.
	LockWait time.Duration
	// CloseGrace is how long [DB.Close] waits for a disk that does not answer. 0: 5 seconds.
	CloseGrace time.Duration
	// Logger gets failures and slow steps. nil: slog.Default.
	Logger *slog.Logger
	// Observe is called after each commit, on the goroutine that commits: it must not block.
	// nil: nothing is called.
	Observe func(Commit)

	journal   int    // states that fill a journal; 0: as many as it takes by itself
	committed func() // called between a commit and its acknowledgement; nil: nothing is
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

	published  atomic.Pointer[counters]  // those of the newest commit
	committing atomic.Pointer[time.Time] // since when the oldest caller of the committer waits

	closing   chan struct{} // closed by Close
	stopped   chan struct{} // closed when the committer has ended
	gaveUp    chan struct{} // closed when Close does not wait for it any longer
	cancel    context.CancelFunc
	recovered sync.WaitGroup // ends when nothing brings the store back any more
	watchers  watchers
	closeOnce sync.Once
	closeErr  error

	mu      sync.Mutex // also held while handle is set to nil
	failure error      // why it is
	retired *handle    // what Close closes
}

// Open opens the data file, or makes one where there is none. The errors that it refuses
// a file with are in errors.go; none of them changes the file.
func Open(ctx context.Context, cfg Config) (*DB, error) {
	if cfg.Path == "" {
		return nil, errors.New("bolt: Path is required")
	}
	cfg.FactsKeep = cmp.Or(cfg.FactsKeep, defaultFactsKeep)
	if cfg.FactsKeep < minFactsKeep {
		return nil, fmt.Errorf("bolt: FactsKeep is %v; it must be at least %v", cfg.FactsKeep, minFactsKeep)
	}
	cfg.CloseGrace = cmp.Or(cfg.CloseGrace, defaultCloseGrace)
	cfg.Logger = cmp.Or(cfg.Logger, slog.Default())
	db := &DB{
		cfg: cfg, queue: make(chan *op, maxQueue), broken: make(chan *handle, 1),
		closing: make(chan struct{}), stopped: make(chan struct{}), gaveUp: make(chan struct{}),
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

// CheckPath returns the error with which [Open] would refuse the permissions of the data file
// and of its folder, and says which modes it would change. It changes nothing. A file that does
// not exist yet is no error.
func CheckPath(path string) (repairs []string, err error) {
	if repairs, err = file.CheckAccess(path); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return repairs, nil
}

// install puts a handle into service.
func (db *DB) install(h *handle) {
	now := h.counters
	db.published.Store(&now)
	db.setFailure(nil)
	db.handle.Store(h)
	db.watchers.wake() // what a failed commit wrote may be there after all
}

// Live implements [store.Status].
func (db *DB) Live() int64 { return db.published.Load().live }

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
