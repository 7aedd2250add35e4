package handlers

import (
	"fmt"
	"net/http"
	"runtime/debug"
	"strings"

	"github.com/labstack/echo/v4"
)

const (
	// maxBody is how large the body of a request may be.
	maxBody = 64 << 10
	// maxCookies is how many cookies a request may have, of whatever name. A browser
	// keeps fewer for a site.
	maxCookies = 256
)

// frame is what happens around every request, whether or not a route matches.
func (l *listener) frame(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		x, cut := l.begin(c), false
		if err := l.guarded(x, next); err != nil {
			cut = l.server.answer(x, err)
		}
		l.finish(x)
		if cut {
			panic(http.ErrAbortHandler)
		}
		return nil
	}
}

// guarded runs the request. A panic becomes an error.
func (l *listener) guarded(x *exchange, next echo.HandlerFunc) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &panicError{kind: fmt.Sprintf("%T", v), stack: debug.Stack()}
		}
	}()
	h := x.header()
	h["X-Request-Id"] = []string{x.id}
	h["Cache-Control"] = l.noStore
	h["X-Content-Type-Options"] = l.noSniff
	// CORS comes first, so that a page can read why it was refused.
	preflight := l.public && l.server.origins.share(x)
	if err := l.admit(x); err != nil {
		return err
	}
	if preflight {
		return x.NoContent(http.StatusNoContent)
	}
	return next(x)
}

// admit refuses what no route takes.
func (l *listener) admit(x *exchange) error {
	r := x.Request()
	if len(r.TransferEncoding) > 0 {
		// Nothing that follows on the connection is read, so nothing can be smuggled behind
		// the body.
		x.header().Set("Connection", "close")
	}
	switch {
	case !l.server.hosts.known(r.Host) && !l.server.proxies.trusted(x.peer):
		return &refusal{code: codeMisdirected}
	case r.ContentLength > maxBody:
		return &refusal{code: codeTooLarge}
	case r.Header.Get(echo.HeaderContentEncoding) != "":
		return &refusal{code: codeMediaType, detail: "An encoded body is not accepted."}
	case cookieCount(r) > maxCookies:
		return &refusal{code: codeHeaders, detail: "The request has too many cookies."}
	}
	if x.route == nil || x.route.open {
		return nil
	}
	return x.withoutTokens()
}

func cookieCount(r *http.Request) int {
	lines, count := r.Header["Cookie"], 0
	for _, line := range lines {
		count += 1 + strings.Count(line, ";")
	}
	return count
}

// panicError is a panic that was caught. Its value may hold what the request brought, so
// only its type is kept.
type panicError struct {
	kind  string
	stack []byte
}

func (p *panicError) Error() string { return "panic: " + p.kind }

// answer writes the refusal that err means. An answer that has begun cannot be taken back:
// the connection is to be cut then, so that nobody takes it for a whole one.
func (s *Server) answer(x *exchange, err error) (cut bool) {
	r := s.refuse(err)
	x.cause = err
	if x.Response().Committed {
		s.logFailure(x, r)
		return true
	}
	if r.code == codeMethod {
		x.header().Set(echo.HeaderAllow, x.allowed())
	}
	if r.code == codeInternal {
		s.logFailure(x, r)
	}
	if err := s.writeRefusal(x, r); err != nil {
		s.cfg.Logger.ErrorContext(x.Request().Context(), "answer not written", "request_id", x.id, "error", err)
	}
	return false
}

// allowed is the Allow header that Echo has prepared for a 405.
func (x *exchange) allowed() string {
	if allow, ok := x.Get(echo.ContextKeyHeaderAllow).(string); ok && allow != "" {
		return allow
	}
	return http.MethodOptions
}
