package handlers

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/labstack/echo/v4"
)

// problem is an RFC 9457 problem document.
type problem struct {
	Type      string `json:"type"`
	Title     string `json:"title"`
	Status    int    `json:"status"`
	Code      code   `json:"code"`
	Detail    string `json:"detail,omitzero"`
	Field     string `json:"field,omitzero"`
	RequestID string `json:"request_id"`
}

// oauthError is what the OAuth endpoints refuse with (RFC 6749 §5.2).
type oauthError struct {
	Error       string `json:"error"`
	Description string `json:"error_description,omitzero"`
}

// writeRefusal answers with r, in the form that the route is to use.
func (s *Server) writeRefusal(x *exchange, r *refusal) error {
	m := r.code.meaning()
	if r.retry > 0 {
		x.header().Set(echo.HeaderRetryAfter, strconv.Itoa(int((r.retry+time.Second-1)/time.Second)))
	}
	if s.isBetterAuth(x) {
		return s.writeBetterRefusal(x, r, m)
	}
	if x.route != nil && x.route.page {
		return s.writePageRefusal(x, r, m)
	}
	s.challenge(x, r, m)
	if x.route != nil && x.route.oauth {
		return writeJSON(x, m.status, oauthError{Error: oauthWord(r, m), Description: plain(r, m)})
	}
	body, err := json.Marshal(problem{
		Type: s.problemBase + string(r.code), Title: m.title, Status: m.status, Code: r.code,
		Detail: r.detail, Field: r.field, RequestID: x.id,
	})
	if err != nil {
		return err
	}
	return x.Blob(m.status, "application/problem+json", body)
}

// challenge says in WWW-Authenticate what a credential must be (RFC 6750 §3, RFC 9470 §3).
func (s *Server) challenge(x *exchange, r *refusal, m meaning) {
	if r.scope != "" {
		x.header().Set(echo.HeaderWWWAuthenticate, `Bearer error="insufficient_scope", scope="`+r.scope+`"`)
		return
	}
	if m.bearer == "" {
		return
	}
	switch {
	case r.basic:
		x.header().Set(echo.HeaderWWWAuthenticate, `Basic realm="issuer", charset="UTF-8"`)
		return
	case r.bare:
		x.header().Set(echo.HeaderWWWAuthenticate, "Bearer")
		return
	}
	text := `Bearer error="` + m.bearer + `", error_description="` + m.title + `"`
	if r.code == codeNotFresh {
		text += ", max_age=" + strconv.Itoa(int(s.cfg.Sessions.FreshAge()/time.Second))
	}
	x.header().Set(echo.HeaderWWWAuthenticate, text)
}

func oauthWord(r *refusal, m meaning) string {
	if r.scope != "" {
		return "insufficient_scope"
	}
	return m.oauth
}

// plain is the refusal in the characters that RFC 6749 §5.2 allows in a description.
func plain(r *refusal, m meaning) string {
	text := r.detail
	if text == "" {
		text = m.title
	}
	return strings.Map(func(c rune) rune {
		if c < 0x20 || c > 0x7e || c == '"' || c == '\\' {
			return '?'
		}
		return c
	}, text)
}

// writeJSON answers with v as JSON.
func writeJSON(x *exchange, status int, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return x.Blob(status, echo.MIMEApplicationJSON, body)
}

// problem explains a code: it is what the type of a problem document points to.
func (s *Server) problem(x *exchange) error {
	text, err := x.segment("code")
	if err != nil {
		return err
	}
	m := code(text).meaning()
	if m.status == http.StatusInternalServerError && code(text) != codeInternal {
		return notFound()
	}
	return writeJSON(x, http.StatusOK, struct {
		Code   code   `json:"code"`
		Status int    `json:"status"`
		Title  string `json:"title"`
	}{code(text), m.status, m.title})
}
