package handlers

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"issuer.example/web"
)

// Server answers HTTP requests. It is safe for concurrent use and owns no goroutine.
//
// A request must call the issuer by one of its names, else it is answered 421: the host of
// Config.Issuer, one of Config.Hosts, an address, or a name that nobody can register in
// the public DNS (localhost, a name without a dot, or one that ends in .localhost, .local,
// .internal, .svc, .cluster.local or .home.arpa). So a page that points its own name at the
// issuer (DNS rebinding) reads nothing, and probes and neighbours in a cluster still work.
// A trusted proxy may pass on any name.
type Server struct {
	cfg         Config
	keys        *keyring
	jar         *jar
	hosts       *hosts
	origins     *origins
	proxies     proxies
	strangers   *failures // failed credentials at the public listener
	intruders   *failures // failed keys at the admin listener
	verdicts    []verdict
	pages       *web.Pages
	frameWithin time.Duration // how long a reader of the stream may take for what it is sent
	problemBase string

	public, admin *listener
}

// New makes a Server. It fails with [ErrConfig].
func New(cfg Config) (*Server, error) {
	cfg.setDefaults()
	if err := cfg.check(); err != nil {
		return nil, err
	}
	s := &Server{
		cfg: cfg, verdicts: verdicts(), frameWithin: frameWithin, problemBase: cfg.Issuer + "/problems/",
		hosts: newHosts(cfg.Issuer, cfg.Hosts), proxies: proxies(cfg.TrustedProxies),
	}
	var err error
	if s.keys, err = newKeyring(cfg.ServiceKeys); err != nil {
		return nil, err
	}
	if s.jar, err = newJar(cfg.Cookies, cfg.Issuer); err != nil {
		return nil, err
	}
	if s.origins, err = newOrigins(cfg.Issuer, cfg.AllowedOrigins); err != nil {
		return nil, err
	}
	if s.strangers, err = newFailures(publicFailures(), cfg.Now); err != nil {
		return nil, fmt.Errorf("limiting failures: %w", err)
	}
	if s.intruders, err = newFailures(adminFailures(), cfg.Now); err != nil {
		return nil, fmt.Errorf("limiting failures: %w", err)
	}
	if s.pages, err = web.New(); err != nil {
		return nil, fmt.Errorf("reading the pages: %w", err)
	}
	s.public = s.listen(s.publicRoutes(), true)
	s.admin = s.listen(s.adminRoutes(), false)
	return s, nil
}

// Public is the handler of the public listener.
func (s *Server) Public() http.Handler { return s.public.echo }

// Admin is the handler of the admin listener. It must not be reachable by everyone.
func (s *Server) Admin() http.Handler { return s.admin.echo }

// route is one method of one path.
type route struct {
	method, path string
	serve        func(*exchange) error
	oauth        bool // errors are those of RFC 6749
	open         bool // a public document that any origin may read
	admin        bool // needs a service key of scope admin
	page         bool // is for people: a refusal is a page, too

	observe func(status int, took time.Duration)
}

// name identifies a route to Echo and here.
type name struct{ method, path string }

// listener is one set of routes.
type listener struct {
	server  *Server
	echo    *echo.Echo
	routes  map[name]*route
	unknown func(status int, took time.Duration)
	public  bool

	// Header values that every answer shares. net/http only reads them.
	noStore, noSniff []string
}

func (s *Server) listen(routes []route, public bool) *listener {
	l := &listener{
		server: s, echo: echo.New(), public: public,
		routes: make(map[name]*route), unknown: s.cfg.Observer.Route("", ""),
		noStore: []string{"no-store"}, noSniff: []string{"nosniff"},
	}
	l.echo.HideBanner, l.echo.HidePort = true, true
	l.echo.IPExtractor = func(r *http.Request) string { return s.proxies.client(r).String() }
	l.echo.Use(l.frame)
	for _, r := range routes {
		l.add(r)
		if r.method == http.MethodGet {
			r.method = http.MethodHead
			l.add(r)
		}
	}
	return l
}

func (l *listener) add(r route) {
	path := strings.ReplaceAll(strings.ReplaceAll(r.path, "{", ":"), "}", "")
	r.observe = l.server.cfg.Observer.Route(r.method, r.path)
	l.routes[name{r.method, path}] = &r
	l.echo.Add(r.method, path, func(c echo.Context) error {
		x, ok := c.(*exchange)
		if !ok {
			return echo.ErrInternalServerError
		}
		if r.admin {
			if err := l.server.service(x, ScopeAdmin); err != nil {
				return err
			}
		}
		return r.serve(x)
	})
}
