package bolt

import (
	"encoding/binary"
	"fmt"
	"net/netip"

	"issuer.example/session"
	"issuer.example/sid"
	"issuer.example/store/bolt/internal/journal"
)

// A state is:
//
//	family of the address (1) | key id (1) | generation (4) | branch (10) |
//	redeemed at (6) | last seen at (6) | address (16)
const stateLen = journal.StateLen

// What the first byte says of the address.
const (
	noAddress = 0
	ipv4      = 4
	ipv6      = 6
)

func encodeState(st *session.State) (b journal.State) {
	b[1] = st.KeyID
	binary.BigEndian.PutUint32(b[2:], st.Generation)
	copy(b[6:16], st.Branch[:])
	putMillis(b[16:], millis(st.RedeemedAt))
	putMillis(b[22:], millis(st.LastSeenAt))
	switch {
	case st.LastIP.Is4():
		b[0] = ipv4
		addr := st.LastIP.As4()
		copy(b[28:], addr[:])
	case st.LastIP.Is6():
		b[0] = ipv6
		addr := st.LastIP.As16()
		copy(b[28:], addr[:])
	}
	return b
}

func decodeState(id sid.ID, b []byte) (st session.State, err error) {
	if len(b) != stateLen {
		return st, fmt.Errorf("%w: state of session %s has %d bytes", ErrDamaged, id, len(b))
	}
	st.KeyID = b[1]
	st.Generation = binary.BigEndian.Uint32(b[2:])
	copy(st.Branch[:], b[6:16])
	st.RedeemedAt = fromMillis(getMillis(b[16:]))
	st.LastSeenAt = fromMillis(getMillis(b[22:]))
	switch b[0] {
	case noAddress:
	case ipv4:
		st.LastIP = netip.AddrFrom4([4]byte(b[28:32]))
	case ipv6:
		st.LastIP = netip.AddrFrom16([16]byte(b[28:44]))
	default:
		return session.State{}, fmt.Errorf("%w: state of session %s has an address of family %d", ErrDamaged, id, b[0])
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
