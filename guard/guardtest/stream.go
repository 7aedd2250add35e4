package guardtest

import (
	"net/http"
	"slices"
	"strconv"
	"time"

	"issuer.example/revocation"
	"issuer.example/sid"
)

// stream is the feed as docs/feed.md has it.
func (i *Issuer) stream(w http.ResponseWriter, r *http.Request) {
	after, err := strconv.ParseUint(r.Header.Get("Last-Event-ID"), 10, 64)
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	i.mu.Lock()
	cut := i.cut
	i.mu.Unlock()
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	out := http.NewResponseController(w)
	tick := time.NewTicker(i.config.AliveEvery)
	defer tick.Stop()
	beat, due := uint64(0), true // complete first, then when it is due
	for {
		news := i.news(after)
		if news.gone {
			_, _ = w.Write(revocation.AppendFrame(nil, 0, revocation.FrameGone, "{}"))
			return
		}
		frames, err := i.frames(news, due || news.beat != beat)
		if err != nil {
			return
		}
		after, beat = news.seq, news.beat
		if _, err := w.Write(frames); err != nil || out.Flush() != nil {
			return
		}
		select {
		case <-news.changed:
			due = false
		case <-tick.C:
			due = true
		case <-cut:
			return
		case <-i.stop:
			return
		case <-r.Context().Done():
			return
		}
	}
}

// news is what a stream that has sent all up to one entry has to send.
type news struct {
	gone    bool
	entries []logged
	seq     uint64
	last    sid.ID
	beat    uint64
	changed <-chan struct{}
}

func (i *Issuer) news(after uint64) news {
	i.mu.Lock()
	defer i.mu.Unlock()
	n := news{changed: i.changed, beat: i.beat}
	n.seq, n.last = i.head()
	if after > n.seq || after+1 < i.first {
		n.gone = true
		return n
	}
	n.entries = slices.Clone(i.log[after+1-i.first:])
	return n
}

// frames signs what is new, and that nothing is missing if that is due.
func (i *Issuer) frames(n news, alive bool) ([]byte, error) {
	var frames []byte
	now := i.config.Now()
	add := func(id uint64, name, typ string, payload []byte, err error) error {
		if err != nil {
			return err
		}
		text, err := i.signer().Sign(typ, payload)
		if err != nil {
			return err
		}
		frames = revocation.AppendFrame(frames, id, name, text)
		return nil
	}
	for _, l := range n.entries {
		payload, err := revocation.Event{Issuer: i.URL(), IssuedAt: now, Entry: l.entry, Prev: l.prev}.Encode()
		if err := add(l.entry.Seq, revocation.FrameRevoked, revocation.TypeEvent, payload, err); err != nil {
			return nil, err
		}
	}
	if alive {
		payload, err := revocation.Alive{Issuer: i.URL(), IssuedAt: now, Seq: n.seq, Last: n.last}.Encode()
		if err := add(0, revocation.FrameAlive, revocation.TypeAlive, payload, err); err != nil {
			return nil, err
		}
	}
	return frames, nil
}
