package exchange

import (
	"context"
	"net/http"
	"net/netip"
	"time"

	"github.com/labstack/echo/v4"

	"issuer.example/session"
)

// Exchange is one request and its answer. It belongs to the goroutine of its request.
type Exchange struct {
	// Log is what the access log says beyond the request itself. Handlers fill it in.
	Log LogFields
	// ID identifies the request in the log and in the answer.
	ID string

	echo     echoContext
	ctx      context.Context //nolint:containedctx // an Exchange lives as long as its request
	listener *Listener
	route    *Route // nil if no route matches
	began    time.Time
	peer     netip.Addr // the address of the connection
	client   netip.Addr // the peer, or the client that a trusted proxy names
}

// LogFields are values for the access log.
type LogFields struct {
	SessionID string // the session that the request is about
	Outcome   string // of the refresh, if the request is one
	Client    string // the name of the service key
	Refused   error  // why the request was refused
}

// echoContext is Echo's context, from which a handler finds the Exchange.
type echoContext struct {
	echo.Context
	exchange *Exchange
}

// Request is the request. Its context has no deadline of ours: use [Exchange.Context].
func (x *Exchange) Request() *http.Request { return x.echo.Request() }

// Context ends with the request, and after [RequestTimeout] unless the route is Unbounded.
func (x *Exchange) Context() context.Context { return x.ctx }

// Public reports whether the request came to the public listener.
func (x *Exchange) Public() bool { return x.listener.cfg.Public }

// Open reports whether the request is for an open document, or the preflight of one; see [Route].
func (x *Exchange) Open() bool {
	route := x.route
	if route == nil && x.Request().Method == http.MethodOptions {
		route = x.listener.routes[routeKey{http.MethodGet, x.echo.Path()}]
	}
	return route != nil && route.Open
}

// isProbe reports whether the request is for a probe; see [Route].
func (x *Exchange) isProbe() bool { return x.route != nil && x.route.Probe }

// ClientAddr is the address of the client: that of the connection, or the one that a trusted
// proxy names. It is the zero Addr if the connection has none.
func (x *Exchange) ClientAddr() netip.Addr { return x.client }

// maxUserAgent is how many bytes of a User-Agent header are kept.
const maxUserAgent = 512

// Device is the address and the User-Agent that the request came from.
func (x *Exchange) Device() session.Device {
	agent := x.Request().UserAgent()
	return session.Device{IP: x.client, UserAgent: agent[:min(len(agent), maxUserAgent)]}
}

// Writer writes the answer.
func (x *Exchange) Writer() http.ResponseWriter { return x.echo.Response() }

// Header is the header of the answer.
func (x *Exchange) Header() http.Header { return x.echo.Response().Header() }

// Control sets deadlines and flushes. It bypasses Echo, whose Flush hides errors.
func (x *Exchange) Control() *http.ResponseController {
	return http.NewResponseController(x.echo.Response().Writer)
}

// Blob answers with body.
func (x *Exchange) Blob(status int, mediaType string, body []byte) error {
	return x.echo.Blob(status, mediaType, body)
}

// NoContent answers without a body.
func (x *Exchange) NoContent(status int) error { return x.echo.NoContent(status) }

// Redirect answers with a redirection to location.
func (x *Exchange) Redirect(status int, location string) error {
	return x.echo.Redirect(status, location)
}
