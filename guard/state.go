package guard

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"issuer.example/revocation"
)

const (
	// maxStateMessages and maxStateEvents bound what is kept beside the snapshot: the
	// number and the bytes of the messages. More makes a new snapshot due.
	maxStateMessages = 4096
	maxStateEvents   = 4 << 20
	// maxState is how large a state file may be.
	maxState = revocation.MaxSnapshotSize + 2*maxStateEvents
	// maxStateAge is how long keys are kept for.
	maxStateAge = 24 * time.Hour
	// stateGap is the least time between two writes, for each MiB of the file.
	stateGap = time.Second
)

// state is what a state file holds: everything as the issuer has signed it.
type state struct {
	Version  int            `json:"version"`
	Issuer   string         `json:"issuer"`
	KeysAt   int64          `json:"keys_at"` // when the keys came, in Unix seconds
	Keys     string         `json:"keys"`    // the JWKS document
	Snapshot string         `json:"snapshot"`
	Messages []stateMessage `json:"messages"` // after the snapshot, in order
}

// stateMessage is an event or an alive.
type stateMessage struct {
	Event string `json:"event,omitempty"`
	Alive string `json:"alive,omitempty"`

	seq uint64 // of an event
}

// stateKeeper keeps the last keys and revocations in a file. It does nothing if there is no
// file. It is safe for concurrent use.
type stateKeeper struct {
	path    string
	now     func() time.Time
	logger  *slog.Logger
	changed chan struct{} // has room for one; gets a value when there is something to write

	mu    sync.Mutex
	state state
	bytes int // of the messages
	dirty bool

	failing bool // the last write has failed, which was logged
}

func newStateKeeper(c Config) *stateKeeper {
	k := &stateKeeper{path: c.StateFile, now: c.Now, logger: c.Logger, changed: make(chan struct{}, 1)}
	k.state.Version, k.state.Issuer = stateVersion, c.Issuer
	return k
}

func (k *stateKeeper) change(what func(s *state)) {
	if k.path == "" {
		return
	}
	k.mu.Lock()
	what(&k.state)
	k.dirty = true
	k.mu.Unlock()
	select {
	case k.changed <- struct{}{}:
	default:
	}
}

// keepKeys keeps a key set that was accepted.
func (k *stateKeeper) keepKeys(body []byte) {
	k.change(func(s *state) { s.Keys, s.KeysAt = string(body), k.now().Unix() })
}

// confirmKeys notes that the key set has not changed.
func (k *stateKeeper) confirmKeys() { k.change(func(s *state) { s.KeysAt = k.now().Unix() }) }

// dropKeys forgets the keys, because one of them may be compromised.
func (k *stateKeeper) dropKeys() { k.change(func(s *state) { s.Keys = "" }) }

// keepSnapshot keeps a snapshot that was applied. The events that it does not contain stay,
// unless they are of another log.
func (k *stateKeeper) keepSnapshot(text []byte, next uint64, otherLog bool) {
	k.change(func(s *state) {
		s.Snapshot = string(text)
		kept := s.Messages
		s.Messages, k.bytes = nil, 0
		for _, m := range kept {
			if m.seq > next && !otherLog {
				s.Messages = append(s.Messages, m)
				k.bytes += len(m.Event)
			}
		}
	})
}

// keepEvent keeps an event that was applied.
func (k *stateKeeper) keepEvent(text []byte, seq uint64) {
	k.change(func(s *state) {
		if k.overflows() {
			return // a snapshot is due, and will contain it
		}
		s.Messages = append(s.Messages, stateMessage{Event: string(text), seq: seq})
		k.bytes += len(text)
	})
}

// keepAlive keeps an alive that was applied, in place of the one before.
func (k *stateKeeper) keepAlive(text []byte) {
	k.change(func(s *state) {
		if k.overflows() {
			return
		}
		for i, m := range s.Messages {
			if m.Alive != "" {
				s.Messages = append(s.Messages[:i], s.Messages[i+1:]...)
				break
			}
		}
		s.Messages = append(s.Messages, stateMessage{Alive: string(text)})
	})
}

// full reports whether a new snapshot is needed, because too many events have come.
func (k *stateKeeper) full() bool {
	if k.path == "" {
		return false
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.overflows()
}

// overflows is the same. The caller holds mu.
func (k *stateKeeper) overflows() bool {
	return len(k.state.Messages) >= maxStateMessages || k.bytes >= maxStateEvents
}

// run writes the file after changes, until the context ends. A large file is written less
// often.
func (k *stateKeeper) run(ctx context.Context) {
	for {
		select {
		case <-k.changed:
		case <-ctx.Done():
			return
		}
		size := k.save()
		if !pause(ctx, stateGap*time.Duration(1+size>>20)) {
			return
		}
	}
}
