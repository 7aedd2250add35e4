package handlers

import (
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/labstack/echo/v4"

	"issuer.example/session"
	"issuer.example/sid"
)

// The answers that hold sessions are appended by hand: the refresh is the busiest route,
// and its answer would else be its most expensive part after the signature.

// appendSession appends the S of the interface: a session without any token.
func appendSession(b []byte, v *session.View, current bool) []byte {
	b = append(b, `{"id":"`...)
	b, _ = v.ID.AppendText(b) // never fails
	b = append(b, `","user_id":`...)
	b = appendString(b, v.User.ID)
	b = appendTime(append(b, `,"created_at":`...), v.CreatedAt)
	b = appendTime(append(b, `,"last_seen_at":`...), v.LastSeenAt)
	b = appendTime(append(b, `,"auth_time":`...), v.AuthTime)
	b = appendTime(append(b, `,"expires_at":`...), v.ExpiresAt)
	b = appendTime(append(b, `,"idle_expires_at":`...), v.IdleExpiresAt)
	b = append(b, `,"ip_address":`...)
	if v.IP.IsValid() {
		b = append(b, '"')
		b = v.IP.AppendTo(b)
		b = append(b, '"')
	} else {
		b = append(b, "null"...)
	}
	b = appendOptional(append(b, `,"user_agent":`...), v.UserAgent)
	b = appendOptional(append(b, `,"label":`...), v.Label)
	b = strconv.AppendBool(append(b, `,"current":`...), current)
	if !v.End.IsZero() {
		b = appendTime(append(b, `,"ended_at":`...), v.End.At)
		b = appendString(append(b, `,"end_reason":`...), string(v.End.Reason))
	}
	return append(b, '}')
}

// appendUser appends what the backend said of the user at sign-in.
func appendUser(b []byte, u *session.User) []byte {
	b = appendString(append(b, `{"id":`...), u.ID)
	if u.Email != "" {
		b = appendString(append(b, `,"email":`...), u.Email)
	}
	if u.Name != "" {
		b = appendString(append(b, `,"name":`...), u.Name)
	}
	if u.Image != "" {
		b = appendString(append(b, `,"image":`...), u.Image)
	}
	return append(b, '}')
}

func appendOptional(b []byte, s string) []byte {
	if s == "" {
		return append(b, "null"...)
	}
	return appendString(b, s)
}

// appendString appends s as a JSON string. Text that is not UTF-8 is mended.
func appendString(b []byte, s string) []byte {
	b, _ = jsontext.AppendQuote(b, s) // the error says that s was not UTF-8
	return b
}

// appendTime appends t as RFC 3339 in UTC, to the millisecond.
func appendTime(b []byte, t time.Time) []byte {
	b = append(b, '"')
	b = t.UTC().Truncate(time.Millisecond).AppendFormat(b, time.RFC3339Nano)
	return append(b, '"')
}

// answerSessions answers with a list of sessions.
func answerSessions(x *exchange, views []session.View, current sid.ID) error {
	b := append(make([]byte, 0, 64+512*len(views)), `{"sessions":`...)
	b = appendSessions(b, views, current)
	return x.Blob(200, echo.MIMEApplicationJSON, append(b, '}'))
}

func appendSessions(b []byte, views []session.View, current sid.ID) []byte {
	b = append(b, '[')
	for i := range views {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendSession(b, &views[i], views[i].ID == current)
	}
	return append(b, ']')
}

// answerSession answers with one session.
func answerSession(x *exchange, v *session.View, current bool) error {
	b := appendSession(append(make([]byte, 0, 1024), `{"session":`...), v, current)
	b = appendUser(append(b, `,"user":`...), &v.User)
	return x.Blob(200, echo.MIMEApplicationJSON, append(b, '}'))
}

// answerGrant answers with a session and those tokens that are not left out.
func answerGrant(x *exchange, status int, g *session.Grant, now time.Time) error {
	b := append(make([]byte, 0, 2048), `{"session":`...)
	b = appendSession(b, &g.View, true)
	b = appendUser(append(b, `,"user":`...), &g.View.User)
	if g.AccessToken != "" { // base64url and dots: nothing to escape
		b = append(append(b, `,"access_token":"`...), g.AccessToken...)
		b = append(b, `","token_type":"Bearer"`...)
	}
	left := g.AccessExpiresAt.Sub(now.Truncate(time.Second))
	b = strconv.AppendInt(append(b, `,"expires_in":`...), int64(max(left, 0)/time.Second), 10)
	if g.RefreshToken != "" {
		b = append(append(b, `,"refresh_token":"`...), g.RefreshToken...)
		b = append(b, '"')
	}
	return x.Blob(status, echo.MIMEApplicationJSON, append(b, '}'))
}

// answerRevoked answers with how many sessions have ended.
func answerRevoked(x *exchange, n int) error {
	b := strconv.AppendInt([]byte(`{"revoked":`), int64(n), 10)
	return x.Blob(200, echo.MIMEApplicationJSON, append(b, '}'))
}
