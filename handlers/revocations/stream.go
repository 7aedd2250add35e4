package revocations

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"os"
	"strconv"
	"time"

	"issuer.example/feed"
	"issuer.example/handlers/exchange"
	"issuer.example/revocation"
)

// stream sends revocations from a resume point on, until the reader leaves.
func (h *Handlers) stream(x *exchange.Exchange) error {
	key, err := h.reader(x)
	if err != nil {
		return err
	}
	if err := checkNonce(x); err != nil {
		return err
	}
	wanted, err := parseSubscription(x, key)
	if err != nil {
		return err
	}
	reader, err := h.cfg.Feed.Subscribe(x.Context(), wanted)
	if err != nil && !errors.Is(err, feed.ErrGone) {
		return refuseSubscription(err)
	}
	out := newSender(x, h.cfg.FrameTimeout)
	defer out.end()
	if reader == nil {
		return out.send([][]byte{goneFrame()})
	}
	why := feed.EndFailed
	defer func() { reader.Close(why) }()
	// The read deadline of the request must not end the stream.
	if err := out.control.SetReadDeadline(time.Time{}); err != nil {
		return err
	}
	if x.Request().Method == http.MethodHead {
		why = feed.EndClient
		return x.NoContent(http.StatusOK)
	}
	err = sendFrames(x.Context(), out, reader)
	if why = endReason(x.Context(), err); why == feed.EndFailed {
		h.cfg.Logger.WarnContext(x.Context(), "a stream of revocations has failed", "request_id", x.ID, "error", err)
	}
	return nil
}

// sendFrames sends what the reader returns until one of the two fails.
func sendFrames(ctx context.Context, out *sender, reader *feed.Reader) error {
	err := out.send([][]byte{retryFrame()})
	for err == nil {
		var frames [][]byte
		if frames, err = reader.Next(ctx); err == nil {
			err = out.send(frames)
		}
	}
	return err
}

// endReason says in a word of package feed why a stream has ended.
func endReason(ctx context.Context, err error) string {
	switch {
	case errors.Is(err, feed.ErrEnd):
		return feed.EndLife
	case errors.Is(err, feed.ErrStopped):
		return feed.EndStopped
	case errors.Is(err, feed.ErrGone):
		return feed.EndGone // the client is told when it resumes
	case errors.Is(err, os.ErrDeadlineExceeded):
		return feed.EndSlow
	case ctx.Err() != nil, errors.Is(err, errNotSent):
		return feed.EndClient
	default:
		return feed.EndFailed
	}
}

// refuseSubscription refuses a stream that is one too many. Clients come again at different times.
func refuseSubscription(err error) error {
	wait := time.Duration(1+rand.IntN(5)) * time.Second //nolint:gosec // no secret depends on it
	switch {
	case errors.Is(err, feed.ErrKeyLimit):
		return &exchange.Refusal{
			Code: exchange.CodeRateLimited, Detail: "The service key has as many streams as it may have.",
			RetryAfter: wait, Err: err,
		}
	case errors.Is(err, feed.ErrLimit), errors.Is(err, feed.ErrStopped):
		return &exchange.Refusal{
			Code: exchange.CodeUnavailable, Detail: "The issuer takes no further stream now.", RetryAfter: wait, Err: err,
		}
	default:
		return err
	}
}

// parseSubscription reads what the client wants. Last-Event-ID takes precedence over the parameter
// after: a client that reconnects sends it.
func parseSubscription(x *exchange.Exchange, key string) (feed.Subscription, error) {
	wanted := feed.Subscription{Key: key}
	text, given, err := x.Query("after")
	if err != nil {
		return wanted, err
	}
	switch ids := x.Request().Header.Values("Last-Event-ID"); {
	case len(ids) > 1:
		return wanted, exchange.Invalid("The request has Last-Event-ID twice.")
	case len(ids) == 1 && ids[0] != "":
		text, given = ids[0], true
	}
	if given {
		if wanted.After, err = strconv.ParseUint(text, 10, 64); err != nil {
			return wanted, exchange.Invalid("The resume point must be the number of an event.")
		}
	}
	if wanted.Verifier, given, err = x.Query("verifier"); err != nil {
		return wanted, err
	}
	if given && !isVerifierName(wanted.Verifier) {
		return wanted, exchange.InvalidField("verifier", verifierRule)
	}
	return wanted, nil
}

// goneFrame tells a client that its resume point is purged.
func goneFrame() []byte { return revocation.AppendFrame(nil, 0, revocation.FrameGone, "{}") }

// retryFrame tells a browser's EventSource how long to wait before it reconnects: not all the same time.
func retryFrame() []byte {
	wait := 1000 + rand.IntN(4000) //nolint:gosec // no secret depends on it
	return append(strconv.AppendInt([]byte("retry: "), int64(wait), 10), "\n\n"...)
}
