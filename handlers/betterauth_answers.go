package handlers

import (
	"errors"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/labstack/echo/v4"

	"issuer.example/session"
	"issuer.example/sid"
)

// betterTime has exactly three fractional digits: the client misreads any other number.
const betterTime = "2006-01-02T15:04:05.000Z07:00"

func appendBetterTime(b []byte, t time.Time) []byte {
	return append(t.UTC().AppendFormat(append(b, '"'), betterTime), '"')
}

// appendBetterSession appends a session as the client knows it, but for the closing brace.
// Its token is its public id: a list of sessions holds nothing that opens one.
func appendBetterSession(b []byte, v *session.View) []byte {
	b = append(b, `{"id":"`...)
	b, _ = v.ID.AppendText(b) // never fails
	b = append(b, `","token":"`...)
	b, _ = v.ID.AppendText(b)
	b = append(b, `","userId":`...)
	b = appendString(b, v.User.ID)
	b = appendBetterTime(append(b, `,"expiresAt":`...), v.IdleExpiresAt)
	b = appendBetterTime(append(b, `,"createdAt":`...), v.CreatedAt)
	b = appendBetterTime(append(b, `,"updatedAt":`...), v.LastSeenAt)
	ip := ""
	if v.IP.IsValid() {
		ip = v.IP.String()
	}
	b = appendOptional(append(b, `,"ipAddress":`...), ip)
	return appendOptional(append(b, `,"userAgent":`...), v.UserAgent)
}

// appendBetterUser appends the user as the client knows one. The issuer keeps no users: the
// dates are those of the sign-in, when the backend described this one. The session's
// claims are the custom fields.
func appendBetterUser(b []byte, v *session.View) []byte {
	b = appendString(append(b, `{"id":`...), v.User.ID)
	b = appendString(append(b, `,"email":`...), v.User.Email)
	b = appendString(append(b, `,"name":`...), v.User.Name)
	b = appendOptional(append(b, `,"image":`...), v.User.Image)
	b = appendBetterTime(append(b, `,"createdAt":`...), v.CreatedAt)
	b = appendBetterTime(append(b, `,"updatedAt":`...), v.CreatedAt)
	b, verified := appendClaims(b, v.Claims)
	return append(strconv.AppendBool(append(b, `,"emailVerified":`...), verified), '}')
}

// appendClaims appends the claims that are no field of every user, and says whether they
// have the email for verified.
func appendClaims(b, claims []byte) (_ []byte, verified bool) {
	var members map[string]jsontext.Value
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
		b = appendString(append(b, ','), name)
		b = append(append(b, ':'), members[name]...)
	}
	return b, verified
}

// appendIdentity appends who is signed in.
func appendIdentity(b []byte, v *session.View, due bool) []byte {
	b = appendBetterSession(append(b, `{"session":`...), v)
	b = appendBetterUser(append(b, `},"user":`...), v)
	if due {
		b = append(b, `,"needsRefresh":true`...)
	}
	return append(b, '}')
}

func appendBetterList(b []byte, views []session.View, current sid.ID) []byte {
	b = append(b, '[')
	for i := range views {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendBetterSession(b, &views[i])
		b = append(strconv.AppendBool(append(b, `,"current":`...), views[i].ID == current), '}')
	}
	return append(b, ']')
}

// decodeCall reads the body of a call into v, if there is one: a JSON object. Members that
// v does not name are passed over, since client plugins add some.
func decodeCall(x *exchange, v any) error {
	if x.Request().ContentLength == 0 {
		return nil
	}
	if err := mediaType(x, echo.MIMEApplicationJSON); err != nil {
		return err
	}
	body, err := readBody(x)
	if err != nil || len(body) == 0 {
		return err
	}
	if tooDeep(body) {
		return invalid("The body nests too deeply.")
	}
	if jsontext.Value(body).Kind() != '{' && jsontext.Value(body).IsValid() {
		return &refusal{code: codeInvalidRequest, better: "VALIDATION_ERROR", detail: "The body must be a JSON object."}
	}
	if v == nil {
		v = new(map[string]jsontext.Value)
	}
	if err := json.Unmarshal(body, v); err != nil {
		return misreadCall(err)
	}
	return nil
}

// misreadCall says what is wrong with the body of a call.
func misreadCall(err error) error {
	refused := misread(err)
	if _, wrongType := errors.AsType[*json.SemanticError](err); !wrongType {
		return refused
	}
	if r, ok := errors.AsType[*refusal](refused); ok {
		r.better = "VALIDATION_ERROR"
	}
	return refused
}

// betterError is what a better-auth client is refused with.
type betterError struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

// writeBetterRefusal answers with r as the client reads it. It takes 401 for signed out, and
// keeps the user on any other status.
func (s *Server) writeBetterRefusal(x *exchange, r *refusal, m meaning) error {
	status, e := m.status, betterError{Code: r.better, Message: r.detail}
	word := betterWord(r.code)
	switch word {
	case "UNAUTHORIZED":
		e.Message = "Unauthorized"
		s.challenge(x, r, m)
	case "SESSION_NOT_FRESH":
		status = http.StatusForbidden
	}
	if e.Code == "" {
		e.Code = word
	}
	if e.Message == "" {
		e.Message = m.title
	}
	if after := x.header().Get(echo.HeaderRetryAfter); after != "" {
		x.header().Set("X-Retry-After", after)
	}
	return writeJSON(x, status, e)
}

// betterWord is the better-auth client's word for a code.
func betterWord(c code) string {
	if _, ok := unauthorized(c); ok && c != codeNotFresh {
		return "UNAUTHORIZED"
	}
	switch c {
	case codeNotFresh:
		return "SESSION_NOT_FRESH"
	case codeInvalidRequest:
		return "BAD_REQUEST"
	case codeForbidden:
		return foreignOrigin
	case codeNotFound:
		return "NOT_FOUND"
	case codeMethod:
		return "METHOD_NOT_ALLOWED"
	case codeTooLarge:
		return "PAYLOAD_TOO_LARGE"
	case codeMediaType:
		return "UNSUPPORTED_MEDIA_TYPE"
	case codeMisdirected:
		return "MISDIRECTED_REQUEST"
	case codeRateLimited:
		return "TOO_MANY_REQUESTS"
	case codeHeaders:
		return "REQUEST_HEADER_FIELDS_TOO_LARGE"
	case codeUnavailable:
		return "SERVICE_UNAVAILABLE"
	default:
		return "INTERNAL_SERVER_ERROR"
	}
}
