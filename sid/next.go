package sid

import (
	"crypto/rand"
	"encoding/binary"
	"time"
)

// Next returns an identifier of that time that is greater than after. If the time is not later
// than the one in after, it counts on from there. A store that knows its newest identifier
// makes all of them with it, whatever the clocks of the issuers say.
//
// The 48 bits of milliseconds are followed by a 12-bit counter (RFC 9562 §6.2, method 1),
// which starts at 0 with each millisecond and carries into the milliseconds when it overflows
// or when the clock has stepped back. The other 62 bits are random.
func Next(after ID, at time.Time) ID {
	var tail [8]byte
	_, _ = rand.Read(tail[:]) // never fails (crypto/rand)
	ticks := max(uint64(max(at.UnixMilli(), 0))<<12, after.ticks()+1)
	return compose(ticks, binary.BigEndian.Uint64(tail[:]))
}

// tailMask is the random part of an identifier's second half.
const tailMask = 1<<62 - 1

// compose lays out an identifier: 48 bits of milliseconds and 12 of counter, in ticks, and
// the random tail, with the version and variant of RFC 9562 between them.
func compose(ticks, tail uint64) (id ID) {
	binary.BigEndian.PutUint64(id[:8], ticks>>12<<16|0x7000|ticks&0x0fff)
	binary.BigEndian.PutUint64(id[8:], 1<<63|tail&tailMask)
	return id
}

// ticks are the 48 bits of milliseconds and the 12 bits of the counter.
func (id ID) ticks() uint64 {
	head := binary.BigEndian.Uint64(id[:8])
	return head>>16<<12 | head&0x0fff
}
