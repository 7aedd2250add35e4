package bolt

import (
	"encoding/binary"
	"fmt"
	"net/netip"

	"issuer.example/session"
	"issuer.example/session/refresh"
	"issuer.example/sid"
	"issuer.example/store/bolt/internal/journal"
)

// A state is:
//
//	flags (1) | key id (1) | generation (4) | branch (10) |
//	redeemed at (6) | seen before (6) | address that it was redeemed from (16)
//
// The rest of it is in the record of the session: see [places]. A state that was written under
// schema 2 has no flags but the family of the address, which is that of the last use; and the
// time of the last use instead of seen before.
const stateLen = journal.StateLen

// The flags: the family of the address, the generations that [refresh.State] has in Apart, WasDue
// of [session.State], and whether the layout is that of schema 3.
const (
	noAddress = 0
	ipv4      = 4
	ipv6      = 6

	apartShift = 3
	wasDue     = 0x40
	schema3    = 0x80
)

func encodeState(st *session.State) (b journal.State) {
	b[0] = schema3 | byte(st.Apart&refresh.MaxGenerations)<<apartShift
	if st.WasDue {
		b[0] |= wasDue
	}
	b[1] = st.KeyID
	binary.BigEndian.PutUint32(b[2:], st.Generation)
	copy(b[6:16], st.Branch[:])
	putMillis(b[16:], millis(st.RedeemedAt))
	putMillis(b[22:], millis(st.SeenBefore))
	switch ip := st.RedeemedFrom.IP; {
	case ip.Is4():
		b[0] |= ipv4
		addr := ip.As4()
		copy(b[28:], addr[:])
	case ip.Is6():
		b[0] |= ipv6
		addr := ip.As16()
		copy(b[28:], addr[:])
	}
	return b
}

// decodeState reads the row of a state. Its places are to be added.
func decodeState(id sid.ID, b []byte) (st session.State, err error) {
	if len(b) != stateLen {
		return st, fmt.Errorf("%w: state of session %s has %d bytes", ErrDamaged, id, len(b))
	}
	st.KeyID = b[1]
	st.Generation = binary.BigEndian.Uint32(b[2:])
	copy(st.Branch[:], b[6:16])
	st.RedeemedAt = fromMillis(getMillis(b[16:]))
	flags, other := b[0], fromMillis(getMillis(b[22:]))
	if flags&schema3 == 0 {
		st.LastSeenAt = other
	} else {
		st.LastSeenAt, st.SeenBefore = st.RedeemedAt, other
		st.Apart = refresh.Generations(flags>>apartShift) & refresh.MaxGenerations
		st.WasDue = flags&wasDue != 0
		flags &^= schema3 | wasDue | byte(refresh.MaxGenerations)<<apartShift
	}
	switch flags {
	case noAddress:
	case ipv4:
		st.RedeemedFrom.IP = netip.AddrFrom4([4]byte(b[28:32]))
	case ipv6:
		st.RedeemedFrom.IP = netip.AddrFrom16([16]byte(b[28:44]))
	default:
		return session.State{}, fmt.Errorf("%w: state of session %s has the flags %#x", ErrDamaged, id, b[0])
	}
	return st, nil
}

// putMillis writes six bytes.
func putMillis(b []byte, ms int64) {
	binary.BigEndian.PutUint16(b, uint16(ms>>32)) //nolint:gosec // at most maxMillis
	binary.BigEndian.PutUint32(b[2:], uint32(ms)) //nolint:gosec // its lower half
}

func getMillis(b []byte) int64 {
	return int64(binary.BigEndian.Uint16(b))<<32 | int64(binary.BigEndian.Uint32(b[2:]))
}
