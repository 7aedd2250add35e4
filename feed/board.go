package feed

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"
)

const (
	// postEvery is how often an issuer looks for news to post.
	postEvery = time.Second
	// postPerSecond is how many verifiers may be posted a second: with more of them an issuer
	// posts less often.
	postPerSecond = 1024
	// repostAfter is when an issuer posts again what has not changed.
	repostAfter = 30 * time.Second
	// deadAfter is the age at which a posting is that of an issuer which no longer runs.
	deadAfter = 3*repostAfter + postTimeout
	// postTimeout bounds one use of the board, lastPostTimeout the one at the end.
	postTimeout     = 5 * time.Second
	lastPostTimeout = 300 * time.Millisecond
	// maxPosting bounds a posting, in bytes: enough for maxVerifiers of them.
	maxPosting = 2 << 20
)

// errPosting means that what is on the board cannot be read.
var errPosting = errors.New("feed: a posting of another issuer cannot be read")

// Board is where the issuers on one store show each other which verifiers follow them. It is
// safe for concurrent use.
type Board interface {
	// Post replaces what that issuer has posted before, and removes the postings of all
	// issuers that are older than keep. The document is opaque to the board.
	Post(ctx context.Context, issuer string, document []byte, keep time.Duration) error
	// Postings returns the newest postings, those of all issuers.
	Postings(ctx context.Context) ([]Posting, error)
}

// Posting is what an issuer has posted.
type Posting struct {
	Issuer   string
	Age      time.Duration // by the clock of the board
	Document []byte
}

// posted is the document of a posting. Issuers of another release may know fewer fields, or
// more.
type posted struct {
	Streams   int              `json:"streams"` // all that are open, named or not
	Verifiers []postedVerifier `json:"verifiers,omitempty"`
}

type postedVerifier struct {
	Key        string    `json:"key"`
	Name       string    `json:"name"`
	Seq        uint64    `json:"seq"`
	Delay      int64     `json:"delay_ms,omitzero"`
	ReportedAt time.Time `json:"reported_at,omitzero"`
	Streams    int       `json:"streams,omitzero"`
	Silent     int64     `json:"silent_ms"` // since it was seen
}

// poster posts what a hub knows of its verifiers.
type poster struct {
	hub      *Hub
	version  uint64    // of what was posted
	streams  int       // the same
	at       time.Time // when that was; zero: nothing was posted
	failing  bool
	notUntil time.Time // when it may post again
}

// post posts until the context ends, and then that no stream is left. Failures delay nothing
// else.
func (h *Hub) post(ctx context.Context) {
	p := &poster{hub: h}
	ticker := time.NewTicker(postEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			if !p.at.IsZero() {
				last, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastPostTimeout)
				defer cancel()
				_, _, _ = p.send(last, false) // other issuers notice the silence
			}
			return
		case now := <-ticker.C:
			p.look(ctx, now)
		}
	}
}

// look posts if there is something to post.
func (p *poster) look(ctx context.Context, now time.Time) {
	version, streams := p.hub.verifiers.currentVersion(), p.hub.Readers()
	fresh := version == p.version && streams == p.streams
	if now.Before(p.notUntil) || fresh && (p.at.IsZero() || now.Sub(p.at) < repostAfter) {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, postTimeout)
	defer cancel()
	n, streams, err := p.send(ctx, true)
	if err != nil {
		if !p.failing && ctx.Err() == nil {
			p.hub.cfg.Logger.WarnContext(ctx, "other issuers do not learn which verifiers are here", slog.Any("error", err))
		}
		p.failing, p.notUntil = true, now.Add(postTimeout)
		return
	}
	p.version, p.streams, p.at, p.failing = version, streams, now, false
	p.notUntil = now.Add(time.Duration(n) * time.Second / postPerSecond)
}

// send posts the verifiers, with their streams or as if all of those had ended.
func (p *poster) send(ctx context.Context, running bool) (n, streams int, err error) {
	list := p.hub.verifiers.list()
	doc := posted{Verifiers: make([]postedVerifier, len(list))}
	if running {
		doc.Streams = p.hub.Readers()
	}
	for i, v := range list {
		doc.Verifiers[i] = postedVerifier{
			Key: v.Key, Name: v.Name, Seq: v.Seq, Delay: v.Delay.Milliseconds(), ReportedAt: v.ReportedAt,
			Streams: v.Streams, Silent: time.Since(v.seenAt).Milliseconds(),
		}
		if !running {
			doc.Verifiers[i].Streams = 0
		}
	}
	text, err := json.Marshal(doc)
	if err != nil {
		return 0, 0, fmt.Errorf("writing a posting: %w", err)
	}
	return len(list), doc.Streams, p.hub.cfg.Board.Post(ctx, p.hub.id, text, forgetAfter)
}

// addPosted adds what other issuers have posted.
func (h *Hub) addPosted(ctx context.Context, all *Followers) error {
	ctx, cancel := context.WithTimeout(ctx, postTimeout)
	defer cancel()
	postings, err := h.cfg.Board.Postings(ctx)
	if err != nil {
		return fmt.Errorf("reading the verifiers of other issuers: %w", err)
	}
	merged := make(map[verifierName]Verifier, len(all.Verifiers))
	for _, v := range all.Verifiers {
		merged[verifierName{v.Key, v.Name}] = v
	}
	for _, p := range postings {
		if p.Issuer == h.id {
			continue
		}
		doc, err := p.read()
		if err != nil {
			h.cfg.Logger.WarnContext(ctx, "verifiers of another issuer are not shown", slog.Any("error", err))
			continue
		}
		all.Streams += doc.Streams
		for _, v := range doc.Verifiers {
			id := verifierName{v.Key, v.Name}
			merged[id] = merge(merged[id], v.verifier())
		}
	}
	all.Verifiers = all.Verifiers[:0]
	for _, v := range merged {
		all.Verifiers = append(all.Verifiers, v)
	}
	return nil
}

// read returns what a posting still says at its age: an issuer that no longer runs has no
// streams, and what was silent for too long is forgotten.
func (p *Posting) read() (posted, error) {
	var doc posted
	if len(p.Document) > maxPosting {
		return doc, fmt.Errorf("%w: it has %d bytes", errPosting, len(p.Document))
	}
	if err := json.Unmarshal(p.Document, &doc); err != nil {
		return doc, fmt.Errorf("%w: %w", errPosting, err)
	}
	dead := p.Age > deadAfter
	if dead {
		doc.Streams = 0
	}
	kept := doc.Verifiers[:0]
	for _, v := range doc.Verifiers {
		if dead {
			v.Streams = 0
		}
		if v.Streams > 0 || time.Duration(v.Silent)*time.Millisecond+p.Age <= forgetAfter {
			kept = append(kept, v)
		}
	}
	doc.Verifiers = kept
	return doc, nil
}

func (v *postedVerifier) verifier() Verifier {
	return Verifier{
		Key: v.Key, Name: v.Name, Seq: v.Seq, Delay: time.Duration(v.Delay) * time.Millisecond,
		ReportedAt: v.ReportedAt, Streams: v.Streams,
	}
}

// merge is a verifier that two issuers know: its newest report, and the streams at both.
func merge(a, b Verifier) Verifier {
	newer := a
	if cmp.Or(a.ReportedAt.Compare(b.ReportedAt), cmp.Compare(a.Seq, b.Seq)) < 0 || a.Name == "" {
		newer = b
	}
	newer.Streams = a.Streams + b.Streams
	return newer
}
