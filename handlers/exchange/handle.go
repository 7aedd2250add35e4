package exchange

import (
	"context"
	"fmt"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"github.com/labstack/echo/v4"
)

const (
	// RequestTimeout is after what time the context of a request ends. A part that does not
	// answer until then is refused as unavailable.
	RequestTimeout = 10 * time.Second
	// maxCookies is how many cookies a request may have in all. A browser keeps fewer for a
	// site.
	maxCookies = 256
)

// handle is the middleware around every request, whether or not a route matches.
func (l *Listener) handle(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		x := l.newExchange(c)
		if x.route == nil || !x.route.Unbounded {
			var cancel context.CancelFunc
			x.ctx, cancel = context.WithTimeout(x.ctx, RequestTimeout)
			defer cancel()
		}
		cut := false
		if err := serve(x, next); err != nil {
			cut = answerError(x, err)
		}
		logAccess(x)
		warnLargeHeader(x)
		if cut {
			panic(http.ErrAbortHandler)
		}
		return nil
	}
}

func (l *Listener) newExchange(c echo.Context) *Exchange {
	r := c.Request()
	x := &Exchange{listener: l, ctx: r.Context(), began: l.cfg.Now()}
	x.echo = echoContext{Context: c, exchange: x}
	x.route = l.routes[routeKey{r.Method, c.Path()}]
	x.peer, x.client = l.cfg.Proxies.addresses(r)
	x.ID = requestIDOf(x)
	return x
}

// serve runs the request. A panic becomes an error.
func serve(x *Exchange, next echo.HandlerFunc) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &panicError{kind: fmt.Sprintf("%T", v), stack: debug.Stack()}
		}
	}()
	h := x.Header()
	h["X-Request-Id"] = []string{x.ID}
	h["Cache-Control"] = x.listener.noStore
	h["X-Content-Type-Options"] = x.listener.noSniff
	// CORS comes first, so that a page can read why it was refused.
	preflight := false
	if share := x.listener.cfg.ShareAcrossOrigins; share != nil {
		preflight = share(x)
	}
	if err := checkLimits(x); err != nil {
		return err
	}
	if preflight {
		return x.NoContent(http.StatusNoContent)
	}
	if err := x.listener.checkMethod(x); err != nil {
		return err
	}
	return next(&x.echo)
}

// checkLimits refuses requests that no route accepts.
func checkLimits(x *Exchange) error {
	r, l := x.Request(), x.listener
	switch {
	case !x.isProbe() && !l.hosts.allows(r.Host) && !l.cfg.Proxies.trusts(x.peer):
		return &Refusal{Code: codeMisdirected}
	case r.ContentLength > maxBody:
		return &Refusal{Code: codeTooLarge}
	case r.Header.Get(echo.HeaderContentEncoding) != "":
		return &Refusal{Code: codeMediaType, Detail: "An encoded body is not accepted."}
	case cookieCount(r) > maxCookies:
		return &Refusal{Code: codeHeaders, Detail: "The request has too many cookies."}
	}
	if x.route == nil || x.route.Open {
		return nil
	}
	return refuseTokenInQuery(x)
}

func cookieCount(r *http.Request) int {
	count := 0
	for _, line := range r.Header["Cookie"] {
		count += 1 + strings.Count(line, ";")
	}
	return count
}

// panicError is a recovered panic. Its value may contain something from the request, so only
// its type is kept.
type panicError struct {
	kind  string
	stack []byte
}

func (p *panicError) Error() string { return "panic: " + p.kind }
