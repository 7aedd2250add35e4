package sid

import (
	"crypto/rand"
	"encoding/binary"
	"time"
)

// Next returns an identifier of that time that is greater than after: if the time is not
// later than the one in after, it counts on from after. It is what a store gives out that
// knows the newest identifier, whatever the clocks of those who ask it say.
func Next(after ID, at time.Time) ID {
	var tail [8]byte
	_, _ = rand.Read(tail[:]) // never fails (crypto/rand)
	ticks := max(uint64(max(at.UnixMilli(), 0))<<12, after.ticks()+1)
	return compose(ticks, binary.BigEndian.Uint64(tail[:]))
}

// ticks are the 48 bits of milliseconds and the 12 bits of the counter.
func (id ID) ticks() uint64 {
	head := binary.BigEndian.Uint64(id[:8])
	return head>>16<<12 | head&0x0fff
}
