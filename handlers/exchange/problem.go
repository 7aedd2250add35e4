package exchange

import (
	"net/http"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/labstack/echo/v4"
)

// RefusalWriter answers a request with a refusal, in the form that an audience expects.
type RefusalWriter func(x *Exchange, r *Refusal, m Meaning) error

// problem is an RFC 9457 problem document.
type problem struct {
	Type      string `json:"type"`
	Title     string `json:"title"`
	Status    int    `json:"status"`
	Code      Code   `json:"code"`
	Detail    string `json:"detail,omitzero"`
	Field     string `json:"field,omitzero"`
	RequestID string `json:"request_id"`
}

// writeProblem is the RefusalWriter of routes that name no other.
func writeProblem(x *Exchange, r *Refusal, m Meaning) error {
	x.Challenge(r)
	body, err := json.Marshal(problem{
		Type: x.listener.problemBase + string(r.Code), Title: m.Title, Status: m.Status, Code: r.Code,
		Detail: r.Detail, Field: r.Field, RequestID: x.ID,
	})
	if err != nil {
		return err
	}
	return x.Blob(m.Status, "application/problem+json", body)
}

// writeRefusal answers with r, in the form of the area or the route.
func writeRefusal(x *Exchange, r *Refusal) error {
	if r.RetryAfter > 0 {
		x.Header().Set(echo.HeaderRetryAfter, strconv.Itoa(int((r.RetryAfter+time.Second-1)/time.Second)))
	}
	write := RefusalWriter(writeProblem)
	if area := x.listener.area(x.Request().URL.Path); area != nil {
		write = area
	} else if x.route != nil && x.route.Refuse != nil {
		write = x.route.Refuse
	}
	return write(x, r, r.Code.Meaning())
}

// Challenge says in WWW-Authenticate which credential is needed, if r is about credentials
// (RFC 6750 §3, RFC 9470 §3).
func (x *Exchange) Challenge(r *Refusal) {
	m := r.Code.Meaning()
	var challenge string
	switch {
	case r.Scope != "":
		challenge = `Bearer error="insufficient_scope", scope="` + r.Scope + `"`
	case m.Bearer == "":
		return
	case r.Basic:
		challenge = `Basic realm="issuer", charset="UTF-8"`
	case r.NoCredential:
		challenge = "Bearer"
	default:
		challenge = `Bearer error="` + m.Bearer + `", error_description="` + m.Title + `"`
		if r.Code == CodeNotFresh {
			challenge += ", max_age=" + strconv.Itoa(int(x.listener.cfg.FreshAge/time.Second))
		}
	}
	x.Header().Set(echo.HeaderWWWAuthenticate, challenge)
}

// answerError writes the refusal that err means. If the answer has begun already, it reports
// true: the connection must be cut, so that nobody takes the answer for a whole one.
func answerError(x *Exchange, err error) (cut bool) {
	r := RefusalFor(err)
	x.Log.Refused = err
	if x.echo.Response().Committed {
		logFailure(x, r)
		return true
	}
	if r.Code == codeMethod {
		x.Header().Set(echo.HeaderAllow, allowedMethods(x))
	}
	if r.Code == codeInternal {
		logFailure(x, r)
	}
	if err := writeRefusal(x, r); err != nil {
		x.listener.cfg.Logger.ErrorContext(x.ctx, "answer not written", "request_id", x.ID, "error", err)
	}
	return false
}

// allowedMethods is the Allow header that Echo has prepared for a 405.
func allowedMethods(x *Exchange) string {
	if allow, ok := x.echo.Get(echo.ContextKeyHeaderAllow).(string); ok && allow != "" {
		return allow
	}
	return http.MethodOptions
}
