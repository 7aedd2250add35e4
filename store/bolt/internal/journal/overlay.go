package journal

import (
	"sync"

	"issuer.example/sid"
)

// overlay holds the states that are in the journal and not yet in the states bucket: the
// newest of each session, and older ones for as long as a reader's snapshot needs them.
// The committer writes it; readers look at it beside their snapshot.
type overlay struct {
	mu sync.RWMutex
	// active takes the new ones. sealed is on its way into the bucket, if not nil.
	active, sealed *generation
	// retired are in the bucket; a snapshot from before that may need them.
	retired []*generation
}

// generation is a run of the journal.
type generation struct {
	states map[sid.ID]*version
	folded uint64 // the transaction in which the last of it reached the bucket
}

func newGeneration() *generation { return &generation{states: make(map[sid.ID]*version)} }

// version is a state as a transaction left it. Only older ever changes.
type version struct {
	tx    uint64
	state State
	older *version
}

// at returns the newest state that a snapshot taken after transaction tx has to see, or
// nil if that is the one in the bucket.
func (o *overlay) at(id sid.ID, tx uint64) *State {
	o.mu.RLock()
	defer o.mu.RUnlock()
	if state := o.active.at(id, tx); state != nil {
		return state
	}
	if o.sealed != nil {
		if state := o.sealed.at(id, tx); state != nil {
			return state
		}
	}
	for i := len(o.retired) - 1; i >= 0; i-- {
		if state := o.retired[i].at(id, tx); state != nil {
			return state
		}
	}
	return nil
}

func (g *generation) at(id sid.ID, tx uint64) *State {
	for v := g.states[id]; v != nil; v = v.older {
		if v.tx <= tx {
			return &v.state
		}
	}
	return nil
}

// put adds a state that transaction tx has written. No reader is older than oldest.
func (o *overlay) put(id sid.ID, state State, tx, oldest uint64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	below := o.active.states[id]
	if below != nil && below.tx == tx {
		below = below.older // nobody has seen what this transaction wrote before
	}
	o.active.states[id] = &version{tx: tx, state: state, older: below}
	for v := below; v != nil; v = v.older {
		if v.tx <= oldest {
			v.older = nil
		}
	}
}

// seal closes the active generation and begins another.
func (o *overlay) seal() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.sealed, o.active = o.active, newGeneration()
}

// retire records that transaction tx has put the last of the sealed generation into the
// bucket.
func (o *overlay) retire(tx uint64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.sealed.folded = tx
	o.retired = append(o.retired, o.sealed)
	o.sealed = nil
}

// release forgets what no reader needs any more.
func (o *overlay) release(oldest uint64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for len(o.retired) > 0 && o.retired[0].folded <= oldest {
		o.retired = o.retired[1:]
	}
}
