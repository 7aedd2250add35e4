package betterauth

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"time"

	"issuer.example/handlers/exchange"
	"issuer.example/session"
	"issuer.example/sid"
)

// timeFormat has exactly three fractional digits: the client misreads any other number.
const timeFormat = "2006-01-02T15:04:05.000Z07:00"

func appendTime(b []byte, t time.Time) []byte {
	return append(t.UTC().AppendFormat(append(b, '"'), timeFormat), '"')
}

// appendSession appends a session in the form of the client, without the closing brace. Its token is its
// public id, so that a list of sessions contains no credential.
func appendSession(b []byte, v *session.View) []byte {
	b = append(b, `{"id":"`...)
	b, _ = v.ID.AppendText(b) // never fails
	b = append(b, `","token":"`...)
	b, _ = v.ID.AppendText(b)
	b = append(b, `","userId":`...)
	b = exchange.AppendString(b, v.User.ID)
	b = appendTime(append(b, `,"expiresAt":`...), v.IdleExpiresAt)
	b = appendTime(append(b, `,"createdAt":`...), v.CreatedAt)
	b = appendTime(append(b, `,"updatedAt":`...), v.LastSeenAt)
	b = exchange.AppendAddress(append(b, `,"ipAddress":`...), v.IP)
	return exchange.AppendNullable(append(b, `,"userAgent":`...), v.UserAgent)
}

// appendUser appends the user in the form of the client. The issuer keeps no users: the dates are those of
// the sign-in, when the backend described this one. The session's claims are the custom fields.
func appendUser(b []byte, v *session.View) []byte {
	b = exchange.AppendString(append(b, `{"id":`...), v.User.ID)
	b = exchange.AppendString(append(b, `,"email":`...), v.User.Email)
	b = exchange.AppendString(append(b, `,"name":`...), v.User.Name)
	b = exchange.AppendNullable(append(b, `,"image":`...), v.User.Image)
	b = appendTime(append(b, `,"createdAt":`...), v.CreatedAt)
	b = appendTime(append(b, `,"updatedAt":`...), v.CreatedAt)
	b, verified := appendClaims(b, v.Claims)
	return append(strconv.AppendBool(append(b, `,"emailVerified":`...), verified), '}')
}

// appendClaims appends the claims that are no field of every user. It reports whether they say that the
// email address is verified.
func appendClaims(b, claims []byte) (_ []byte, verified bool) {
	var members map[string]json.RawMessage
	if len(claims) == 0 || json.Unmarshal(claims, &members) != nil { // they were checked at sign-in
		return b, false
	}
	for _, name := range slices.Sorted(maps.Keys(members)) {
		switch name {
		case "id", "email", "name", "emailVerified", "image", "createdAt", "updatedAt":
			continue
		case "email_verified":
			verified = string(members[name]) == "true"
		}
		b = exchange.AppendString(append(b, ','), name)
		b = append(append(b, ':'), members[name]...)
	}
	return b, verified
}

// appendIdentity appends the session and its user. A renewal that is due makes the client send a POST.
func appendIdentity(b []byte, v *session.View, renewalDue bool) []byte {
	b = appendSession(append(b, `{"session":`...), v)
	b = appendUser(append(b, `},"user":`...), v)
	if renewalDue {
		b = append(b, `,"needsRefresh":true`...)
	}
	return append(b, '}')
}

func appendList(b []byte, views []session.View, current sid.ID) []byte {
	b = append(b, '[')
	for i := range views {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendSession(b, &views[i])
		b = exchange.AppendAddress(append(b, `,"lastIpAddress":`...), views[i].LastFrom.IP)
		b = exchange.AppendNullable(append(b, `,"lastUserAgent":`...), views[i].LastFrom.UserAgent)
		b = append(strconv.AppendBool(append(b, `,"current":`...), views[i].ID == current), '}')
	}
	return append(b, ']')
}
