package revocation

import (
	"encoding/json"
	"fmt"
	"time"

	"issuer.example/sid"
)

// Alive is the issuer's statement that the log ends at Seq at one moment. On the stream it
// comes after every event up to Seq, so a reader that has fewer has missed some. It is
// signed, so a relay can't withhold events unnoticed.
type Alive struct {
	// Issuer is iss, the issuer's URL.
	Issuer string
	// IssuedAt is iat, in whole seconds.
	IssuedAt time.Time
	// Seq is the number of the newest entry, 0 if there has never been one.
	Seq uint64
	// Last is the identifier in that entry, zero if the issuer has purged it.
	Last sid.ID
}

type wireAlive struct {
	Issuer   string  `json:"iss"`
	IssuedAt int64   `json:"iat"`
	Seq      *uint64 `json:"seq"`
	Last     *sid.ID `json:"last,omitempty"`
}

// Encode returns the payload to be signed as [TypeAlive]. The error wraps [ErrMalformed] if a
// reader would refuse the payload.
func (a Alive) Encode() ([]byte, error) {
	if err := a.check(); err != nil {
		return nil, err
	}
	wire := wireAlive{Issuer: a.Issuer, IssuedAt: a.IssuedAt.Unix(), Seq: &a.Seq}
	if !a.Last.IsZero() {
		wire.Last = &a.Last
	}
	return json.Marshal(wire)
}

func (a Alive) check() error {
	if a.Issuer == "" || !inRange(a.IssuedAt) || a.Seq > maxSeq {
		return fmt.Errorf("%w: iss, iat or seq is missing or out of range", ErrMalformed)
	}
	return nil
}

// DecodeAlive decodes a payload whose signature and type the caller has verified. The error
// wraps [ErrMalformed] and contains nothing of the payload.
func DecodeAlive(payload []byte) (Alive, error) {
	var wire wireAlive
	if err := decode(payload, &wire); err != nil {
		return Alive{}, err
	}
	if wire.Seq == nil {
		return Alive{}, fmt.Errorf("%w: seq is missing", ErrMalformed)
	}
	a := Alive{Issuer: wire.Issuer, IssuedAt: fromSeconds(wire.IssuedAt), Seq: *wire.Seq}
	if wire.Last != nil {
		a.Last = *wire.Last
	}
	return a, a.check()
}
