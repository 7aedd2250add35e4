package handlers_test

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"issuer.example/client"
	"issuer.example/session"
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

func (c *countingStore) Load(ctx context.Context, ref session.Ref) (session.Snapshot, error) {
	c.note(fmt.Sprintf("Load, of a named user: %t", ref.UserID != ""))
	return c.Store.Load(ctx, ref)
}

func (c *countingStore) List(ctx context.Context, q session.Query) (session.Page, error) {
	c.note("List")
	page, err := c.Store.List(ctx, q)
	for range page.Sessions {
		c.note("one of List")
	}
	return page, err
}

func (c *countingStore) Create(ctx context.Context, r session.CreateRequest) (session.Created, error) {
	c.note("Create")
	return c.Store.Create(ctx, r)
}

func (c *countingStore) Change(ctx context.Context, at session.Target, decide session.Decision) (session.Snapshot, error) {
	c.note(fmt.Sprintf("Change, of a named user: %t, for a holder: %t", at.UserID != "", !at.Holder.IsZero()))
	return c.Store.Change(ctx, at, decide)
}

func (c *countingStore) Mark(ctx context.Context, m session.MarkRequest) (session.Marked, error) {
	c.note("Mark")
	return c.Store.Mark(ctx, m)
}
