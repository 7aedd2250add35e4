package bolt

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"go.etcd.io/bbolt"

	"issuer.example/sid"
	"issuer.example/store/bolt/internal/file"
	"issuer.example/store/bolt/internal/journal"
)

// handle is the open file. A failure replaces it by another.
//
// bbolt panics with its locks held when it cannot read the headers of a file, for example
// because that has been cut short. A caller that needs one of its locks afterwards would wait for
// ever. So transactions begin and end under a lock of our own, which says when bbolt must
// not be used any more; and the file is then let go without bbolt, whose mapping, with the
// goroutine of a commit that was under way, stays until the process ends.
type handle struct {
	bolt      *bbolt.DB
	file      *os.File // the same, which bolt closes
	codec     codec
	schema    uint32   // of the file, before it was upgraded
	counters  counters // the committer's
	journal   *journal.Journal
	durable   *watermark
	sweep     sweepMemory // the committer's
	factsKeep time.Duration
	log       *slog.Logger
	failed    atomic.Bool // nothing may be committed any more
	doubtful  atomic.Bool // bbolt may have been left locked by a commit that panicked

	gate   sync.Mutex    // held while a transaction begins, and while one that reads ends
	closed bool          // by the gate: no transaction may begin
	stuck  chan struct{} // closed, under the gate, when bbolt has been left locked
}

// newHandle takes over a mapped file, and closes it if it is not ours.
func (db *DB) newHandle(mapped *bbolt.DB, f *os.File) (_ *handle, err error) {
	h := &handle{
		bolt: mapped, file: f, journal: newJournal(db.cfg.journal), factsKeep: db.cfg.FactsKeep,
		log: db.cfg.Logger, sweep: sweepMemory{retry: make(map[string]time.Time)}, stuck: make(chan struct{}),
	}
	if h.codec, err = newCodec(); err == nil {
		err = h.view(h.load)
	}
	if err != nil {
		return nil, errors.Join(err, h.abandon()) // with it goes the lock
	}
	return h, nil
}

// load reads what a handle keeps in memory.
func (h *handle) load(v *view) (err error) {
	h.durable = newWatermark(v.at)
	if h.schema, err = checkSchema(v.tx); err != nil {
		return err
	}
	read := decodeCounters
	if h.schema == 1 {
		read = decodeCountersV1
	}
	if h.counters, err = read(v.get(meta, []byte(keyCounters))); err != nil {
		return err
	}
	return h.loadJournal(v.tx)
}

// readCounters reads the counters again, after the file has been upgraded.
func (h *handle) readCounters() error {
	return h.view(func(v *view) (err error) {
		h.durable.raise(v.at)
		h.counters, err = v.counters()
		return err
	})
}

// view runs fn on the file as it is. Nobody else uses the handle yet.
func (h *handle) view(fn func(*view) error) error {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	t, err := h.transaction(false)
	if err != nil {
		return err
	}
	defer h.endRead(t)
	v := &view{h: h, tx: t, at: uint64(t.ID())} //nolint:gosec // never negative
	if err := v.run(fn); v.fault == nil {
		return err
	}
	return fmt.Errorf("%w: %w", ErrDamaged, v.fault)
}

var errStuck = errors.New("bbolt is locked, after it could not read the file")

// transaction begins a transaction of bbolt. The caller has [debug.SetPanicOnFault] on.
func (h *handle) transaction(writable bool) (t *bbolt.Tx, err error) {
	h.gate.Lock()
	defer h.gate.Unlock()
	if h.closed {
		return nil, errClosed
	}
	if h.isStuck() {
		return nil, errStuck
	}
	defer func() {
		if p := recover(); p != nil {
			close(h.stuck)
			err = fmt.Errorf("%w: beginning a transaction: %v", ErrDamaged, p)
		}
	}()
	return h.bolt.Begin(writable)
}

// endRead ends a transaction that reads.
func (h *handle) endRead(t *bbolt.Tx) {
	h.gate.Lock()
	defer h.gate.Unlock()
	if !h.isStuck() {
		_ = t.Rollback() // of a transaction that has written nothing
	}
}

// isStuck reports whether bbolt has been left locked.
func (h *handle) isStuck() bool {
	select {
	case <-h.stuck:
		return true
	default:
		return false
	}
}

// commit commits a transaction. It gives up when bbolt is left locked meanwhile, and leaves
// the transaction to a goroutine that may then wait for ever.
func (h *handle) commit(t *bbolt.Tx) error {
	done := make(chan error, 1)
	go func() {
		debug.SetPanicOnFault(true)
		defer func() {
			if p := recover(); p != nil {
				h.doubtful.Store(true)
				done <- fmt.Errorf("committing: %v", p)
			}
		}()
		done <- t.Commit()
	}()
	select {
	case err := <-done:
		return err
	case <-h.stuck:
		return errStuck
	}
}

// probe commits what is there already, and counts it as durable.
func (h *handle) probe() error {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	t, err := h.transaction(true)
	if err != nil {
		return err
	}
	err = t.Bucket(meta.name()).Put([]byte(keyCounters), h.counters.encode())
	if err != nil {
		return errors.Join(err, t.Rollback())
	}
	id := uint64(t.ID()) //nolint:gosec // never negative
	if err := h.commit(t); err != nil {
		return err
	}
	h.durable.raise(id)
	return nil
}

// close closes the file after a last commit that puts the list of its free pages on disk,
// so that the next open need not search for them. Commits go without, because the list of
// a large store is long.
func (h *handle) close() error {
	return errors.Join(h.commitFreelist(), h.abandon())
}

func (h *handle) commitFreelist() error {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	h.bolt.NoFreelistSync = false
	t, err := h.transaction(true)
	if err != nil {
		return err
	}
	return h.commit(t)
}

// abandon closes the file as it is. It waits for the readers.
func (h *handle) abandon() error {
	h.gate.Lock()
	h.closed = true
	stuck := h.isStuck()
	h.gate.Unlock()
	switch {
	case stuck:
		return file.Close(h.file)
	case h.doubtful.Load():
		return h.tryClose()
	}
	return h.closeBolt()
}

func (h *handle) closeBolt() (err error) {
	defer recovered("closing", &err)
	return h.bolt.Close()
}

// closeWait is how long a file whose bbolt may be locked is given to close.
const closeWait = time.Second

// tryClose closes the file without bbolt if bbolt does not do it in time.
func (h *handle) tryClose() error {
	done := make(chan error, 1)
	go func() { done <- h.closeBolt() }()
	timer := time.NewTimer(closeWait)
	defer timer.Stop()
	select {
	case err := <-done:
		return err
	case <-timer.C:
		return file.Close(h.file)
	}
}

func newJournal(limit int) *journal.Journal {
	return journal.New(journal.Buckets{States: states.name(), A: journalA.name(), B: journalB.name()}, limit)
}

func (h *handle) loadJournal(tx *bbolt.Tx) error {
	err := h.journal.Load(tx, func(id sid.ID, raw []byte) error {
		_, err := decodeState(id, raw)
		return err
	})
	if errors.Is(err, journal.ErrEntry) {
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return err
}
