package handlers

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"issuer.example/feed"
	"issuer.example/revocation"
)

const (
	// frameWithin is how long a client may take for the frames that it is sent at once.
	frameWithin = 10 * time.Second
	// snapshotWithin is the same for the snapshot, which can be large.
	snapshotWithin = time.Minute
	// maxVerifierName is how long a verifier's name may be.
	maxVerifierName = 64
)

// snapshot answers with all that is revoked, signed.
func (s *Server) snapshot(x *exchange) error {
	if err := s.follower(x); err != nil {
		return err
	}
	text, err := s.cfg.Feed.Snapshot(x.Request().Context())
	if err != nil {
		return err
	}
	if err := x.control().SetWriteDeadline(time.Now().Add(snapshotWithin)); err != nil {
		return err
	}
	return x.Blob(http.StatusOK, "application/jwt", text)
}

// follower demands a service key that may read the feed.
func (s *Server) follower(x *exchange) error {
	if s.cfg.Feed == nil {
		return notFound()
	}
	return s.service(x, ScopeReadRevocations)
}

// control sets deadlines and flushes. It goes past Echo, whose Flush hides errors.
func (x *exchange) control() *http.ResponseController {
	return http.NewResponseController(x.Response().Writer)
}

// stream sends what is revoked from now on, for as long as the reader lives.
func (s *Server) stream(x *exchange) error {
	if err := s.follower(x); err != nil {
		return err
	}
	wanted, err := x.subscription()
	if err != nil {
		return err
	}
	ctx := x.Request().Context()
	reader, err := s.cfg.Feed.Subscribe(ctx, wanted)
	if err != nil && !errors.Is(err, feed.ErrGone) {
		return crowded(err)
	}
	out := s.newSender(x)
	defer out.end()
	if reader != nil {
		why := feed.EndFailed
		defer func() { reader.Close(why) }()
		return s.sendFrames(ctx, out, reader, &why)
	}
	return out.send([][]byte{gone()})
}

// crowded is what a client is told that cannot be taken. It comes again at a time of its
// own.
func crowded(err error) error {
	retry := time.Duration(1+rand.IntN(5)) * time.Second //nolint:gosec // no secret depends on it
	switch {
	case errors.Is(err, feed.ErrKeyLimit):
		return &refusal{code: codeRateLimited, detail: "The service key has as many streams as it may have.", retry: retry, err: err}
	case errors.Is(err, feed.ErrLimit), errors.Is(err, feed.ErrStopped):
		return &refusal{code: codeUnavailable, detail: "The issuer takes no further stream now.", retry: retry, err: err}
	default:
		return err
	}
}

// subscription reads what the client wants to read. Last-Event-ID wins over after: it is
// what a client that connects anew has seen.
func (x *exchange) subscription() (feed.Subscription, error) {
	wanted := feed.Subscription{Key: x.client}
	text, given, err := x.query("after")
	if err != nil {
		return wanted, err
	}
	switch ids := x.Request().Header.Values("Last-Event-ID"); {
	case len(ids) > 1:
		return wanted, invalid("The request has Last-Event-ID twice.")
	case len(ids) == 1 && ids[0] != "":
		text, given = ids[0], true
	}
	if given {
		if wanted.After, err = strconv.ParseUint(text, 10, 64); err != nil {
			return wanted, invalid("The resume point must be the number of an event.")
		}
	}
	if wanted.Verifier, given, err = x.query("verifier"); err != nil {
		return wanted, err
	}
	if given && !verifierName(wanted.Verifier) {
		return wanted, &refusal{code: codeInvalidRequest, field: "verifier", detail: verifierForm}
	}
	return wanted, nil
}

// sender writes frames to one client.
type sender struct {
	x       *exchange
	control *http.ResponseController
	within  time.Duration
}

// newSender begins the stream.
func (s *Server) newSender(x *exchange) *sender {
	h := x.header()
	h.Set(echo.HeaderContentType, "text/event-stream")
	h.Set("X-Accel-Buffering", "no") // nginx passes on what it gets at once
	return &sender{x: x, control: x.control(), within: s.frameWithin}
}

// sendFrames sends what the reader gives until it ends, and says why it has.
func (s *Server) sendFrames(ctx context.Context, out *sender, reader *feed.Reader, why *string) error {
	// The deadline of the request has nothing to do with how long the stream lasts.
	if err := out.control.SetReadDeadline(time.Time{}); err != nil {
		return err
	}
	if out.x.Request().Method == http.MethodHead {
		*why = feed.EndClient
		return out.x.NoContent(http.StatusOK)
	}
	err := out.send([][]byte{hint()})
	for err == nil {
		var frames [][]byte
		if frames, err = reader.Next(ctx); err == nil {
			err = out.send(frames)
		}
	}
	switch {
	case errors.Is(err, feed.ErrEnd):
		*why = feed.EndLife
	case errors.Is(err, feed.ErrStopped):
		*why = feed.EndStopped
	case errors.Is(err, feed.ErrGone):
		*why = feed.EndGone // the client hears it when it resumes
	case errors.Is(err, os.ErrDeadlineExceeded):
		*why = feed.EndSlow
	case ctx.Err() != nil, errors.Is(err, errNotSent):
		*why = feed.EndClient
	default:
		s.cfg.Logger.WarnContext(ctx, "a stream of revocations has failed", "request_id", out.x.id, "error", err)
	}
	return nil
}

// errNotSent means that a frame could not be written.
var errNotSent = errors.New("handlers: not sent")

// send writes frames at once. A client that does not take them in time is dropped.
func (o *sender) send(frames [][]byte) error {
	if err := o.control.SetWriteDeadline(time.Now().Add(o.within)); err != nil {
		return errors.Join(errNotSent, err)
	}
	for _, frame := range frames {
		if _, err := o.x.Response().Write(frame); err != nil {
			return errors.Join(errNotSent, err)
		}
	}
	if err := o.control.Flush(); err != nil {
		return errors.Join(errNotSent, err)
	}
	// HTTP/2 would end the stream when the deadline comes, written or not.
	if err := o.control.SetWriteDeadline(time.Time{}); err != nil {
		return errors.Join(errNotSent, err)
	}
	return nil
}

// end bounds how long the end of the answer may take, which is sent when the handler is done.
func (o *sender) end() { _ = o.control.SetWriteDeadline(time.Now().Add(o.within)) }

// gone is the frame for a client whose resume point cannot be resumed from.
func gone() []byte { return revocation.AppendFrame(nil, 0, revocation.FrameGone, "{}") }

// hint tells a browser's EventSource when to connect anew: not all at once.
func hint() []byte {
	wait := 1000 + rand.IntN(4000) //nolint:gosec // no secret depends on it
	return append(strconv.AppendInt([]byte("retry: "), int64(wait), 10), "\n\n"...)
}
