package bolt

import (
	"fmt"

	"issuer.example/session"
	"issuer.example/sid"
)

// An end is: at (6) | reason.
func encodeEnd(end session.End) []byte {
	b := make([]byte, 6, 8)
	putMillis(b, millis(end.At))
	return appendReason(b, string(end.Reason))
}

func decodeEnd(id sid.ID, b []byte) (session.End, error) {
	if len(b) < 6 {
		return session.End{}, fmt.Errorf("%w: end of session %s has %d bytes", ErrDamaged, id, len(b))
	}
	reason, rest, err := cutReason(b[6:])
	if err != nil {
		return session.End{}, err
	}
	at := getMillis(b)
	if len(rest) > 0 || at == 0 {
		return session.End{}, fmt.Errorf("%w: end of session %s", ErrDamaged, id)
	}
	return session.End{At: fromMillis(at), Reason: session.Reason(reason)}, nil
}
