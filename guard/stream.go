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

var (
	// errDisconnected means that the connection failed. The stream can be resumed.
	errDisconnected = errors.New("guard: connection to the issuer lost")
	// errSilent means that no alive came in time, or none until the end of the stream.
	errSilent = errors.New("the stream is silent")
)

// disconnected wraps why a connection failed.
func disconnected(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); errors.Is(cause, errSilent) {
		err = cause
	}
	return fmt.Errorf("%w: %w", errDisconnected, err)
}

// readStream connects and applies frames until the connection ends. A clean end is
// [io.EOF].
func (f *feed) readStream(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	silence := time.AfterFunc(f.silenceLimit, func() { cancel(errSilent) })
	defer silence.Stop()
	res, err := f.connect(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	f.stats.connections.Add(1)
	defer f.stats.connected.Store(false)
	frames := list.NewFrameReader(res.Body)
	for {
		frame, err := frames.Next()
		if err != nil {
			return f.endOfStream(ctx, err)
		}
		if err := f.apply(ctx, frame); err != nil {
			return err
		}
		if frame.Event == revocation.FrameAlive {
			silence.Reset(f.silenceLimit)
		}
	}
}

// connect opens the stream after the newest entry applied. The caller closes its body.
func (f *feed) connect(ctx context.Context) (*http.Response, error) {
	seq, _ := f.revocations.position()
	res, err := f.client.do(ctx, request{url: f.urls.stream, scope: scopeRevocations, header: map[string]string{
		"Accept": "text/event-stream", "Cache-Control": "no-store", "Last-Event-ID": strconv.FormatUint(seq, 10),
	}})
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
func (f *feed) endOfStream(ctx context.Context, err error) error {
	switch {
	case errors.Is(err, io.EOF) && !f.stats.connected.Load():
		return fmt.Errorf("%w: %w until its end", errDisconnected, errSilent)
	case errors.Is(err, io.EOF), errors.Is(err, list.ErrFrameSize):
		return err
	default:
		return disconnected(ctx, err)
	}
}

func (f *feed) apply(ctx context.Context, frame list.Frame) error {
	switch frame.Event {
	case revocation.FrameRevoked:
		return f.applyEvent(ctx, frame)
	case revocation.FrameAlive:
		return f.applyAlive(ctx, frame)
	case revocation.FrameGone:
		return ErrGone
	default:
		return ErrFrame
	}
}

func (f *feed) applyEvent(ctx context.Context, frame list.Frame) error {
	payload, err := f.verify(ctx, frame.Data, revocation.TypeEvent, jwt.MaxTokenSize)
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
	if err := f.revocations.applyEvent(event); err != nil {
		return err
	}
	delay := max(f.now().Sub(event.Entry.At), 0)
	f.stats.delay.Store(int64(delay))
	f.report.applied(event.Entry.Seq, delay)
	f.refetchKeysIfEverythingRevoked(event.Entry)
	return nil
}

func (f *feed) applyAlive(ctx context.Context, frame list.Frame) error {
	payload, err := f.verify(ctx, frame.Data, revocation.TypeAlive, jwt.MaxTokenSize)
	if err != nil {
		return fmt.Errorf("reading an alive: %w", err)
	}
	alive, err := revocation.DecodeAlive(payload)
	if err != nil {
		return err
	}
	if err := f.revocations.applyAlive(alive, f.now()); err != nil {
		return err
	}
	f.failures = 0
	f.stats.setFault(&f.stats.feedFault, nil, time.Time{}) // before connected, so that Stats never shows both
	f.stats.connected.Store(true)
	return nil
}
