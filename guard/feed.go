package guard

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"time"

	"issuer.example/jwt"
	"issuer.example/revocation"
)

// The pause before the next connection: up to half a second after the first failure, up to
// 5 s after several in a row. It is random, so that the verifiers of an issuer that was
// restarted do not all connect at once.
const (
	firstPause   = 500 * time.Millisecond
	longestPause = 5 * time.Second
)

// feed follows the issuer's log of revocations.
type feed struct {
	client       *client
	urls         endpoints
	keys         *keyring
	revocations  *revocations
	stats        *counters
	report       *reporter
	now          func() time.Time
	logger       *slog.Logger
	silenceLimit time.Duration // a connection without an alive for this long is closed

	failures      int  // in a row
	needsSnapshot bool // before the next connection
}

// run follows the log until the context ends.
func (f *feed) run(ctx context.Context) {
	for ctx.Err() == nil {
		err := f.follow(ctx)
		if ctx.Err() != nil {
			return
		}
		if err != nil && !errors.Is(err, io.EOF) {
			f.recordFault(err)
		}
		if !pause(ctx, f.pause(err)) {
			return
		}
		f.failures++
	}
}

// follow loads the snapshot if it is needed, and reads the stream until it ends.
func (f *feed) follow(ctx context.Context) error {
	if f.needsSnapshot {
		if err := f.loadSnapshot(ctx); err != nil {
			return err
		}
	}
	return f.readStream(ctx)
}

// recordFault notes why the feed failed. If the connection failed, or the issuer answered
// with an error, the stream can be resumed; after anything else the snapshot is needed. It
// is also needed after a stream without an alive: a guard behind a proxy that holds streams
// back learns of revocations from snapshots alone.
func (f *feed) recordFault(err error) {
	resumable := errors.Is(err, errDisconnected) || errors.Is(err, ErrStatus)
	if !resumable || errors.Is(err, errSilent) {
		f.needsSnapshot = true
	}
	f.stats.faults.Add(1)
	f.stats.setFault(&f.stats.feedFault, err, f.now())
	f.logger.Warn("following the issuer's revocations", "error", err)
}

// pause is the time until the next connection. Of Retry-After it adds up to as much again.
func (f *feed) pause(err error) time.Duration {
	d := jitter(min(firstPause<<min(f.failures, 10), longestPause))
	var status *statusError
	if errors.As(err, &status) {
		d = max(d, jitter(2*status.retryAfter))
	}
	return d
}

// loadSnapshot fetches and applies the whole list.
func (f *feed) loadSnapshot(ctx context.Context) error {
	res, err := f.client.fetch(ctx, request{
		url: f.urls.snapshot, scope: scopeRevocations, header: map[string]string{"Accept": "application/jwt"},
	}, revocation.MaxSnapshotSize)
	if err != nil {
		return fmt.Errorf("fetching the revocations: %w", err)
	}
	payload, err := f.verify(ctx, res.body, revocation.TypeSnapshot, revocation.MaxSnapshotSize)
	if err != nil {
		return fmt.Errorf("reading the revocations: %w", err)
	}
	snapshot, err := revocation.DecodeSnapshot(payload)
	if err != nil {
		return err
	}
	rolledBack, err := f.revocations.applySnapshot(snapshot, f.now())
	if err != nil {
		return err
	}
	if rolledBack {
		f.stats.rollbacks.Add(1)
		f.logger.Warn("the issuer has gone back in its log of revocations", "seq", snapshot.Next)
	}
	f.stats.snapshots.Add(1)
	f.stats.delay.Store(0)
	f.needsSnapshot = false
	f.refetchKeysIfEverythingRevoked(snapshot.Entries...)
	f.report.applied(snapshot.Next, 0)
	return nil
}

// refetchKeysIfEverythingRevoked fetches the keys again if an entry covers everything: that
// is how the issuer announces that a key was compromised.
func (f *feed) refetchKeysIfEverythingRevoked(entries ...revocation.Entry) {
	if slices.ContainsFunc(entries, func(e revocation.Entry) bool { return e.Scope.Kind == revocation.KindEverything }) {
		f.keys.fetchFromNow()
	}
}

// verify checks the signature of a message. If its key is unknown, the keys are fetched
// once. The cool-down for tokens does not apply, because an attacker can use it up; the
// pauses between connections bound the fetches instead, since an unknown key ends one.
func (f *feed) verify(ctx context.Context, text []byte, typ string, limit int) ([]byte, error) {
	seen := f.keys.generation()
	payload, err := jwt.VerifyDocument(text, f.keys, typ, limit)
	if isUnknownKey(err) && f.keys.update(ctx, 0, seen) {
		payload, err = jwt.VerifyDocument(text, f.keys, typ, limit)
	}
	return payload, err
}
