// Package sessionjson writes sessions as the JSON of /v1 and of the admin API, and reads what both have
// in common of the requests about them.
//
// The text is appended by hand, because a refresh is the most frequent request and its answer would
// otherwise be its most expensive part after the signature.
package sessionjson

import (
	"net/http"
	"strconv"
	"time"

	"issuer.example/handlers/exchange"
	"issuer.example/session"
	"issuer.example/sid"
)

const mediaType = "application/json"

// Answer answers with one session.
func Answer(x *exchange.Exchange, v *session.View, current bool) error {
	b := appendSession(append(make([]byte, 0, 1024), `{"session":`...), v, current)
	b = appendUser(append(b, `,"user":`...), &v.User)
	return x.Blob(http.StatusOK, mediaType, append(b, '}'))
}

// AnswerAdmin answers with one session and what is known of its refresh tokens.
func AnswerAdmin(x *exchange.Exchange, v *session.View) error {
	b := appendSession(append(make([]byte, 0, 1536), `{"session":`...), v, false)
	b = appendUser(append(b, `,"user":`...), &v.User)
	b = appendRefresh(append(b, `,"refresh":`...), &v.State)
	return x.Blob(http.StatusOK, mediaType, append(b, '}'))
}

// AnswerList answers with a list of sessions, of which current is that of the caller.
func AnswerList(x *exchange.Exchange, views []session.View, current sid.ID) error {
	b := append(make([]byte, 0, 64+512*len(views)), `{"sessions":`...)
	b = appendList(b, views, current)
	return x.Blob(http.StatusOK, mediaType, append(b, '}'))
}

// AnswerHistory answers with the live and the ended sessions of a user.
func AnswerHistory(x *exchange.Exchange, live, ended []session.View) error {
	b := appendList([]byte(`{"sessions":`), live, sid.ID{})
	b = appendList(append(b, `,"history":`...), ended, sid.ID{})
	return x.Blob(http.StatusOK, mediaType, append(b, '}'))
}

// AnswerGrant answers with a session and those of its tokens that are not empty.
func AnswerGrant(x *exchange.Exchange, status int, g *session.Grant, now time.Time) error {
	b := append(make([]byte, 0, 2048), `{"session":`...)
	b = appendSession(b, &g.View, true)
	b = appendUser(append(b, `,"user":`...), &g.View.User)
	if g.AccessToken != "" { // base64url and dots need no escapes
		b = append(append(b, `,"access_token":"`...), g.AccessToken...)
		b = append(b, `","token_type":"Bearer"`...)
	}
	left := g.AccessExpiresAt.Sub(now.Truncate(time.Second))
	b = strconv.AppendInt(append(b, `,"expires_in":`...), int64(max(left, 0)/time.Second), 10)
	if g.RefreshToken != "" {
		b = append(append(b, `,"refresh_token":"`...), g.RefreshToken...)
		b = append(b, '"')
	}
	return x.Blob(status, mediaType, append(b, '}'))
}

// AnswerRevoked answers with the number of ended sessions.
func AnswerRevoked(x *exchange.Exchange, n int) error {
	b := strconv.AppendInt([]byte(`{"revoked":`), int64(n), 10)
	return x.Blob(http.StatusOK, mediaType, append(b, '}'))
}

func appendList(b []byte, views []session.View, current sid.ID) []byte {
	b = append(b, '[')
	for i := range views {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendSession(b, &views[i], views[i].ID == current)
	}
	return append(b, ']')
}

// appendSession appends the schema Session of openapi.yaml, which has no token.
func appendSession(b []byte, v *session.View, current bool) []byte {
	b = append(b, `{"id":"`...)
	b, _ = v.ID.AppendText(b) // never fails
	b = append(b, `","user_id":`...)
	b = exchange.AppendString(b, v.User.ID)
	b = appendTime(append(b, `,"created_at":`...), v.CreatedAt)
	b = appendTime(append(b, `,"last_seen_at":`...), v.LastSeenAt)
	b = appendTime(append(b, `,"auth_time":`...), v.AuthTime)
	b = appendTime(append(b, `,"expires_at":`...), v.ExpiresAt)
	b = appendTime(append(b, `,"idle_expires_at":`...), v.IdleExpiresAt)
	b = appendDevice(append(b, ','), "", session.Device{IP: v.IP, UserAgent: v.UserAgent})
	b = appendDevice(append(b, ','), "last_", v.LastFrom)
	b = exchange.AppendNullable(append(b, `,"label":`...), v.Label)
	b = strconv.AppendBool(append(b, `,"current":`...), current)
	if !v.End.IsZero() {
		b = appendTime(append(b, `,"ended_at":`...), v.End.At)
		b = exchange.AppendString(append(b, `,"end_reason":`...), string(v.End.Reason))
	}
	return append(b, '}')
}

// appendDevice appends two members, whose names begin with that prefix.
func appendDevice(b []byte, prefix string, d session.Device) []byte {
	b = append(append(append(b, '"'), prefix...), `ip_address":`...)
	b = exchange.AppendAddress(b, d.IP)
	b = append(append(append(b, `,"`...), prefix...), `user_agent":`...)
	return exchange.AppendNullable(b, d.UserAgent)
}

// appendRefresh appends the schema RefreshState of openapi.yaml: the last redemption of a newest
// token, and the use of a copied one that has ended the session.
func appendRefresh(b []byte, st *session.State) []byte {
	b = strconv.AppendUint(append(b, `{"generation":`...), uint64(st.Generation), 10)
	b = appendTime(append(b, `,"redeemed_at":`...), st.RedeemedAt)
	b = appendDevice(append(b, ','), "", st.RedeemedFrom)
	if st.Reuse != (session.Reuse{}) {
		b = strconv.AppendUint(append(b, `,"reuse":{"generation":`...), uint64(st.Reuse.Generation), 10)
		b = append(appendDevice(append(b, ','), "", st.Reuse.From), '}')
	}
	return append(b, '}')
}

// appendUser appends what the backend said of the user at sign-in.
func appendUser(b []byte, u *session.User) []byte {
	b = exchange.AppendString(append(b, `{"id":`...), u.ID)
	if u.Email != "" {
		b = exchange.AppendString(append(b, `,"email":`...), u.Email)
	}
	if u.Name != "" {
		b = exchange.AppendString(append(b, `,"name":`...), u.Name)
	}
	if u.Image != "" {
		b = exchange.AppendString(append(b, `,"image":`...), u.Image)
	}
	return append(b, '}')
}

// appendTime appends t as RFC 3339 in UTC, to the millisecond.
func appendTime(b []byte, t time.Time) []byte {
	b = append(b, '"')
	b = t.UTC().Truncate(time.Millisecond).AppendFormat(b, time.RFC3339Nano)
	return append(b, '"')
}
