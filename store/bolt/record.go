package bolt

import (
	"fmt"
	"math"
	"net/netip"
	"time"

	"github.com/fxamacker/cbor/v2"

	"issuer.example/session"
	"issuer.example/sid"
	"issuer.example/store/bolt/internal/journal"
)

// record is a session as it is stored: a CBOR map with small integer keys. Keys of a
// later version are skipped, so that a file can be read by the version before it.
type record struct {
	UserID      string   `cbor:"1,keyasint"`
	Email       string   `cbor:"2,keyasint,omitempty"`
	Name        string   `cbor:"3,keyasint,omitempty"`
	Image       string   `cbor:"4,keyasint,omitempty"`
	ClientID    string   `cbor:"5,keyasint,omitempty"`
	Claims      []byte   `cbor:"6,keyasint,omitempty"`
	Audience    []string `cbor:"7,keyasint,omitempty"`
	AMR         []string `cbor:"8,keyasint,omitempty"`
	ACR         string   `cbor:"9,keyasint,omitempty"`
	Label       string   `cbor:"10,keyasint,omitempty"`
	IP          []byte   `cbor:"11,keyasint,omitempty"`
	UserAgent   string   `cbor:"12,keyasint,omitempty"`
	CreatedAt   int64    `cbor:"13,keyasint"`
	AuthTime    int64    `cbor:"14,keyasint,omitempty"`
	ExpiresAt   int64    `cbor:"15,keyasint"`
	IdleTimeout int64    `cbor:"16,keyasint,omitempty"`
	Scope       string   `cbor:"17,keyasint,omitempty"`
	Unclaimed   bool     `cbor:"24,keyasint,omitempty"`
	Replaces    []byte   `cbor:"25,keyasint,omitempty"`

	places
}

// codec encodes and decodes records.
type codec struct {
	enc cbor.EncMode
	dec cbor.DecMode
}

func newCodec() (codec, error) {
	enc, err := cbor.CoreDetEncOptions().EncMode()
	if err != nil {
		return codec{}, err
	}
	dec, err := cbor.DecOptions{
		DupMapKey:        cbor.DupMapKeyEnforcedAPF,
		IndefLength:      cbor.IndefLengthForbidden,
		TagsMd:           cbor.TagsForbidden,
		MaxNestedLevels:  4,
		MaxArrayElements: 1024,
		MaxMapPairs:      1024,
		UTF8:             cbor.UTF8DecodeInvalid, // what was put comes back, byte for byte
	}.DecMode()
	if err != nil {
		return codec{}, err
	}
	return codec{enc: enc, dec: dec}, nil
}

func (c codec) encode(s *session.Session, st *session.State) ([]byte, error) {
	r := record{
		UserID: s.User.ID, Email: s.User.Email, Name: s.User.Name, Image: s.User.Image,
		ClientID: s.ClientID, Claims: s.Claims, Audience: s.Audience, AMR: s.AMR, ACR: s.ACR,
		Scope: s.Scope, Label: s.Label, IP: s.IP.AsSlice(), UserAgent: s.UserAgent,
		CreatedAt: millis(s.CreatedAt), AuthTime: millis(s.AuthTime), ExpiresAt: millis(s.ExpiresAt),
		IdleTimeout: s.IdleTimeout.Milliseconds(), Unclaimed: s.Unclaimed,
		places: placesOf(s, st),
	}
	if !s.Replaces.IsZero() {
		r.Replaces = s.Replaces[:]
	}
	return c.enc.Marshal(&r)
}

// decode reads a record: the session, and the places of its state.
func (c codec) decode(id sid.ID, b []byte) (session.Session, places, error) {
	var r record
	if err := c.dec.Unmarshal(b, &r); err != nil {
		return session.Session{}, places{}, fmt.Errorf("%w: record of session %s: %w", ErrDamaged, id, err)
	}
	ip, ok := netip.AddrFromSlice(r.IP)
	if !ok && len(r.IP) > 0 || !r.plausible() {
		return session.Session{}, places{}, fmt.Errorf("%w: record of session %s", ErrDamaged, id)
	}
	s := session.Session{
		ID:       id,
		User:     session.User{ID: r.UserID, Email: r.Email, Name: r.Name, Image: r.Image},
		ClientID: r.ClientID, Claims: r.Claims, Audience: r.Audience, AMR: r.AMR, ACR: r.ACR,
		Scope: r.Scope, Label: r.Label, IP: ip, UserAgent: r.UserAgent,
		CreatedAt: fromMillis(r.CreatedAt), AuthTime: fromMillis(r.AuthTime), ExpiresAt: fromMillis(r.ExpiresAt),
		IdleTimeout: time.Duration(r.IdleTimeout) * time.Millisecond, Unclaimed: r.Unclaimed,
	}
	copy(s.Replaces[:], r.Replaces)
	return s, r.places, nil
}

// store encodes a session for the file: its record, and its state with the places left out. It
// returns the session as it will be read.
func (c codec) store(s *session.Session, st *session.State) (raw []byte, row journal.State, stored session.Snapshot, err error) {
	if raw, err = c.encode(s, st); err != nil {
		return nil, row, stored, fmt.Errorf("encoding session %s: %w", s.ID, err)
	}
	if stored.Session, _, err = c.decode(s.ID, raw); err != nil {
		return nil, row, stored, fmt.Errorf("bolt: session %s cannot be stored: %v", s.ID, err) //nolint:errorlint // nothing is damaged
	}
	row, stored.State, err = storeState(s, st)
	return raw, row, stored, err
}

// plausible tells whether the record can have been written by this program.
func (r *record) plausible() bool {
	for _, ms := range [...]int64{r.CreatedAt, r.AuthTime, r.ExpiresAt, r.IdleTimeout} {
		if ms < 0 || ms > maxMillis {
			return false
		}
	}
	if len(r.Replaces) > 0 && len(r.Replaces) != len(sid.ID{}) {
		return false
	}
	return validUser(r.UserID) && r.IdleTimeout <= maxIdle && r.places.plausible()
}

// maxIdle is the longest idle timeout that a [time.Duration] holds, in milliseconds.
const maxIdle = int64(math.MaxInt64 / time.Millisecond)

// millis is a time as it is stored: 0 is no time.
func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return min(max(t.UnixMilli(), 1), maxMillis)
}

// maxMillis is the last millisecond that six bytes hold, in the year 10889.
const maxMillis = 1<<48 - 1

func fromMillis(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}
