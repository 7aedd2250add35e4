package guardtest

import (
	"net/http"
	"slices"
	"strconv"
	"time"

	"issuer.example/revocation"
	"issuer.example/sid"
)

// stream serves the stream of docs/feed.md.
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
	w.Header().Set("Cache-Control", "no-store, no-transform")
	tick := time.NewTicker(i.config.AliveEvery)
	defer tick.Stop()
	requested, due := uint64(0), true // an alive comes at once, and then when it is due
	for {
		next := i.pending(after)
		if !i.send(w, next, due || next.requested != requested) {
			return
		}
		after, requested, due = next.seq, next.requested, false
		select {
		case <-next.changed:
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

// pending is what a stream has to send next.
type pending struct {
	gone      bool // the resume point was purged, or has not been reached
	entries   []logEntry
	seq       uint64 // the number of the newest entry
	last      sid.ID // the identifier in it, zero if unknown
	requested uint64
	changed   <-chan struct{} // closed when there is more
}

// pending returns what comes after an entry.
func (i *Issuer) pending(after uint64) pending {
	i.mu.Lock()
	defer i.mu.Unlock()
	p := pending{changed: i.changed, requested: i.requested}
	p.seq, p.last = i.head()
	if after > p.seq || after+1 < i.first {
		p.gone = true
		return p
	}
	p.entries = slices.Clone(i.log[after+1-i.first:])
	return p
}

// send writes what is pending, and an alive if it is due. It reports whether the stream
// goes on.
func (i *Issuer) send(w http.ResponseWriter, p pending, alive bool) bool {
	if p.gone {
		_, _ = w.Write(revocation.AppendFrame(nil, 0, revocation.FrameGone, "{}"))
		return false
	}
	frames, err := i.frames(p, alive)
	if err != nil {
		return false
	}
	_, err = w.Write(frames)
	return err == nil && http.NewResponseController(w).Flush() == nil
}

// frames signs the events that are pending, and an alive if it is due.
func (i *Issuer) frames(p pending, alive bool) ([]byte, error) {
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
	for _, e := range p.entries {
		payload, err := revocation.Event{Issuer: i.URL(), IssuedAt: now, Entry: e.Entry, Prev: e.prev}.Encode()
		if err := add(e.Seq, revocation.FrameRevoked, revocation.TypeEvent, payload, err); err != nil {
			return nil, err
		}
	}
	if alive {
		payload, err := revocation.Alive{Issuer: i.URL(), IssuedAt: now, Seq: p.seq, Last: p.last}.Encode()
		if err := add(0, revocation.FrameAlive, revocation.TypeAlive, payload, err); err != nil {
			return nil, err
		}
	}
	return frames, nil
}
