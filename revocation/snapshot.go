package revocation

import (
	"encoding/json"
	"fmt"
	"time"

	"issuer.example/sid"
)

// MaxSnapshotSize is the size in bytes of the largest signed snapshot, as a compact JWS. It is
// enough for 500,000 sessions.
const MaxSnapshotSize = 64 << 20

// Snapshot is the whole list at one moment.
type Snapshot struct {
	// Issuer is iss, the issuer's URL.
	Issuer string
	// IssuedAt is iat: when the list was read, in whole seconds.
	IssuedAt time.Time
	// Next is the number of the newest entry that the list includes, 0 if there has never
	// been one. It is the resume point for the stream.
	Next uint64
	// Last is the identifier in that entry, zero if the issuer has purged it.
	Last sid.ID
	// Entries are the entries that have not ended, in any order. Only Scope, SID and
	// Until are encoded; Until is rounded up to a whole second.
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

// Encode returns the payload to be signed as [TypeSnapshot]. The error wraps [ErrMalformed]
// if a reader would refuse the payload.
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

// DecodeSnapshot decodes a payload whose signature and type the caller has verified. The
// error wraps [ErrMalformed] and contains nothing of the payload.
func DecodeSnapshot(payload []byte) (Snapshot, error) {
	var wire wireSnapshot
	if err := decode(payload, &wire); err != nil {
		return Snapshot{}, err
	}
	if wire.Next == nil || wire.Sessions == nil || wire.Marks == nil {
		return Snapshot{}, fmt.Errorf("%w: next, sessions or marks is missing", ErrMalformed)
	}
	s := Snapshot{Issuer: wire.Issuer, IssuedAt: fromSeconds(wire.IssuedAt), Next: *wire.Next}
	if wire.Last != nil {
		s.Last = *wire.Last
	}
	var err error
	if s.Entries, err = wire.entries(); err != nil {
		return Snapshot{}, err
	}
	return s, s.check()
}

func (w wireSnapshot) entries() ([]Entry, error) {
	all := make([]Entry, 0, len(w.Sessions)+len(w.Marks))
	for _, s := range w.Sessions {
		all = append(all, Entry{Scope: Scope{Kind: KindSession}, SID: s.SID, Until: fromSeconds(s.Until)})
	}
	for _, m := range w.Marks {
		kind, ok := markKind(m.Kind)
		if !ok {
			return nil, fmt.Errorf("%w: unknown kind of mark", ErrMalformed)
		}
		all = append(all, Entry{Scope: Scope{kind, m.Name}, SID: m.UpTo, Until: fromSeconds(m.Until)})
	}
	return all, nil
}

func markKind(name string) (Kind, bool) {
	for _, kind := range [...]Kind{KindUser, KindClient, KindEverything} {
		if kind.String() == name {
			return kind, true
		}
	}
	return 0, false
}
