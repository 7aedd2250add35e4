package revocation

import (
	"encoding/json"
	"fmt"
	"time"

	"issuer.example/jwt"
)

const (
	maxSeq  = 1<<53 - 1    // the largest integer that every JSON parser represents exactly
	maxTime = 253402300799 // seconds: the end of the year 9999
	maxID   = 255          // bytes of jti
	depth   = 8            // levels of objects and arrays in a message
)

// decode decodes strict JSON into a struct. encoding/json ignores the case of names, so the
// check before it refuses two names that differ in case only.
func decode(payload []byte, into any) error {
	if err := jwt.CheckJSON(payload, depth); err != nil {
		return fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	if json.Unmarshal(payload, into) != nil { // its error may contain a part of the payload
		return fmt.Errorf("%w: a member has the wrong type", ErrMalformed)
	}
	return nil
}

func (e Entry) check() error {
	switch {
	case e.SID.IsZero():
		return fmt.Errorf("%w: a session identifier is missing", ErrMalformed)
	case !inRange(e.Until):
		return fmt.Errorf("%w: until is out of range", ErrMalformed)
	}
	switch e.Scope.Kind {
	case KindSession, KindEverything:
		if e.Scope.Name != "" {
			return fmt.Errorf("%w: only marks of users and clients have a name", ErrMalformed)
		}
	case KindUser, KindClient:
		if jwt.ValidSubject(e.Scope.Name) != nil {
			return fmt.Errorf("%w: the name of a mark is not a user or client id", ErrMalformed)
		}
	default:
		return fmt.Errorf("%w: unknown kind", ErrMalformed)
	}
	return nil
}

func inRange(t time.Time) bool { return t.Unix() >= 1 && t.Unix() <= maxTime }

func fromSeconds(s int64) time.Time { return time.Unix(s, 0).UTC() }

// ceilSeconds rounds up, so that no reader drops an entry before its end.
func ceilSeconds(t time.Time) int64 { return t.Add(time.Second - 1).Unix() }
