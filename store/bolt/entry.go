package bolt

import (
	"encoding/binary"
	"fmt"

	"issuer.example/revocation"
	"issuer.example/session"
	"issuer.example/sid"
)

// reasonCodes are the reasons that are stored as one byte: the code is the place in the
// list, from 1. A new reason goes to the end; none is ever moved or removed. A reason
// that is not listed is stored as 0, its length and its text.
var reasonCodes = [...]session.Reason{
	session.ReasonSignOut, session.ReasonUserRevoked, session.ReasonUserRevokedAll,
	session.ReasonServiceRevoked, session.ReasonAdminRevoked, session.ReasonTokenRevoked,
	session.ReasonRefreshReuse, session.ReasonLimit, session.ReasonExpired, session.ReasonIdle,
	session.ReasonBindingMismatch, session.ReasonKeyRevoked, session.ReasonClientRevoked,
}

func appendReason(b []byte, reason string) []byte {
	for i, r := range reasonCodes {
		if string(r) == reason {
			return append(b, byte(i+1))
		}
	}
	reason = reason[:min(len(reason), 255)]
	b = append(b, 0, byte(len(reason))) //nolint:gosec // cut above
	return append(b, reason...)
}

// cutReason reads a reason and returns what follows it.
func cutReason(b []byte) (reason string, rest []byte, err error) {
	if len(b) == 0 {
		return "", nil, fmt.Errorf("%w: a reason is missing", ErrDamaged)
	}
	code, b := int(b[0]), b[1:]
	if code > len(reasonCodes) {
		return "", nil, fmt.Errorf("%w: unknown reason %d", ErrDamaged, code)
	}
	if code > 0 {
		return string(reasonCodes[code-1]), b, nil
	}
	if len(b) == 0 || len(b) < 1+int(b[0]) {
		return "", nil, fmt.Errorf("%w: a reason is cut short", ErrDamaged)
	}
	n := 1 + int(b[0])
	return string(b[1:n]), b[n:], nil
}

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

// A log entry is: kind (1) | sid (16) | at (6) | until (6) | reason | name of the scope.
// A mark is the same, and begins with whether it is settled (1) in place of the kind.
const entryHead = 1 + 16 + 6 + 6

func encodeEntry(e *revocation.Entry) []byte {
	return appendEntry(byte(e.Scope.Kind), e, e.Scope.Name)
}

func appendEntry(first byte, e *revocation.Entry, name string) []byte {
	b := make([]byte, entryHead, entryHead+1+len(name))
	b[0] = first
	copy(b[1:17], e.SID[:])
	putMillis(b[17:], millis(e.At))
	putMillis(b[23:], millis(e.Until))
	b = appendReason(b, e.Reason)
	return append(b, name...)
}

func decodeEntry(key, b []byte) (revocation.Entry, error) {
	e, name, err := cutEntry(b)
	if err != nil || len(key) != 8 {
		return e, fmt.Errorf("log entry %x: %w", key, orDamaged(err))
	}
	e.Seq = binary.BigEndian.Uint64(key)
	e.Scope = revocation.Scope{Kind: revocation.Kind(b[0]), Name: string(name)}
	if e.Scope.Kind != revocation.KindSession && !marking(e.Scope.Kind) {
		return e, fmt.Errorf("%w: log entry %d has kind %d", ErrDamaged, e.Seq, b[0])
	}
	return e, nil
}

// marking tells whether an entry of that kind is a mark.
func marking(k revocation.Kind) bool {
	return k == revocation.KindUser || k == revocation.KindClient || k == revocation.KindEverything
}

func cutEntry(b []byte) (e revocation.Entry, name []byte, err error) {
	if len(b) < entryHead {
		return e, nil, fmt.Errorf("%w: %d bytes", ErrDamaged, len(b))
	}
	copy(e.SID[:], b[1:17])
	e.At, e.Until = fromMillis(getMillis(b[17:])), fromMillis(getMillis(b[23:]))
	e.Reason, name, err = cutReason(b[entryHead:])
	return e, name, err
}

func markKey(scope revocation.Scope) []byte {
	return append([]byte{byte(scope.Kind)}, scope.Name...)
}

func encodeMark(m *revocation.Mark) []byte {
	first := byte(0)
	if m.Settled {
		first = 1
	}
	return appendEntry(first, &revocation.Entry{SID: m.SID, At: m.At, Until: m.Until, Reason: m.Reason}, "")
}

func decodeMark(key, b []byte) (revocation.Mark, error) {
	e, name, err := cutEntry(b)
	if err != nil || len(key) == 0 || len(name) > 0 || b[0] > 1 || !marking(revocation.Kind(key[0])) {
		return revocation.Mark{}, fmt.Errorf("mark %x: %w", key, orDamaged(err))
	}
	return revocation.Mark{
		Scope: revocation.Scope{Kind: revocation.Kind(key[0]), Name: string(key[1:])},
		SID:   e.SID, At: e.At, Until: e.Until, Reason: e.Reason, Settled: b[0] == 1,
	}, nil
}

func orDamaged(err error) error {
	if err == nil {
		return ErrDamaged
	}
	return err
}
