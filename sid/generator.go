package sid

import (
	"crypto/rand"
	"encoding/binary"
	"sync"
	"time"
)

// Generator makes strictly increasing identifiers, even when the clock is set back. It is
// safe for concurrent use.
//
// The 48 bits of milliseconds are followed by a 12-bit counter (RFC 9562 §6.2,
// method 1). The counter starts at 0 in each millisecond. When it overflows, or while the
// clock is behind, it carries into the milliseconds. The other 62 bits are random.
type Generator struct {
	now func() time.Time

	mu   sync.Mutex
	last uint64 // milliseconds << 12 | counter, of the newest identifier made or observed
}

// NewGenerator returns a generator that reads the time from now; nil means [time.Now].
// When there are sessions of an earlier process, call [Generator.Observe] with the newest
// of them first.
func NewGenerator(now func() time.Time) *Generator {
	if now == nil {
		now = time.Now
	}
	return &Generator{now: now}
}

// Next returns an identifier that is greater than all that Next has returned and all that
// were passed to [Generator.Observe].
func (g *Generator) Next() ID {
	var tail [8]byte
	_, _ = rand.Read(tail[:]) // never fails (crypto/rand)

	g.mu.Lock()
	ticks := uint64(max(g.now().UnixMilli(), 0)) << 12
	if ticks <= g.last {
		ticks = g.last + 1
	}
	g.last = ticks
	g.mu.Unlock()

	return compose(ticks, binary.BigEndian.Uint64(tail[:]))
}

// tailMask is the random part of an identifier's second half.
const tailMask = 1<<62 - 1

// compose builds an identifier from ticks (48 bits of milliseconds and 12 of counter), the
// random tail, and the version and variant of RFC 9562.
func compose(ticks, tail uint64) (id ID) {
	binary.BigEndian.PutUint64(id[:8], ticks>>12<<16|0x7000|ticks&0x0fff)
	binary.BigEndian.PutUint64(id[8:], 1<<63|tail&tailMask)
	return id
}

// Observe makes all identifiers of later calls of [Generator.Next] greater than id.
func (g *Generator) Observe(id ID) {
	head := binary.BigEndian.Uint64(id[:8])
	ticks := head>>16<<12 | head&0x0fff
	g.mu.Lock()
	g.last = max(g.last, ticks)
	g.mu.Unlock()
}
