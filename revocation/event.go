package revocation

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"issuer.example/sid"
)

// The typ of the signed messages of the feed.
const (
	// TypeEvent is the type of a security event token (RFC 8417 §2.3); see [Event].
	TypeEvent = "secevent+jwt"
	// TypeSnapshot is the type of the whole list; see [Snapshot].
	TypeSnapshot = "revocations+jwt"
	// TypeAlive is the type of the statement that no event is missing; see [Alive].
	TypeAlive = "revocations-alive+jwt"
)

// SessionRevoked is the type of the event in every security event token of the feed
// (OpenID CAEP 1.0 §3.1).
const SessionRevoked = "https://schemas.openid.net/secevent/caep/event-type/session-revoked"

// Event is the payload of a security event token: one revocation.
type Event struct {
	// Issuer is iss, the issuer's URL.
	Issuer string
	// IssuedAt is iat, in whole seconds.
	IssuedAt time.Time
	// Entry is the revocation. Its Until is rounded up to a whole second.
	Entry Entry
	// Prev is the identifier in the previous entry of the log, zero if the issuer has
	// purged that. If a reader has applied another one, the log was replaced, as by the
	// restore of a backup.
	Prev sid.ID
}

type wireEvent struct {
	Issuer   string                     `json:"iss"`
	IssuedAt int64                      `json:"iat"`
	ID       string                     `json:"jti"`
	Subject  wireSubject                `json:"sub_id"`
	Events   map[string]json.RawMessage `json:"events"`
	Sub      json.RawMessage            `json:"sub,omitempty"`
	Expiry   json.RawMessage            `json:"exp,omitempty"`
}

type wireRevoked struct {
	Timestamp   int64             `json:"event_timestamp"`
	ReasonAdmin map[string]string `json:"reason_admin,omitempty"`
	Seq         uint64            `json:"seq"`
	AtMillis    int64             `json:"at_ms"`
	Until       int64             `json:"until"`
	UpTo        *sid.ID           `json:"up_to,omitempty"`
	Prev        *sid.ID           `json:"prev,omitempty"`
	Reason      string            `json:"reason,omitempty"`
}

// Encode returns the payload to be signed as [TypeEvent]. The error wraps [ErrMalformed] if a
// reader would refuse the payload.
func (e Event) Encode() ([]byte, error) {
	if err := e.check(); err != nil {
		return nil, err
	}
	revoked := wireRevoked{
		Timestamp: e.Entry.At.Unix(), AtMillis: e.Entry.At.UnixMilli(),
		Seq: e.Entry.Seq, Until: ceilSeconds(e.Entry.Until), Reason: e.Entry.Reason,
	}
	if e.Entry.Reason != "" {
		revoked.ReasonAdmin = map[string]string{"en": e.Entry.Reason}
	}
	if e.Entry.Scope.Kind != KindSession {
		revoked.UpTo = &e.Entry.SID
	}
	if !e.Prev.IsZero() {
		revoked.Prev = &e.Prev
	}
	event, err := json.Marshal(revoked)
	if err != nil {
		return nil, fmt.Errorf("encoding an event: %w", err)
	}
	return json.Marshal(wireEvent{
		Issuer: e.Issuer, IssuedAt: e.IssuedAt.Unix(), ID: e.id(), Subject: subjectOf(e.Issuer, e.Entry),
		Events: map[string]json.RawMessage{SessionRevoked: event},
	})
}

// id returns jti. It stays the same when the entry is signed again, and differs for an entry
// with the same number in a restored log.
func (e Event) id() string {
	return strconv.FormatUint(e.Entry.Seq, 10) + "." + e.Entry.SID.String()
}

func (e Event) check() error {
	switch {
	case e.Issuer == "":
		return fmt.Errorf("%w: iss is missing", ErrMalformed)
	case !inRange(e.IssuedAt):
		return fmt.Errorf("%w: iat is out of range", ErrMalformed)
	case e.Entry.Seq == 0 || e.Entry.Seq > maxSeq:
		return fmt.Errorf("%w: seq is out of range", ErrMalformed)
	case !inRange(e.Entry.At):
		return fmt.Errorf("%w: at_ms is out of range", ErrMalformed)
	}
	return e.Entry.check()
}

// DecodeEvent decodes a payload whose signature and type the caller has verified. The error
// wraps [ErrEventType] or [ErrMalformed] and contains nothing of the payload.
func DecodeEvent(payload []byte) (Event, error) {
	var wire wireEvent
	if err := decode(payload, &wire); err != nil {
		return Event{}, err
	}
	if wire.Sub != nil || wire.Expiry != nil {
		return Event{}, fmt.Errorf("%w: a security event token has neither sub nor exp", ErrMalformed)
	}
	if len(wire.ID) == 0 || len(wire.ID) > maxID {
		return Event{}, fmt.Errorf("%w: jti is missing or too long", ErrMalformed)
	}
	e, err := wire.event()
	if err != nil {
		return Event{}, err
	}
	return e, e.check()
}

// event converts the message, except for what [Event.check] checks.
func (w wireEvent) event() (Event, error) {
	raw, known := w.Events[SessionRevoked]
	if !known {
		return Event{}, ErrEventType
	}
	var revoked wireRevoked
	if json.Unmarshal(raw, &revoked) != nil {
		return Event{}, fmt.Errorf("%w: a member of the event has the wrong type", ErrMalformed)
	}
	entry, err := revoked.entry(w.Issuer, w.Subject)
	if err != nil {
		return Event{}, err
	}
	e := Event{Issuer: w.Issuer, IssuedAt: fromSeconds(w.IssuedAt), Entry: entry}
	if revoked.Prev != nil {
		e.Prev = *revoked.Prev
	}
	return e, nil
}

func (w wireRevoked) entry(issuer string, subject wireSubject) (Entry, error) {
	scope, id, err := subject.read(issuer)
	if err != nil {
		return Entry{}, err
	}
	if (scope.Kind == KindSession) != (w.UpTo == nil) {
		return Entry{}, fmt.Errorf("%w: a mark must have up_to, and a session must not", ErrMalformed)
	}
	if w.UpTo != nil {
		id = *w.UpTo
	}
	if w.AtMillis/1000 != w.Timestamp {
		return Entry{}, fmt.Errorf("%w: event_timestamp and at_ms differ", ErrMalformed)
	}
	return Entry{
		Seq: w.Seq, Scope: scope, SID: id, Reason: w.Reason,
		At: time.UnixMilli(w.AtMillis).UTC(), Until: fromSeconds(w.Until),
	}, nil
}
