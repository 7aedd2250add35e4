package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"issuer.example/session"
)

// faultShown is for how long the store is not healthy after a statement for which the server had no room, no time or no
// tables.
const faultShown = 10 * time.Second

// health is what is known of the server. It is safe for concurrent use.
type health struct {
	suspected chan struct{} // has a value when an operation has met with what may be an outage

	mu      sync.Mutex
	outage  error              // why the server cannot answer; nil while it can
	base    context.Context    //nolint:containedctx // what serving derives from
	serving context.Context    //nolint:containedctx // ends when an outage begins
	fail    context.CancelFunc // ends serving
	fault   error              // of the last statement for which there was no room, no time or no table
	faultAt time.Time
}

// begin makes the health of a server that answers.
func (h *health) begin(ctx context.Context) {
	h.suspected = make(chan struct{}, 1)
	h.base = ctx
	h.serving, h.fail = context.WithCancel(ctx)
}

// Healthy implements store.Status.
func (db *DB) Healthy() error {
	if db.life.Err() != nil {
		return errClosed
	}
	h := &db.health
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.outage == nil && h.fault != nil && time.Since(h.faultAt) < faultShown {
		return h.fault
	}
	return h.outage
}

// answers returns what operations are bound to while the server answers, or why it does not.
func (h *health) answers() (context.Context, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.serving, h.outage
}

// note looks at the error of an operation: it may be the first sign of an outage.
func (h *health) note(err error) {
	switch code := sqlState(err); {
	case err == nil:
		return
	case strings.HasPrefix(code, "53"), code == "57014", errors.Is(err, context.DeadlineExceeded), pgconn.Timeout(err):
		h.failedWith("the database could not do its work", err)
	case isTablesLost(code):
		h.failedWith("the tables cannot be used", err)
		return
	case !isUnavailable(err) || isRetryable(err):
		return
	}
	select {
	case h.suspected <- struct{}{}:
	default:
	}
}

// failedWith records why the server has not done its work.
func (h *health) failedWith(what string, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.fault, h.faultAt = fmt.Errorf("%w: %s: %w", session.ErrUnavailable, what, hidden{err}), time.Now()
}

// wrote records that the server has done its work.
func (h *health) wrote() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.fault = nil
}

// outageBegins refuses operations from now on, and ends those that are under way. It reports whether that is new.
func (h *health) outageBegins(err error) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	begins := h.outage == nil
	h.outage = fmt.Errorf("%w: the database cannot be used now: %w", session.ErrUnavailable, hidden{err})
	h.fail()
	return begins
}

// outageEnds lets operations in again.
func (h *health) outageEnds() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.outage == nil {
		return false
	}
	h.outage, h.fault = nil, nil
	h.serving, h.fail = context.WithCancel(h.base)
	return true
}
