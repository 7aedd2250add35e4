package guard

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"slices"
	"strconv"
	"time"

	"issuer.example/jwt"
	"issuer.example/revocation"
	"issuer.example/revocation/list"
)

// The pause before a connection is made anew: half a second at most at first, 5 s at
// most after several failures, with jitter, so that the verifiers of an issuer that was
// restarted do not all come at once.
const (
	firstPause   = 500 * time.Millisecond
	longestPause = 5 * time.Second
)

// feed follows the issuer's log.
type feed struct {
	client *client
	where  endpoints
	keys   *keyring
	ledger *ledger
	stats  *counters
	report *reporter
	now    func() time.Time
	logger *slog.Logger
	idle   time.Duration // after so long without an alive a connection is given up

	failures int  // in a row
	resync   bool // the snapshot is needed
}

// run follows the log until the context ends.
func (f *feed) run(ctx context.Context) {
	for ctx.Err() == nil {
		err := f.step(ctx)
		if ctx.Err() != nil {
			return
		}
		if err != nil && !errors.Is(err, io.EOF) {
			f.fault(err)
		}
		if !pause(ctx, f.pause(err)) {
			return
		}
		f.failures++
	}
}

// step takes the snapshot if it is needed, and reads the stream until it ends.
func (f *feed) step(ctx context.Context) error {
	if f.resync {
		if err := f.snapshot(ctx); err != nil {
			return err
		}
	}
	return f.stream(ctx)
}

// fault notes what was wrong. The log is resumed where it was when a connection was lost
// or refused; anything else makes the snapshot necessary. So does a stream that says
// nothing: behind a proxy that holds streams back the guard lives by snapshots.
func (f *feed) fault(err error) {
	lost := errors.Is(err, errLost) || errors.Is(err, ErrStatus)
	if !lost || errors.Is(err, errSilent) {
		f.resync = true
	}
	f.stats.faults.Add(1)
	f.stats.setFault(&f.stats.feedFault, err, f.now())
	f.logger.Warn("following the issuer's revocations", "error", err)
}

func (f *feed) pause(err error) time.Duration {
	d := jitter(min(firstPause<<min(f.failures, 10), longestPause))
	var status *statusError
	if errors.As(err, &status) {
		d = max(d, jitter(2*status.retry)) // Retry-After to twice of it
	}
	return d
}

var (
	// errLost means that a connection failed. The log can be resumed where it was.
	errLost = errors.New("guard: connection to the issuer lost")
	// errSilent means that no alive came, for too long or until the end.
	errSilent = errors.New("the stream is silent")
)

// lost is why a connection failed.
func lost(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); errors.Is(cause, errSilent) {
		err = cause
	}
	return fmt.Errorf("%w: %w", errLost, err)
}

// snapshot loads the whole list.
func (f *feed) snapshot(ctx context.Context) error {
	res, err := f.client.fetch(ctx, request{
		url: f.where.snapshot, scope: scopeRevocations, header: map[string]string{"Accept": "application/jwt"},
	}, revocation.MaxSnapshotSize)
	if err != nil {
		return fmt.Errorf("fetching the revocations: %w", err)
	}
	payload, err := f.verify(ctx, res.body, revocation.TypeSnapshot, revocation.MaxSnapshotSize)
	if err != nil {
		return fmt.Errorf("reading the revocations: %w", err)
	}
	list, err := revocation.DecodeSnapshot(payload)
	if err != nil {
		return err
	}
	rolledBack, err := f.ledger.snapshot(list, f.now())
	if err != nil {
		return err
	}
	if rolledBack {
		f.stats.rollbacks.Add(1)
		f.logger.Warn("the issuer has gone back in its log of revocations", "seq", list.Next)
	}
	f.stats.snapshots.Add(1)
	f.stats.delay.Store(0)
	f.resync = false
	f.heed(list.Entries...)
	f.report.applied(list.Next, 0)
	return nil
}

// heed looks at the keys anew when everything was revoked: that is how the issuer says that
// one was compromised.
func (f *feed) heed(entries ...revocation.Entry) {
	if slices.ContainsFunc(entries, func(e revocation.Entry) bool { return e.Scope.Kind == revocation.KindEverything }) {
		f.keys.distrust()
	}
}

// verify checks the signature of a message. A key that is not known may be a new one. It
// is looked for without the cool-down that tokens have, which an attacker could keep busy:
// if it is not found the connection ends, so that the pauses between those bound it.
func (f *feed) verify(ctx context.Context, text []byte, typ string, limit int) ([]byte, error) {
	seen := f.keys.number()
	payload, err := jwt.VerifyDocument(text, f.keys, typ, limit)
	if unknownKey(err) && f.keys.renew(ctx, 0, seen) {
		payload, err = jwt.VerifyDocument(text, f.keys, typ, limit)
	}
	return payload, err
}

// stream reads events until the connection ends. A clean end is [io.EOF].
func (f *feed) stream(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	watch := time.AfterFunc(f.idle, func() { cancel(errSilent) })
	defer watch.Stop()

	seq, _ := f.ledger.position()
	res, err := f.client.do(ctx, request{url: f.where.stream, scope: scopeRevocations, header: map[string]string{
		"Accept": "text/event-stream", "Cache-Control": "no-store", "Last-Event-ID": strconv.FormatUint(seq, 10),
	}})
	var status *statusError
	switch {
	case errors.As(err, &status), errors.Is(err, ErrRedirect):
		return fmt.Errorf("connecting to the stream: %w", err)
	case err != nil:
		return lost(ctx, err)
	}
	defer func() { _ = res.Body.Close() }()
	if kind, _, _ := mime.ParseMediaType(res.Header.Get("Content-Type")); kind != "text/event-stream" {
		return fmt.Errorf("%w: the stream has another content type", ErrFrame)
	}
	f.stats.connections.Add(1)
	defer f.stats.connected.Store(false)
	frames := list.NewFrameReader(res.Body)
	for {
		frame, err := frames.Next()
		switch {
		case errors.Is(err, io.EOF) && !f.stats.connected.Load():
			return fmt.Errorf("%w: %w until its end", errLost, errSilent)
		case errors.Is(err, io.EOF), errors.Is(err, list.ErrFrameSize):
			return err
		case err != nil:
			return lost(ctx, err)
		}
		if err := f.take(ctx, frame); err != nil {
			return err
		}
		if frame.Event == revocation.FrameAlive {
			watch.Reset(f.idle)
		}
	}
}

// take applies one frame.
func (f *feed) take(ctx context.Context, frame list.Frame) error {
	switch frame.Event {
	case revocation.FrameRevoked:
		return f.revoked(ctx, frame)
	case revocation.FrameAlive:
		return f.alive(ctx, frame)
	case revocation.FrameGone:
		return ErrGone
	default:
		return ErrFrame
	}
}

func (f *feed) revoked(ctx context.Context, frame list.Frame) error {
	payload, err := f.verify(ctx, frame.Data, revocation.TypeEvent, jwt.MaxTokenSize)
	if err != nil {
		return fmt.Errorf("reading an event: %w", err)
	}
	event, err := revocation.DecodeEvent(payload)
	if err != nil {
		return err
	}
	if frame.ID != strconv.FormatUint(event.Entry.Seq, 10) {
		return fmt.Errorf("%w: its id is not the event's number", ErrFrame)
	}
	if err := f.ledger.event(event); err != nil {
		return err
	}
	delay := max(f.now().Sub(event.Entry.At), 0)
	f.stats.delay.Store(int64(delay))
	f.report.applied(event.Entry.Seq, delay)
	f.heed(event.Entry)
	return nil
}

func (f *feed) alive(ctx context.Context, frame list.Frame) error {
	payload, err := f.verify(ctx, frame.Data, revocation.TypeAlive, jwt.MaxTokenSize)
	if err != nil {
		return fmt.Errorf("reading an alive: %w", err)
	}
	alive, err := revocation.DecodeAlive(payload)
	if err != nil {
		return err
	}
	if err := f.ledger.alive(alive, f.now()); err != nil {
		return err
	}
	f.failures = 0
	f.stats.setFault(&f.stats.feedFault, nil, time.Time{}) // first: whoever sees that it is connected sees no fault
	f.stats.connected.Store(true)
	return nil
}
