package handlers_test

import (
	"context"
	"iter"
	"maps"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"issuer.example/client"
	"issuer.example/revocation"
	"issuer.example/session"
	"issuer.example/sid"
)

// TestEnumeration is row O08: another user's session and one that does not exist get the same answer, byte
// for byte, by the same accesses to the store. BenchmarkEnumeration
// of ./bench times them (make timing).
func TestEnumeration(t *testing.T) {
	counted := &countingStore{reads: map[string]int{}}
	f := newFixture(t, func(s *settings) {
		counted.Store = s.sessions.Store
		s.sessions.Store = counted
	})
	const unknown = "01900000-0000-7000-8000-000000000000"
	mine, foreign, ended := f.mint(t, "u1"), f.mint(t, "u2"), f.mint(t, "signed-out")
	f.call(t, "DELETE", "/v1/session", nil, bearer(ended.access)).want(t, 204, "")
	form := func(r *http.Request) { r.Header.Set("Content-Type", "application/x-www-form-urlencoded") }
	introspect, read, revoke := bearer(serviceKey(client.ScopeIntrospect)), bearer(serviceKey(client.ScopeRead)), bearer(serviceKey(client.ScopeRevoke))
	for _, tt := range []struct {
		name, method, known, unknown string
		body                         string // {} stands for the id
		options                      []option
		status                       int
	}{
		{"show", "GET", "/v1/sessions/" + foreign.id, "/v1/sessions/" + unknown, "", []option{bearer(mine.access)}, 404},
		{"show an ended one", "GET", "/v1/sessions/" + ended.id, "/v1/sessions/" + unknown, "", []option{bearer(mine.access)}, 404},
		{"revoke", "DELETE", "/v1/sessions/" + foreign.id, "/v1/sessions/" + unknown, "", []option{bearer(mine.access)}, 404},
		{"better-auth revoke", "POST", foreign.id, unknown, `{"id":"{}"}`, []option{bearer(mine.access)}, 200},
		{"list", "GET", "/v1/sessions?user_id=signed-out", "/v1/sessions?user_id=unheard-of", "", []option{read}, 200},
		{"revoke user", "POST", "/v1/users/signed-out/revoke-sessions", "/v1/users/unheard-of/revoke-sessions", "", []option{revoke}, 200},
		{"introspect", "POST", ended.refresh, "rt_" + strings.Repeat("A", 64), "token={}", []option{form, introspect}, 200},
		{"revoke token", "POST", ended.refresh, "rt_" + strings.Repeat("A", 64), "token={}", []option{form}, 200},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var answers [2]answer
			var reads [2]map[string]int
			for i, which := range []string{tt.known, tt.unknown} {
				path, body := which, any(nil)
				if tt.body != "" {
					path = map[string]string{"better-auth revoke": "/api/auth/revoke-session", "introspect": "/oauth/introspect", "revoke token": "/oauth/revoke"}[tt.name]
					body = strings.ReplaceAll(tt.body, "{}", which)
				}
				counted.reset()
				answers[i] = f.call(t, tt.method, path, body, tt.options...).want(t, tt.status, "")
				reads[i] = counted.reset()
			}
			if diff := cmp.Diff(visible(answers[0]), visible(answers[1])); diff != "" {
				t.Errorf("known (-) and unknown (+) are answered differently:\n%s", diff)
			}
			// A token that was never ours is refused without the store: that is no subject.
			if diff := cmp.Diff(reads[0], reads[1]); diff != "" && !strings.Contains(tt.body, "token") {
				t.Errorf("known (-) and unknown (+) are looked for differently:\n%s", diff)
			}
			if len(reads[0]) == 0 {
				t.Error("the store was not asked: nothing is counted")
			}
		})
	}
}

// visible is an answer without what differs in every answer.
func visible(a answer) map[string]string {
	out := map[string]string{"status": a.Status, "body": string(a.body)}
	for name := range a.Header {
		out[name] = a.Header.Get(name)
	}
	out["body"] = strings.ReplaceAll(out["body"], a.Header.Get("X-Request-Id"), "")
	delete(out, "X-Request-Id")
	delete(out, "Date")
	return out
}

// countingStore counts the accesses to a store.
type countingStore struct {
	session.Store

	mu    sync.Mutex
	reads map[string]int
}

func (c *countingStore) note(what string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.reads[what]++
}

// reset returns the counts and sets them to 0.
func (c *countingStore) reset() map[string]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	counted := maps.Clone(c.reads)
	clear(c.reads)
	return counted
}

func (c *countingStore) View(ctx context.Context, fn func(session.Reader) error) error {
	c.note("View")
	return c.Store.View(ctx, func(r session.Reader) error { return fn(countingReader{r, c}) })
}

func (c *countingStore) Update(ctx context.Context, fn func(session.Tx) error) error {
	c.note("Update")
	return c.Store.Update(ctx, func(tx session.Tx) error { return fn(countingTx{tx, countingReader{tx, c}}) })
}

type countingReader struct {
	session.Reader

	counts *countingStore
}

func (r countingReader) Session(id sid.ID) (session.Snapshot, error) {
	r.counts.note("Session")
	return r.Reader.Session(id)
}

func (r countingReader) UserSession(userID string, id sid.ID) (session.Snapshot, error) {
	r.counts.note("UserSession")
	return r.Reader.UserSession(userID, id)
}

func (r countingReader) UserSessions(userID string, ended bool) iter.Seq2[session.Snapshot, error] {
	r.counts.note("UserSessions")
	return func(yield func(session.Snapshot, error) bool) {
		for snap, err := range r.Reader.UserSessions(userID, ended) {
			r.counts.note("one of UserSessions")
			if !yield(snap, err) {
				return
			}
		}
	}
}

func (r countingReader) Mark(scope revocation.Scope) (revocation.Mark, bool, error) {
	r.counts.note("Mark")
	return r.Reader.Mark(scope)
}

// countingTx counts its reads; its writes are the store's own.
type countingTx struct {
	session.Tx

	reader countingReader
}

func (t countingTx) Session(id sid.ID) (session.Snapshot, error) { return t.reader.Session(id) }

func (t countingTx) UserSession(userID string, id sid.ID) (session.Snapshot, error) {
	return t.reader.UserSession(userID, id)
}

func (t countingTx) UserSessions(userID string, ended bool) iter.Seq2[session.Snapshot, error] {
	return t.reader.UserSessions(userID, ended)
}

func (t countingTx) Mark(scope revocation.Scope) (revocation.Mark, bool, error) {
	return t.reader.Mark(scope)
}
