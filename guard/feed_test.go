package guard_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"issuer.example/guard"
	"issuer.example/guard/guardtest"
	"issuer.example/jwt"
	"issuer.example/revocation"
	"issuer.example/revocation/list"
	"issuer.example/sid"
)

// forger writes messages that an issuer would not send.
type forger struct {
	t   *testing.T
	iss *guardtest.Issuer
	ids *sid.Generator
}

func (f forger) event(seq uint64, change func(*revocation.Event)) revocation.Event {
	now := time.Now()
	e := revocation.Event{Issuer: f.iss.URL(), IssuedAt: now, Entry: revocation.Entry{
		Seq: seq, Scope: revocation.EverythingScope(), SID: f.ids.Next(), At: now, Until: now.Add(time.Hour),
	}}
	if change != nil {
		change(&e)
	}
	return e
}

func (f forger) frame(iss *guardtest.Issuer, typ string, seq uint64, change func(*revocation.Event)) string {
	payload, err := f.event(seq, change).Encode()
	if err != nil {
		f.t.Fatal(err)
	}
	return f.revoked(seq, iss.Sign(f.t, typ, payload))
}

func (f forger) revoked(id uint64, data string) string {
	return string(revocation.AppendFrame(nil, id, revocation.FrameRevoked, data))
}

func (f forger) alive(a revocation.Alive) string {
	if a.Issuer == "" {
		a.Issuer = f.iss.URL()
	}
	if a.IssuedAt.IsZero() {
		a.IssuedAt = time.Now()
	}
	payload, err := a.Encode()
	if err != nil {
		f.t.Fatal(err)
	}
	return string(revocation.AppendFrame(nil, 0, revocation.FrameAlive, f.iss.Sign(f.t, revocation.TypeAlive, payload)))
}

// hostileStreams returns what a relay could send to a guard that has applied entry 1.
func hostileStreams(f forger, other *guardtest.Issuer, replay string) map[string]struct {
	frames string
	want   error
} {
	good := f.frame(f.iss, revocation.TypeEvent, 2, nil)
	tampered := strings.Replace(good, "data: ", "data: A", 1)
	unknown := strings.Replace(string(must(f.event(2, nil).Encode())), "session-revoked", "session-presented", 1)
	return map[string]struct {
		frames string
		want   error
	}{
		"a bad signature":     {flip(good), jwt.ErrSignature},
		"a damaged header":    {tampered, jwt.ErrHeader},
		"another's key":       {f.frame(other, revocation.TypeEvent, 2, nil), jwt.ErrUnknownKey},
		"a wrong typ":         {f.frame(f.iss, revocation.TypeAlive, 2, nil), jwt.ErrType},
		"an access token":     {f.revoked(2, f.iss.Mint(f.t, jwt.Claims{})), jwt.ErrType},
		"not signed":          {f.revoked(2, "{}"), jwt.ErrEncoding},
		"an unknown type":     {f.revoked(2, f.iss.Sign(f.t, revocation.TypeEvent, []byte(unknown))), revocation.ErrEventType},
		"no event at all":     {f.revoked(2, f.iss.Sign(f.t, revocation.TypeEvent, []byte(`[]`))), revocation.ErrMalformed},
		"another issuer":      {f.frame(f.iss, revocation.TypeEvent, 2, func(e *revocation.Event) { e.Issuer = other.URL() }), guard.ErrSender},
		"a gap":               {f.frame(f.iss, revocation.TypeEvent, 3, nil), guard.ErrGap},
		"the number before":   {f.frame(f.iss, revocation.TypeEvent, 1, nil), guard.ErrBackwards},
		"a replay":            {replay, guard.ErrBackwards},
		"reordered":           {f.frame(f.iss, revocation.TypeEvent, 3, nil) + good, guard.ErrGap},
		"another log":         {f.frame(f.iss, revocation.TypeEvent, 2, func(e *revocation.Event) { e.Prev = f.ids.Next() }), guard.ErrForked},
		"an id of its own":    {f.revoked(7, strings.TrimSpace(strings.SplitN(good, "data: ", 2)[1])), guard.ErrFrame},
		"a line of 1 MiB":     {"data: " + strings.Repeat("x", 1<<20) + "\n\n", list.ErrFrameSize},
		"truncated":           {f.alive(revocation.Alive{Seq: 2}), guard.ErrGap},
		"alive, back":         {f.alive(revocation.Alive{Seq: 0}), guard.ErrBackwards},
		"alive, another log":  {f.alive(revocation.Alive{Seq: 1, Last: f.ids.Next()}), guard.ErrForked},
		"alive, too old":      {f.alive(revocation.Alive{Seq: 1, IssuedAt: time.Now().Add(-2 * time.Minute)}), guard.ErrClock},
		"alive, too early":    {f.alive(revocation.Alive{Seq: 1, IssuedAt: time.Now().Add(2 * time.Minute)}), guard.ErrClock},
		"alive, of another":   {f.alive(revocation.Alive{Seq: 1, Issuer: other.URL()}), guard.ErrSender},
		"gone, for ever":      {"event: gone\ndata: {}\n\n", guard.ErrGone},
		"a page for browsers": {"", guard.ErrFrame},
	}
}

func must(payload []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return payload
}

// flip replaces a character in the middle of a signature by another one of base64url.
func flip(frame string) string {
	text := []byte(frame)
	at := strings.LastIndexByte(frame, '.') + 20
	if text[at]++; text[at]-1 != 'A' {
		text[at] = 'A'
	}
	return string(text)
}

// T32: the guard refuses the stream, reports why, keeps its list, loads the snapshot, and
// recovers when the relay passes on the true stream again.
func TestHostileStreams(t *testing.T) {
	template := guardtest.New(t, guardtest.Config{})
	names := hostileStreams(forger{t, template, sid.NewGenerator(nil)}, template, "")
	for name := range names {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			iss, other := guardtest.New(t, guardtest.Config{}), guardtest.New(t, guardtest.Config{})
			gone, stays := iss.Mint(t, jwt.Claims{}), iss.Mint(t, jwt.Claims{})
			iss.Revoke(t, gone)
			f := forger{t, iss, sid.NewGenerator(nil)}
			c := hostileStreams(f, other, recorded(t, iss))[name]
			var relaying atomic.Bool
			relaying.Store(true)
			iss.Intercept(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
				if r.URL.Path != streamPath || !relaying.Load() {
					next.ServeHTTP(w, r)
					return
				}
				if c.frames != "" {
					w.Header().Set("Content-Type", "text/event-stream")
				}
				_, _ = w.Write([]byte(c.frames))
				_ = http.NewResponseController(w).Flush()
				<-r.Context().Done()
			})
			g := iss.Guard(t, quiet)
			guardtest.Until(t, func() bool { return g.Stats().Feed.Err != nil })
			s := g.Stats()
			if !errors.Is(s.Feed.Err, c.want) || s.Connected || s.Seq != 1 || s.Faults == 0 {
				t.Errorf("%v; connected %v, seq %d, %d faults", s.Feed.Err, s.Connected, s.Seq, s.Faults)
			}
			refused(t, g, gone, guard.ErrRevoked)
			accepted(t, g, stays)

			relaying.Store(false)
			iss.Revoke(t, stays)
			iss.Await(t, g)
			refused(t, g, gone, guard.ErrRevoked)
			refused(t, g, stays, guard.ErrRevoked)
			guardtest.Until(t, func() bool { s := g.Stats(); return s.Feed.Err == nil && s.Snapshots > 1 })
		})
	}
}

// recorded returns the first frame of the issuer's stream.
func recorded(t *testing.T, iss *guardtest.Issuer) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, iss.URL()+streamPath, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+guardtest.ServiceKey)
	req.Header.Set("Last-Event-ID", "0")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	frame, err := list.NewFrameReader(res.Body).Next()
	if err != nil || frame.Event != revocation.FrameRevoked {
		t.Fatal(frame.Event, err)
	}
	return string(revocation.AppendFrame(nil, 1, frame.Event, string(frame.Data)))
}

// A forged event does not revoke anything.
func TestForgedEventRevokesNothing(t *testing.T) {
	iss, other := guardtest.New(t, guardtest.Config{}), guardtest.New(t, guardtest.Config{})
	f := forger{t, iss, sid.NewGenerator(nil)}
	frame := f.frame(other, revocation.TypeEvent, 1, nil) // everything, by a foreign key
	answer(iss, streamPath, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = w.Write([]byte(frame))
	})
	token := iss.Mint(t, jwt.Claims{})
	g := iss.Guard(t, quiet)
	guardtest.Until(t, func() bool { return g.Stats().Faults > 0 })
	if c := accepted(t, g, token); c == nil || g.Stats().Revocations != 0 {
		t.Errorf("%d revocations", g.Stats().Revocations)
	}
}

func TestHostileSnapshots(t *testing.T) {
	iss, other := guardtest.New(t, guardtest.Config{}), guardtest.New(t, guardtest.Config{})
	sign := func(by *guardtest.Issuer, typ string, change func(*revocation.Snapshot)) []byte {
		s := revocation.Snapshot{Issuer: iss.URL(), IssuedAt: time.Now()}
		change(&s)
		return []byte(by.Sign(t, typ, must(s.Encode())))
	}
	same := func(*revocation.Snapshot) {}
	token := iss.Mint(t, jwt.Claims{})
	for name, c := range map[string]struct {
		body []byte
		want error
	}{
		"foreign key":    {sign(other, revocation.TypeSnapshot, same), jwt.ErrUnknownKey},
		"wrong typ":      {sign(iss, revocation.TypeAlive, same), jwt.ErrType},
		"other issuer":   {sign(iss, revocation.TypeSnapshot, func(s *revocation.Snapshot) { s.Issuer = other.URL() }), guard.ErrSender},
		"old":            {sign(iss, revocation.TypeSnapshot, func(s *revocation.Snapshot) { s.IssuedAt = time.Now().Add(-2 * time.Minute) }), guard.ErrClock},
		"from tomorrow":  {sign(iss, revocation.TypeSnapshot, func(s *revocation.Snapshot) { s.IssuedAt = time.Now().Add(24 * time.Hour) }), guard.ErrClock},
		"malformed":      {[]byte(iss.Sign(t, revocation.TypeSnapshot, []byte(`{}`))), revocation.ErrMalformed},
		"not signed":     {[]byte(`{"iss":"` + iss.URL() + `"}`), jwt.ErrEncoding},
		"empty":          {nil, jwt.ErrEncoding},
		"a flipped body": {sign(iss, revocation.TypeSnapshot, same)[:200], jwt.ErrEncoding},
	} {
		answer(iss, snapshotPath, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(c.body) })
		g := iss.Guard(t, quiet)
		if s := g.Stats(); !errors.Is(s.Feed.Err, c.want) || !s.Stale || s.Snapshots != 0 {
			t.Errorf("%s: %v, stale %v, %d snapshots", name, s.Feed.Err, s.Stale, s.Snapshots)
		}
		refused(t, g, token, guard.ErrStale)
	}
}

// A snapshot that is older than what the guard has applied is refused, even though its
// signature is good.
func TestOlderSnapshotIsRefused(t *testing.T) {
	t.Parallel()
	iss := guardtest.New(t, guardtest.Config{})
	var old atomic.Pointer[[]byte]
	first := must(revocation.Snapshot{Issuer: iss.URL(), IssuedAt: time.Now()}.Encode())
	body := []byte(iss.Sign(t, revocation.TypeSnapshot, first))
	iss.Intercept(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if replay := old.Load(); replay != nil && r.URL.Path == snapshotPath {
			_, _ = w.Write(*replay)
			return
		}
		next.ServeHTTP(w, r)
	})
	g := iss.Guard(t, quiet)
	token := iss.Mint(t, jwt.Claims{})
	iss.Revoke(t, token)
	iss.Await(t, g)
	old.Store(&body)
	iss.Purge() // the resume point stays good: it is the end of the log
	iss.Revoke(t, iss.Mint(t, jwt.Claims{}))
	iss.Await(t, g)
	iss.Restore(0) // now it is gone, and only the old snapshot can be had
	guardtest.Until(t, func() bool { return errors.Is(g.Stats().Feed.Err, guard.ErrBackwards) })
	refused(t, g, token, guard.ErrRevoked)
	if s := g.Stats(); s.Seq != 2 || s.Rollbacks != 0 || s.Connected {
		t.Errorf("seq %d, %d rollbacks, connected %v", s.Seq, s.Rollbacks, s.Connected)
	}
}

// After a backup was restored, the issuer's log ends earlier. The guard follows it, and
// keeps what it has applied.
func TestRestoredBackup(t *testing.T) {
	t.Parallel()
	clock := newClock()
	iss := guardtest.New(t, guardtest.Config{Now: clock.Now})
	g := iss.Guard(t, quiet)
	tokens := make([]string, 6)
	for i := range tokens {
		tokens[i] = iss.Mint(t, jwt.Claims{})
	}
	for _, token := range tokens[:3] {
		iss.Revoke(t, token)
	}
	iss.Await(t, g)
	clock.Advance(2 * time.Second)
	iss.Restore(1)
	iss.Await(t, g)
	if s := g.Stats(); s.Rollbacks != 1 || s.Seq != 1 {
		t.Errorf("%d rollbacks, seq %d", s.Rollbacks, s.Seq)
	}
	iss.Revoke(t, tokens[3])
	iss.Await(t, g)
	for i, token := range tokens[:4] {
		if _, err := g.Verify(t.Context(), token); !errors.Is(err, guard.ErrRevoked) {
			t.Errorf("token %d: %v", i, err)
		}
	}
	// The log is restored again, and has grown beyond the guard's position when the guard
	// connects. The numbers fit, but it is another log.
	clock.Advance(2 * time.Second)
	iss.Down(true)
	iss.Restore(1)
	iss.Revoke(t, tokens[4])
	iss.Revoke(t, tokens[5])
	iss.Down(false)
	iss.Await(t, g)
	refused(t, g, tokens[4], guard.ErrRevoked)
	refused(t, g, tokens[5], guard.ErrRevoked)
}

func TestResume(t *testing.T) {
	t.Parallel()
	iss := guardtest.New(t, guardtest.Config{})
	g := iss.Guard(t, quiet)
	var tokens []string
	revoke := func() {
		token := iss.Mint(t, jwt.Claims{})
		tokens = append(tokens, token)
		iss.Revoke(t, token)
	}
	for _, c := range []struct {
		name      string
		meanwhile func()
		snapshots uint64 // taken in all
	}{
		{"cut", iss.Cut, 1},
		{"revoked while down", func() { iss.Down(true); revoke(); iss.Down(false) }, 1},
		{"purged", func() { iss.Down(true); revoke(); iss.Purge(); iss.Down(false) }, 2},
	} {
		revoke()
		iss.Await(t, g)
		before := g.Stats().Connections
		c.meanwhile()
		revoke()
		guardtest.Until(t, func() bool { return g.Stats().Connections > before })
		iss.Await(t, g)
		if s := g.Stats(); s.Snapshots > c.snapshots {
			t.Errorf("%s: %d snapshots", c.name, s.Snapshots)
		}
	}
	for i, token := range tokens[:3] { // the purge forgot the fourth, which had ended
		if _, err := g.Verify(t.Context(), token); !errors.Is(err, guard.ErrRevoked) {
			t.Errorf("token %d: %v", i, err)
		}
	}
}

// The guard reports to the issuer what it has applied.
func TestReports(t *testing.T) {
	t.Parallel()
	iss := guardtest.New(t, guardtest.Config{})
	g := iss.Guard(t, func(c *guard.Config) { c.Name = "orders-1" })
	iss.RevokeUser("u9")
	iss.Await(t, g)
	guardtest.Until(t, func() bool { return iss.Reports()["orders-1"].Seq == 1 })
	if report := iss.Reports()["orders-1"]; report.DelayMS < 0 || report.DelayMS > 60_000 {
		t.Errorf("%+v", report)
	}
}

// A hundred guards apply a revocation within seconds.
func TestHundredGuards(t *testing.T) {
	t.Parallel()
	iss := guardtest.New(t, guardtest.Config{})
	guards := make([]*guard.Guard, 100)
	for i := range guards {
		guards[i] = iss.Guard(t, quiet, func(c *guard.Config) { c.Name = fmt.Sprint("guard-", i) })
	}
	token := iss.Mint(t, jwt.Claims{})
	for _, g := range guards {
		iss.Await(t, g)
	}
	begin := time.Now()
	iss.Revoke(t, token)
	for _, g := range guards {
		guardtest.Until(t, func() bool { return g.Stats().Seq == 1 })
	}
	took := time.Since(begin)
	t.Logf("applied by all after %s", took)
	if took > 5*time.Second { // generous: the machine may have other things to do
		t.Errorf("applied by all after %s", took)
	}
	for _, g := range guards {
		refused(t, g, token, guard.ErrRevoked)
	}

	// The issuer is down for a moment. All guards reconnect.
	before := iss.Requests(streamPath)
	iss.Down(true)
	guardtest.Until(t, func() bool { return iss.Requests(streamPath) >= before+len(guards) })
	iss.Down(false)
	iss.RevokeUser("u2")
	for _, g := range guards {
		iss.Await(t, g)
	}
}
