package exchange

import (
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/labstack/echo/v4"
)

// Config is what the two listeners are made of.
type Config struct {
	Issuer   string        // base of the URLs of problem types, without a trailing slash
	Hosts    []string      // further names that the issuer is called by, without port
	Proxies  Proxies       // trusted proxies
	FreshAge time.Duration // what a challenge for a fresh authentication names as max_age
	Public   bool          // the public listener; false: the admin listener
	// ShareAcrossOrigins sets the CORS headers of the answer. It reports whether the request is
	// a preflight, which is answered by them. Nil: no CORS.
	ShareAcrossOrigins func(*Exchange) (preflight bool)
	// Areas are parts of the paths with their own form of refusals.
	Areas []Area

	Observer Observer     // required
	Logger   *slog.Logger // required
	Now      func() time.Time
}

// Area is a path prefix, without a trailing slash, and the form of all refusals below it:
// those of paths without a route, too.
type Area struct {
	Prefix string
	Refuse RefusalWriter
}

// Observer is called for requests, for metrics.
type Observer interface {
	// Route is called once for each route. The function that it returns is called after each
	// request of the route, and must not block. Requests without a route have the pattern ""
	// and the method "".
	Route(method, pattern string) func(status int, took time.Duration)
}

// Route is one method of one path. A GET route answers HEAD too, unless NoHead is set.
type Route struct {
	Method string
	Path   string // with parameters as {name}
	Serve  func(*Exchange) error
	// Refuse writes the refusals. Nil: problem documents (RFC 9457).
	Refuse RefusalWriter
	// Open: a public document, which any origin may read.
	Open bool
	// NoHead: HEAD is answered 405, because the work of GET must not be done for it.
	NoHead bool
	// Unbounded: the context does not end after RequestTimeout.
	Unbounded bool
	// Probe: load balancers and supervisors ask it, under any Host or none, and often. It must
	// say nothing that is not for everyone. Its requests are logged at level debug.
	Probe bool

	observe func(status int, took time.Duration)
}

// Listener answers the requests of one listener. It is safe for concurrent use.
type Listener struct {
	cfg         Config
	echo        *echo.Echo
	hosts       hosts
	base        base
	routes      map[routeKey]*Route
	fixed       map[string][]string // the methods of each path without parameters
	unmatched   func(status int, took time.Duration)
	problemBase string

	warnedLargeHeader atomic.Bool

	// Header values that every answer shares. net/http only reads them.
	noStore, noSniff []string
}

// routeKey identifies a route: the path is that of Echo, with :name.
type routeKey struct{ method, path string }

// NewListener makes a Listener with these routes.
func NewListener(cfg Config, routes []Route) *Listener {
	l := &Listener{
		cfg: cfg, echo: echo.New(), hosts: newHosts(cfg.Issuer, cfg.Hosts),
		routes: make(map[routeKey]*Route), fixed: make(map[string][]string), unmatched: cfg.Observer.Route("", ""),
		problemBase: cfg.Issuer + "/problems/",
		noStore:     []string{"no-store"}, noSniff: []string{"nosniff"},
	}
	if cfg.Public {
		l.base = newBase(cfg.Issuer, routes)
	}
	l.echo.HideBanner, l.echo.HidePort = true, true
	l.echo.Use(l.handle)
	for _, r := range routes {
		l.add(r)
		if r.Method == http.MethodGet && !r.NoHead {
			r.Method = http.MethodHead
			l.add(r)
		}
	}
	return l
}

func (l *Listener) add(r Route) {
	path := strings.ReplaceAll(strings.ReplaceAll(r.Path, "{", ":"), "}", "")
	r.observe = l.cfg.Observer.Route(r.Method, r.Path)
	l.routes[routeKey{r.Method, path}] = &r
	if !strings.Contains(path, ":") {
		l.fixed[path] = append(l.fixed[path], r.Method)
	}
	l.echo.Add(r.Method, path, func(c echo.Context) error {
		e, ok := c.(*echoContext)
		if !ok {
			return echo.ErrInternalServerError
		}
		return r.Serve(e.exchange)
	})
}

// checkMethod refuses a method that a path without parameters does not have. Echo would try the route of
// another path with a parameter in its place.
func (l *Listener) checkMethod(x *Exchange) error {
	if x.route == nil || !strings.Contains(x.route.Path, "{") {
		return nil
	}
	methods, ok := l.fixed[x.Request().URL.Path]
	if !ok {
		return nil
	}
	x.echo.Set(echo.ContextKeyHeaderAllow, strings.Join(append([]string{http.MethodOptions}, methods...), ", "))
	return echo.ErrMethodNotAllowed
}

// ServeHTTP answers a request.
func (l *Listener) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	l.echo.ServeHTTP(w, l.base.strip(r))
}

// Routes lists what Echo routes, as "METHOD /path/{param}", in no particular order.
func (l *Listener) Routes() []string {
	var routes []string
	for _, r := range l.echo.Routes() {
		segments := strings.Split(r.Path, "/")
		for i, segment := range segments {
			if name, ok := strings.CutPrefix(segment, ":"); ok {
				segments[i] = "{" + name + "}"
			}
		}
		routes = append(routes, r.Method+" "+strings.Join(segments, "/"))
	}
	return routes
}

// area returns the form of refusals of a path, or nil if it lies in no area.
func (l *Listener) area(path string) RefusalWriter {
	for _, area := range l.cfg.Areas {
		if rest, ok := strings.CutPrefix(path, area.Prefix); ok && (rest == "" || rest[0] == '/') {
			return area.Refuse
		}
	}
	return nil
}
