package handlers_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"issuer.example/client"
	"issuer.example/fact"
	"issuer.example/feed"
	"issuer.example/handlers"
	"issuer.example/internal/rounds"
	"issuer.example/keys"
	"issuer.example/metrics"
	"issuer.example/secret"
	"issuer.example/session"
	"issuer.example/session/refresh"
	"issuer.example/store/bolt"
)

const (
	testIssuer = "http://localhost:8080"
	appOrigin  = "https://app.example"
)

// scopes are those of the fixture's service keys: one key for each.
var scopes = client.Scopes()

// serviceKey returns the text of the fixture's key that has only that scope.
func serviceKey(scope client.Scope) string {
	name := clientName(scope)
	return "sk_" + name + strings.Repeat("0", 43-len(name))
}

// clientName returns the name of the key that has that scope.
func clientName(scope client.Scope) string { return strings.ReplaceAll(string(scope), ":", "-") }

// clock is a clock that only the test advances.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

// logBuffer keeps what is logged.
type logBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

func TestMain(m *testing.M) {
	rounds.TempInMemory()
	rounds.Parallel(8)
	os.Exit(m.Run())
}

// fixture is the HTTP interface over real sessions, keys and a real store.
type fixture struct {
	public, admin *httptest.Server
	client        *http.Client
	clock         *clock
	log           *logBuffer
	store         *bolt.DB
	keys          *keys.Manager
	facts         *fact.Follower
	feed          *feed.Hub
	path          string
	set           *settings
	server        *handlers.Server
	other         *fixture // of the second issuer; nil if there is one only
}

// settings can be changed by a test before the fixture starts.
type settings struct {
	sessions session.Config
	http     handlers.Config
}

func newFixture(tb testing.TB, change func(*settings)) *fixture {
	tb.Helper()
	f := &fixture{
		clock: &clock{t: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)},
		log:   &logBuffer{}, path: filepath.Join(tb.TempDir(), "issuer.db"),
	}
	var err error
	f.store, err = bolt.Open(tb.Context(), bolt.Config{Path: f.path, Logger: f.logger()})
	must(tb, err)
	tb.Cleanup(func() { _ = f.store.Close() })
	f.start(tb, change)
	f.listen(tb, f.server.Public(), f.server.Admin())
	if alternates(tb) {
		f.alternate(tb, f.beside(tb, change))
	}
	return f
}

func (f *fixture) logger() *slog.Logger { return slog.New(slog.NewJSONHandler(f.log, nil)) }

// start makes an issuer on the store.
func (f *fixture) start(tb testing.TB, change func(*settings)) {
	tb.Helper()
	logger := f.logger()
	key, err := secret.Parse([]byte(strings.Repeat("fixture-secret.", 4)))
	must(tb, err)
	f.keys, err = keys.Open(tb.Context(), keys.Config{
		Store: f.store, Secrets: []secret.Secret{key}, Now: f.clock.now, Logger: logger,
	})
	must(tb, err)
	m := metrics.New(metrics.Config{Live: f.store.Live, Keys: f.keys.List, Now: f.clock.now})
	f.facts, err = fact.Follow(tb.Context(), fact.FollowConfig{Journal: f.store, Consumers: []fact.Consumer{m}, Logger: logger})
	must(tb, err)
	set := &settings{sessions: f.sessionConfig(key, logger), http: f.httpConfig(logger)}
	f.feed = startFeed(tb, f, m)
	set.http.Feed = f.feed
	set.sessions.Observer, set.http.Observer, set.http.Metrics = m, m, m.Handler()
	if change != nil {
		change(set)
	}
	f.set = set
	f.server = newServer(tb, set)
}

// listen serves the two listeners.
func (f *fixture) listen(tb testing.TB, public, admin http.Handler) {
	tb.Helper()
	f.public, f.admin = listen(tb, public), listen(tb, admin)
	f.client = &http.Client{
		Transport:     &contract{t: tb, doc: openAPI(tb), next: http.DefaultTransport, adminHost: f.admin.Listener.Addr().String()},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// startFeed runs a hub until the test ends.
func startFeed(tb testing.TB, f *fixture, observer feed.Observer) *feed.Hub {
	tb.Helper()
	hub, err := feed.New(feed.Config{
		Issuer: testIssuer, Log: f.store, Signer: f.keys, Observer: observer, Now: f.clock.now,
	})
	must(tb, err)
	runFeed(tb, hub)
	return hub
}

func runFeed(tb testing.TB, hub *feed.Hub) {
	tb.Helper()
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- hub.Run(ctx) }()
	tb.Cleanup(func() {
		stop()
		must(tb, <-done)
	})
}

func newServer(tb testing.TB, set *settings) *handlers.Server {
	tb.Helper()
	var err error
	set.http.Sessions, err = session.New(set.sessions)
	must(tb, err)
	server, err := handlers.New(set.http)
	must(tb, err)
	return server
}

func (f *fixture) sessionConfig(key secret.Secret, logger *slog.Logger) session.Config {
	return session.Config{
		Store: f.store, Signer: f.keys, Keys: f.keys,
		RefreshKeys: []refresh.Key{{ID: key.ID(), Key: key.Derive("refresh token")}},
		Issuer:      testIssuer, Audience: []string{testIssuer}, AccessLifetime: 5 * time.Minute,
		IdleTimeout: 7 * 24 * time.Hour, AbsoluteTimeout: 30 * 24 * time.Hour,
		FreshAge: 10 * time.Minute, History: 30 * 24 * time.Hour,
		Refresh: refresh.Policy{Window: 10 * time.Second},
		Logger:  logger, Now: f.clock.now,
	}
}

func (f *fixture) httpConfig(logger *slog.Logger) handlers.Config {
	cfg := handlers.Config{
		Keys: f.keys, Issuer: testIssuer, AllowedOrigins: []string{appOrigin},
		Checks: []handlers.Check{{Name: "store", Err: f.store.Healthy}},
		Reload: func(context.Context) (handlers.Reloaded, error) {
			return handlers.Reloaded{Changed: []string{"log.level"}, RestartNeeded: []string{}}, nil
		},
		Backup: func(_ context.Context, w io.Writer) error { _, err := io.WriteString(w, "copy"); return err },
		Facts:  f.store, Logger: logger, Now: f.clock.now,
	}
	for _, scope := range scopes {
		cfg.ServiceKeys = append(cfg.ServiceKeys, client.Key{
			Name: clientName(scope), SHA256: client.HashKey(serviceKey(scope)), Scopes: []client.Scope{scope},
		})
	}
	return cfg
}

// listen serves with the limits and timeouts of the program that tests depend on.
func listen(tb testing.TB, h http.Handler) *httptest.Server {
	tb.Helper()
	return listenWith(tb, h, func(*httptest.Server) {})
}

func listenWith(tb testing.TB, h http.Handler, change func(*httptest.Server)) *httptest.Server {
	tb.Helper()
	server := httptest.NewUnstartedServer(h)
	change(server)
	server.Config.MaxHeaderBytes = 16 << 10
	server.Config.ReadHeaderTimeout = 5 * time.Second
	server.Config.ReadTimeout = 10 * time.Second
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug)
	server.Start()
	tb.Cleanup(server.Close)
	return server
}

// advance advances the clock, and runs the key schedule as the program does.
func (f *fixture) advance(tb testing.TB, d time.Duration) {
	tb.Helper()
	f.clock.add(d)
	must(tb, f.keys.Step(tb.Context()))
	if f.other != nil {
		must(tb, f.other.keys.Step(tb.Context()))
	}
}

func must(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}

// answer is an answer with its body.
type answer struct {
	*http.Response
	body []byte
}

// option changes a request.
type option func(*http.Request)

func bearer(token string) option {
	return func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token) }
}

func header(name, value string) option {
	return func(r *http.Request) { r.Header.Add(name, value) }
}

func cookie(name, value string) option {
	return func(r *http.Request) { r.AddCookie(&http.Cookie{Name: name, Value: value}) }
}

// fromIssuerPage adds what a browser sends from the issuer's own pages.
func fromIssuerPage() option { return header("Sec-Fetch-Site", "same-origin") }

// call sends a request to the public listener. A body that is a string is sent as it is,
// as JSON; anything else is encoded.
func (f *fixture) call(tb testing.TB, method, path string, body any, options ...option) answer {
	tb.Helper()
	return f.send(tb, method, f.public.URL+path, body, options...)
}

// callAdmin sends a request to the admin listener.
func (f *fixture) callAdmin(tb testing.TB, method, path string, body any, options ...option) answer {
	tb.Helper()
	return f.send(tb, method, f.admin.URL+path, body, options...)
}

func (f *fixture) send(tb testing.TB, method, url string, body any, options ...option) answer {
	tb.Helper()
	var reader io.Reader
	switch b := body.(type) {
	case nil:
	case string:
		reader = strings.NewReader(b)
	case io.Reader: // of a length that is not known: it is sent in chunks
		reader = b
	default:
		text, err := json.Marshal(b)
		must(tb, err)
		reader = bytes.NewReader(text)
	}
	r, err := http.NewRequestWithContext(tb.Context(), method, url, reader)
	must(tb, err)
	if reader != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	for _, o := range options {
		o(r)
	}
	response, err := f.client.Do(r)
	must(tb, err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	must(tb, err)
	setsOnce(tb, response)
	return answer{Response: response, body: text}
}

// want fails the test unless the answer has that status and, if code is not empty, that code.
func (a answer) want(tb testing.TB, status int, code string) answer {
	tb.Helper()
	if a.StatusCode != status {
		tb.Fatalf("%s %s: status %d, want %d: %s", a.Request.Method, a.Request.URL, a.StatusCode, status, a.body)
	}
	if code != "" && a.text(tb, "code") != code {
		tb.Fatalf("%s %s: code %q, want %q", a.Request.Method, a.Request.URL, a.text(tb, "code"), code)
	}
	return a
}

// text returns a string of the answer by its path.
func (a answer) text(tb testing.TB, path string) string {
	tb.Helper()
	s, _ := a.at(tb, path).(string)
	return s
}

// at returns a value of the answer by its path of names; nil if there is none.
func (a answer) at(tb testing.TB, path string) any {
	tb.Helper()
	var v any
	must(tb, json.Unmarshal(a.body, &v))
	for name := range strings.SplitSeq(path, ".") {
		object, _ := v.(map[string]any)
		v = object[name]
	}
	return v
}

// cookie returns the last cookie of that name that the answer sets; ok is false if it sets none.
func (a answer) cookie(name string) (c *http.Cookie, ok bool) {
	for _, set := range a.Cookies() {
		if set.Name == name {
			c, ok = set, true
		}
	}
	return c, ok
}

// tokens is a session with its tokens.
type tokens struct{ id, user, access, refresh string }

// mint creates a session of that user.
func (f *fixture) mint(tb testing.TB, user string) tokens {
	tb.Helper()
	a := f.call(tb, "POST", "/v1/sessions", map[string]any{"user": map[string]any{"id": user}},
		bearer(serviceKey(client.ScopeMint))).want(tb, 201, "")
	return tokens{
		id: a.text(tb, "session.id"), user: user,
		access: a.text(tb, "access_token"), refresh: a.text(tb, "refresh_token"),
	}
}

// refresh redeems a refresh token that is not in a cookie.
func (f *fixture) refresh(tb testing.TB, token string, options ...option) answer {
	tb.Helper()
	return f.call(tb, "POST", "/v1/session/refresh", map[string]string{"refresh_token": token}, options...)
}
