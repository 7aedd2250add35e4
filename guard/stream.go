package guard

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"
	"time"

	"issuer.example/jwt"
	"issuer.example/revocation"
	"issuer.example/revocation/list"
)

// The pause before the next connection: up to half a second after the first failure, up to
// 5 s after several in a row. It is random, so that the verifiers of an issuer that was
// restarted do not all connect at once.
const (
	firstPause   = 500 * time.Millisecond
	longestPause = 5 * time.Second
)

var (
	// errDisconnected means that the connection failed. The stream can be resumed.
	errDisconnected = errors.New("guard: connection to the issuer lost")
	// errSilent means that no alive came in time, or none until the end of the stream.
	errSilent = errors.New("the stream is silent")
)

// stream follows the issuer's log of revocations by its stream.
type stream struct {
	*follower

	snapshots *snapshots
	failures  int // in a row
}

// connection is one connection of the stream.
type connection struct {
	*stream

	cursor  uint64    // the number of the newest entry that the stream has sent
	heard   time.Time // when the first alive came; zero before that
	silence *time.Timer
}

// disconnected wraps why a connection failed.
func disconnected(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); errors.Is(cause, errSilent) {
		err = cause
	}
	return fmt.Errorf("%w: %w", errDisconnected, err)
}

// run follows the stream until the context ends. It begins after the first snapshot.
func (s *stream) run(ctx context.Context) {
	select {
	case <-s.snapshots.applied:
	case <-ctx.Done():
	}
	for ctx.Err() == nil {
		err := s.read(ctx)
		if ctx.Err() != nil {
			return
		}
		if err != nil && !errors.Is(err, io.EOF) {
			s.recordFault(err)
			if needsSnapshot(err) {
				s.snapshots.demand()
			}
		}
		if !pause(ctx, s.pause(err)) {
			return
		}
		s.failures++
	}
}

// needsSnapshot reports whether the messages of the stream were at fault. If the connection
// failed, or the issuer answered with an error, the stream can be resumed.
func needsSnapshot(err error) bool {
	return !errors.Is(err, errDisconnected) && !errors.Is(err, ErrStatus) && !errors.Is(err, ErrRedirect)
}

// pause is the time until the next connection. Of Retry-After, which the client has
// bounded, it adds up to half of it again, within the bound.
func (s *stream) pause(err error) time.Duration {
	d := jitter(min(firstPause<<min(s.failures, maxRetries), longestPause))
	var status *statusError
	if errors.As(err, &status) {
		d = max(d, min(status.retryAfter+upTo(status.retryAfter/2), max(s.maxStaleness/3, status.retryAfter)))
	}
	return d
}

// read connects and applies frames until the connection ends. A clean end is [io.EOF].
func (s *stream) read(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	c := &connection{stream: s, silence: time.AfterFunc(s.silenceLimit(), func() { cancel(errSilent) })}
	defer c.end()
	res, err := c.connect(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	s.stats.connections.Add(1)
	frames := list.NewFrameReader(res.Body)
	for {
		frame, err := frames.Next()
		if err != nil {
			return c.endOfStream(ctx, err)
		}
		if err := c.apply(ctx, frame); err != nil {
			return err
		}
	}
}

// end notes that the connection is over. If it was good for a while, the pauses start
// again with the shortest.
func (c *connection) end() {
	c.silence.Stop()
	if !c.heard.IsZero() && time.Since(c.heard) >= c.maxStaleness/3 {
		c.failures = 0
	}
	c.stats.connected.Store(false)
	c.snapshots.setHeard(false)
}

// connect opens the stream after the newest entry applied. The caller closes its body.
func (c *connection) connect(ctx context.Context) (*http.Response, error) {
	urls, err := c.discovery.endpoints(ctx)
	if err != nil {
		return nil, disconnected(ctx, err)
	}
	c.cursor, _ = c.revocations.position()
	res, err := c.client.do(ctx, request{
		url:   unique(urls.stream + "?verifier=" + c.name + "&"), // the characters of a name need no escape
		scope: scopeRevocations,
		header: map[string]string{
			"Accept": "text/event-stream", "Cache-Control": "no-store", "Last-Event-ID": strconv.FormatUint(c.cursor, 10),
		},
	})
	var status *statusError
	switch {
	case errors.As(err, &status), errors.Is(err, ErrRedirect):
		return nil, fmt.Errorf("connecting to the stream: %w", err)
	case err != nil:
		return nil, disconnected(ctx, err)
	}
	if kind, _, _ := mime.ParseMediaType(res.Header.Get("Content-Type")); kind != "text/event-stream" {
		_ = res.Body.Close()
		return nil, fmt.Errorf("%w: the stream has another content type", ErrFrame)
	}
	return res, nil
}

// endOfStream says what the error of a stream means for the feed.
func (c *connection) endOfStream(ctx context.Context, err error) error {
	switch {
	case errors.Is(err, io.EOF) && c.heard.IsZero():
		return fmt.Errorf("%w: %w until its end", errDisconnected, errSilent)
	case errors.Is(err, io.EOF), errors.Is(err, list.ErrFrameSize):
		return err
	default:
		return disconnected(ctx, err)
	}
}

// apply applies a frame. A frame of an unknown kind is skipped: a proxy has added it, or a
// newer issuer has sent it.
func (c *connection) apply(ctx context.Context, frame list.Frame) error {
	switch frame.Event {
	case revocation.FrameRevoked:
		return c.applyEvent(ctx, frame)
	case revocation.FrameAlive:
		return c.applyAlive(ctx, frame)
	case revocation.FrameGone:
		return ErrGone
	default:
		return nil
	}
}

func (c *connection) applyEvent(ctx context.Context, frame list.Frame) error {
	payload, err := c.verify(ctx, frame.Data, revocation.TypeEvent, jwt.MaxTokenSize)
	if err != nil {
		return fmt.Errorf("reading an event: %w", err)
	}
	event, err := revocation.DecodeEvent(payload)
	if err != nil {
		return err
	}
	if frame.ID != strconv.FormatUint(event.Entry.Seq, 10) {
		return fmt.Errorf("%w: its id is not the number of the event", ErrFrame)
	}
	applied, err := c.revocations.applyEvent(event, c.cursor)
	if err != nil {
		return err
	}
	c.cursor++
	if !applied { // a snapshot had it
		return nil
	}
	c.state.keepEvent(frame.Data, event.Entry.Seq)
	if c.state.full() {
		c.snapshots.demand()
	}
	delay := max(c.now().Sub(event.Entry.At), 0)
	c.stats.delay.Store(int64(delay))
	c.report.applied(event.Entry.Seq, delay)
	c.refetchKeysIfEverythingRevoked(event.Entry)
	return nil
}

func (c *connection) applyAlive(ctx context.Context, frame list.Frame) error {
	payload, err := c.verify(ctx, frame.Data, revocation.TypeAlive, jwt.MaxTokenSize)
	if err != nil {
		return fmt.Errorf("reading an alive: %w", err)
	}
	alive, err := revocation.DecodeAlive(payload)
	if err != nil {
		return err
	}
	proof, err := c.revocations.applyAlive(alive, c.cursor, c.now())
	if err != nil {
		return err
	}
	if proof {
		c.state.keepAlive(frame.Data)
		c.snapshots.proven()
		c.silence.Reset(c.silenceLimit())
	}
	if c.heard.IsZero() {
		c.heard = time.Now()
		c.snapshots.setHeard(true)
	}
	c.stats.setFault(&c.stats.feedFault, nil, time.Time{}) // before connected, so that Stats never shows both
	c.stats.connected.Store(true)
	return nil
}
