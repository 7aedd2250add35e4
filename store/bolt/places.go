package bolt

import (
	"net/netip"

	"issuer.example/session"
	"issuer.example/store/bolt/internal/journal"
)

// places are the parts of a state that hardly ever change and have no fixed width. They are in
// the record of the session, which is rewritten if they change: see [movesPlaces]. Most
// sessions are only used from the browser that signed in, and have SameAgent alone: 2 bytes.
type places struct {
	SameAgent     bool   `cbor:"18,keyasint,omitempty"` // RedeemedAgent is the UserAgent of the sign-in
	RedeemedAgent string `cbor:"19,keyasint,omitempty"`

	// The last use, if it is not the last redemption. SeenFrom is nil if it came from the same
	// place.
	SeenAt   *int64  `cbor:"20,keyasint,omitempty"`
	SeenFrom *device `cbor:"21,keyasint,omitempty"`

	// The use of a copied token that has ended the session.
	ReuseGeneration uint32  `cbor:"22,keyasint,omitempty"`
	ReuseFrom       *device `cbor:"23,keyasint,omitempty"`
}

// device is a [session.Device] as it is stored.
type device struct {
	_         struct{} `cbor:",toarray"`
	IP        []byte
	UserAgent string
}

func encodeDevice(d session.Device) *device {
	return &device{IP: d.IP.AsSlice(), UserAgent: d.UserAgent}
}

func (d *device) decode() session.Device {
	ip, _ := netip.AddrFromSlice(d.IP) // plausible has checked it
	return session.Device{IP: ip, UserAgent: d.UserAgent}
}

// plausible reports whether the device can have been written by this program. It may be nil.
func (d *device) plausible() bool {
	return d == nil || len(d.IP) == 0 || len(d.IP) == 4 || len(d.IP) == 16
}

// plausible reports whether the places can have been written by this program.
func (p *places) plausible() bool {
	return (p.SeenAt == nil || *p.SeenAt >= 0 && *p.SeenAt <= maxMillis) && p.SeenFrom.plausible() && p.ReuseFrom.plausible()
}

func placesOf(s *session.Session, st *session.State) (p places) {
	if agent := st.RedeemedFrom.UserAgent; agent != "" {
		if p.SameAgent = agent == s.UserAgent; !p.SameAgent {
			p.RedeemedAgent = agent
		}
	}
	if isSeenLater(st) {
		at := millis(st.LastSeenAt)
		p.SeenAt = &at
		if st.LastFrom != st.RedeemedFrom {
			p.SeenFrom = encodeDevice(st.LastFrom)
		}
	}
	if st.Reuse != (session.Reuse{}) {
		p.ReuseGeneration, p.ReuseFrom = st.Reuse.Generation, encodeDevice(st.Reuse.From)
	}
	return p
}

// complete adds the places to a state that was read from its row.
func (p *places) complete(s *session.Session, st *session.State) {
	st.RedeemedFrom.UserAgent = p.RedeemedAgent
	if p.SameAgent {
		st.RedeemedFrom.UserAgent = s.UserAgent
	}
	st.LastFrom = st.RedeemedFrom
	if p.SeenAt != nil {
		st.LastSeenAt = fromMillis(*p.SeenAt)
	}
	if p.SeenFrom != nil {
		st.LastFrom = p.SeenFrom.decode()
	}
	if p.ReuseFrom != nil {
		st.Reuse = session.Reuse{Generation: p.ReuseGeneration, From: p.ReuseFrom.decode()}
	}
}

// isSeenLater reports whether the last use is not the last redemption, because a reading has
// moved the idle end since.
func isSeenLater(st *session.State) bool {
	return !st.LastSeenAt.Equal(st.RedeemedAt) || st.LastFrom != st.RedeemedFrom
}

// movesPlaces reports whether the record has to be rewritten when a state replaces another.
func movesPlaces(from, to *session.State) bool {
	return from.RedeemedFrom.UserAgent != to.RedeemedFrom.UserAgent ||
		isSeenLater(from) || isSeenLater(to) || from.Reuse != to.Reuse
}

// storeState encodes the row of a state, whose places are in the record of that session or
// will be. It returns the state as it will be read.
func storeState(s *session.Session, st *session.State) (row journal.State, stored session.State, err error) {
	row = encodeState(st)
	if stored, err = decodeState(s.ID, row[:]); err != nil {
		return row, stored, err
	}
	at := placesOf(s, st)
	at.complete(s, &stored)
	return row, stored, nil
}
