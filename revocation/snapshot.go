package revocation

import (
	"encoding/json"
	"fmt"
	"time"

	"issuer.example/sid"
)

// MaxSnapshotSize is the size in bytes of the largest signed snapshot, in its compact
// form. It has room for more than 500,000 sessions.
const MaxSnapshotSize = 64 << 20

// Snapshot is the whole list at one moment.
type Snapshot struct {
	// Issuer is iss, the issuer's URL.
	Issuer string
	// IssuedAt is iat: when the list was read, in whole seconds.
	IssuedAt time.Time
	// Next is the number of the newest entry that the list includes, 0 when there has
	// never been one. The stream is resumed after it.
	Next uint64
	// Last is the identifier in that entry, zero when the issuer no longer knows it.
	Last sid.ID
	// Entries are the live entries and marks, in no particular order. They travel with
	// their scope, identifier and end only; the end is rounded up to a whole second.
	Entries []Entry
}

type wireSnapshot struct {
	Issuer   string        `json:"iss"`
	IssuedAt int64         `json:"iat"`
	Next     *uint64       `json:"next"`
	Last     *sid.ID       `json:"last,omitempty"`
	Sessions []wireSession `json:"sessions"`
	Marks    []wireMark    `json:"marks"`
}

type wireSession struct {
	SID   sid.ID `json:"sid"`
	Until int64  `json:"until"`
}

type wireMark struct {
	Kind  string `json:"kind"`
	Name  string `json:"name,omitempty"`
	UpTo  sid.ID `json:"up_to"`
	Until int64  `json:"until"`
}

// Encode returns the payload to be signed as [TypeSnapshot]. The error wraps
// [ErrMalformed]: a reader would refuse it.
func (s Snapshot) Encode() ([]byte, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	wire := wireSnapshot{
		Issuer: s.Issuer, IssuedAt: s.IssuedAt.Unix(), Next: &s.Next,
		Sessions: make([]wireSession, 0, len(s.Entries)), Marks: []wireMark{},
	}
	if !s.Last.IsZero() {
		wire.Last = &s.Last
	}
	for _, e := range s.Entries {
		until := ceilSeconds(e.Until)
		if e.Scope.Kind == KindSession {
			wire.Sessions = append(wire.Sessions, wireSession{e.SID, until})
		} else {
			wire.Marks = append(wire.Marks, wireMark{e.Scope.Kind.String(), e.Scope.Name, e.SID, until})
		}
	}
	return json.Marshal(wire)
}

func (s Snapshot) check() error {
	switch {
	case s.Issuer == "":
		return fmt.Errorf("%w: iss is missing", ErrMalformed)
	case !inRange(s.IssuedAt):
		return fmt.Errorf("%w: iat is out of range", ErrMalformed)
	case s.Next > maxSeq:
		return fmt.Errorf("%w: next is out of range", ErrMalformed)
	}
	for _, e := range s.Entries {
		if err := e.check(); err != nil {
			return err
		}
	}
	return nil
}

// DecodeSnapshot reads the payload of a snapshot whose signature and type have been
// verified. The error wraps [ErrMalformed]; it holds nothing of the payload.
func DecodeSnapshot(payload []byte) (Snapshot, error) {
	var wire wireSnapshot
	if err := decode(payload, &wire); err != nil {
		return Snapshot{}, err
	}
	if wire.Next == nil || wire.Sessions == nil || wire.Marks == nil {
		return Snapshot{}, fmt.Errorf("%w: next, sessions or marks is missing", ErrMalformed)
	}
	s := Snapshot{
		Issuer: wire.Issuer, IssuedAt: fromSeconds(wire.IssuedAt), Next: *wire.Next,
		Entries: make([]Entry, 0, len(wire.Sessions)+len(wire.Marks)),
	}
	if wire.Last != nil {
		s.Last = *wire.Last
	}
	for _, w := range wire.Sessions {
		s.Entries = append(s.Entries, Entry{Scope: Scope{Kind: KindSession}, SID: w.SID, Until: fromSeconds(w.Until)})
	}
	for _, w := range wire.Marks {
		kind, ok := markKind(w.Kind)
		if !ok {
			return Snapshot{}, fmt.Errorf("%w: unknown kind of mark", ErrMalformed)
		}
		s.Entries = append(s.Entries, Entry{Scope: Scope{kind, w.Name}, SID: w.UpTo, Until: fromSeconds(w.Until)})
	}
	return s, s.check()
}

func markKind(name string) (Kind, bool) {
	for _, kind := range [...]Kind{KindUser, KindClient, KindEverything} {
		if kind.String() == name {
			return kind, true
		}
	}
	return 0, false
}
