package guard_test

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"issuer.example/guard"
	"issuer.example/guard/guardtest"
	"issuer.example/jwt"
)

// keeping is a guard with a state file.
func keeping(path string) func(*guard.Config) {
	return func(c *guard.Config) { c.StateFile = path }
}

// A guard that starts while the issuer is down resumes from its state file: with the keys,
// the list, and the events that came after the snapshot. It is fresh for as long as the
// guard before would have been.
func TestStateFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "state")
	synctest.Test(t, func(t *testing.T) {
		iss := guardtest.New(t, guardtest.Config{InMemory: true})
		good, before, after := iss.Mint(t, jwt.Claims{}), iss.Mint(t, jwt.Claims{}), iss.Mint(t, jwt.Claims{})
		iss.Revoke(t, before)
		g := iss.Guard(t, quiet, keeping(path))
		iss.Await(t, g)
		<-time.After(11 * time.Second) // an alive
		iss.Revoke(t, after)
		iss.Await(t, g)
		<-time.After(2 * time.Second) // no clean end: it has been written
		crashed := filepath.Join(filepath.Dir(path), "crashed")
		copyFile(t, path, crashed)
		_ = g.Close()
		iss.Down(true)
		for _, file := range []string{path, crashed} {
			if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 && file == path {
				t.Fatal(info.Mode(), err)
			}
			next := iss.Guard(t, quiet, keeping(file))
			accepted(t, next, good)
			refused(t, next, before, guard.ErrRevoked)
			refused(t, next, after, guard.ErrRevoked)
			if s := next.Stats(); s.Stale || s.Seq != 2 {
				t.Errorf("stale %v, seq %d", s.Stale, s.Seq)
			}
			_ = next.Close()
		}
		<-time.After(40 * time.Second)
		late := iss.Guard(t, quiet, keeping(path))
		refused(t, late, good, guard.ErrStale)
		refused(t, late, after, guard.ErrRevoked)
		if _, err := late.Verify(t.Context(), good, guard.WhenStale(guard.FailOpen)); err != nil {
			t.Errorf("by the policy fail_open: %v", err)
		}
		iss.Down(false)
		<-time.After(15 * time.Second)
		accepted(t, late, good)
		refused(t, late, before, guard.ErrRevoked)
	})
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	text, err := os.ReadFile(from)
	if err == nil {
		err = os.WriteFile(to, text, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// A state file that cannot be trusted counts as none, and the log says why.
func TestBadStateFiles(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "state")
	synctest.Test(t, func(t *testing.T) {
		iss, other := guardtest.New(t, guardtest.Config{InMemory: true}), guardtest.New(t, guardtest.Config{InMemory: true})
		good := iss.Mint(t, jwt.Claims{})
		g := iss.Guard(t, quiet, keeping(path))
		iss.Await(t, g)
		_ = g.Close()
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var members map[string]any
		if err := json.Unmarshal(text, &members); err != nil {
			t.Fatal(err)
		}
		with := func(name string, value any) string {
			changed := map[string]any{name: value}
			for k, v := range members {
				if k != name {
					changed[k] = v
				}
			}
			text, err := json.Marshal(changed)
			return string(must(text, err))
		}
		iss.Down(true)
		snapshot, _ := members["snapshot"].(string)
		for name, c := range map[string]struct {
			text string
			mode os.FileMode
		}{
			"cut":                {string(text[:len(text)/2]), 0o600},
			"empty":              {"", 0o600},
			"not JSON":           {"\x00\x01", 0o600},
			"more after it":      {string(text) + "{}", 0o600},
			"unknown member":     {with("extra", 1), 0o600},
			"another version":    {with("version", 2), 0o600},
			"another issuer":     {with("issuer", "https://other.example"), 0o600},
			"others' keys":       {with("keys", string(jwksOf(other.Keys()))), 0o600},
			"no keys":            {with("keys", `{"keys":[]}`), 0o600},
			"keys from tomorrow": {with("keys_at", time.Now().Add(24*time.Hour).Unix()), 0o600},
			"keys of yesterday":  {with("keys_at", time.Now().Add(-25*time.Hour).Unix()), 0o600},
			"snapshot tampered":  {with("snapshot", flip("." + snapshot)[1:]), 0o600},
			"no snapshot":        {with("snapshot", ""), 0o600},
			"huge":               {string(text) + strings.Repeat(" ", 80<<20), 0o600},
			"others may write":   {string(text), 0o606},
		} {
			if err := os.WriteFile(path, []byte(c.text), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Chmod(path, c.mode); err != nil {
				t.Fatal(err)
			}
			var log bytes.Buffer
			g := iss.Guard(t, keeping(path), func(c *guard.Config) { c.Logger = slog.New(slog.NewTextHandler(&log, nil)) })
			refused(t, g, good, guard.ErrStale)
			if s := g.Stats(); s.Seq != 0 || len(s.KeyIDs) != 0 {
				t.Errorf("%s: seq %d, keys %v", name, s.Seq, s.KeyIDs)
			}
			_ = g.Close()
			if !strings.Contains(log.String(), "the state file is not used") {
				t.Errorf("%s: the log is\n%s", name, log.String())
			}
		}
	})
}

// Messages of a state file that are not the issuer's, or not in order, are not used, nor is
// what follows them.
func TestStateFileIsAPrefix(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "state")
	synctest.Test(t, func(t *testing.T) {
		iss := guardtest.New(t, guardtest.Config{InMemory: true})
		g := iss.Guard(t, quiet, keeping(path))
		iss.Await(t, g)
		tokens := []string{iss.Mint(t, jwt.Claims{}), iss.Mint(t, jwt.Claims{}), iss.Mint(t, jwt.Claims{})}
		for _, token := range tokens {
			iss.Revoke(t, token)
		}
		iss.Await(t, g)
		_ = g.Close()
		iss.Down(true)
		var members map[string]any
		text, err := os.ReadFile(path)
		if err := json.Unmarshal(must(text, err), &members); err != nil {
			t.Fatal(err)
		}
		messages, _ := members["messages"].([]any)
		var events []any
		for _, m := range messages {
			if m, ok := m.(map[string]any); ok && m["event"] != nil {
				events = append(events, m)
			}
		}
		if len(events) != 3 {
			t.Fatalf("%d events", len(events))
		}
		members["messages"] = []any{events[0], events[2], events[1]}
		changed, err := json.Marshal(members)
		if err := os.WriteFile(path, must(changed, err), 0o600); err != nil {
			t.Fatal(err)
		}
		next := iss.Guard(t, quiet, keeping(path))
		refused(t, next, tokens[0], guard.ErrRevoked)
		if s := next.Stats(); s.Seq != 1 || s.Revocations != 1 {
			t.Errorf("seq %d, %d revocations", s.Seq, s.Revocations)
		}
	})
}

// After everything was revoked the file has no key from before: a key may be compromised.
func TestStateFileForgetsCompromisedKeys(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "state")
	synctest.Test(t, func(t *testing.T) {
		iss := guardtest.New(t, guardtest.Config{InMemory: true})
		stolen := iss.Mint(t, jwt.Claims{SessionID: "ffffffff-ffff-7fff-bfff-ffffffffffff"})
		kid := iss.Rotate(t)
		g := iss.Guard(t, quiet, keeping(path))
		iss.Await(t, g)
		iss.Withdraw()
		iss.RevokeEverything()
		onlyKey(t, g, kid)
		<-time.After(5 * time.Second)
		_ = g.Close()
		iss.Down(true)
		next := iss.Guard(t, quiet, keeping(path))
		onlyKey(t, next, kid)
		if _, err := next.Verify(t.Context(), stolen, guard.WhenStale(guard.FailOpen)); err == nil {
			t.Error("a token of the stolen key is accepted")
		}
	})
}

// However many events come, the file stays small, and holds all of them.
func TestStateFileIsBounded(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "state")
	synctest.Test(t, func(t *testing.T) {
		iss := guardtest.New(t, guardtest.Config{InMemory: true, Algorithm: jwt.EdDSA})
		g := iss.Guard(t, quiet, keeping(path))
		iss.Await(t, g)
		for range 4200 {
			iss.RevokeUser("u9")
		}
		iss.Await(t, g)
		<-time.After(5 * time.Second)
		_ = g.Close()
		if s := g.Stats(); s.Snapshots < 2 {
			t.Errorf("%d snapshots", s.Snapshots)
		}
		iss.Down(true)
		if s := iss.Guard(t, quiet, keeping(path)).Stats(); s.Seq != 4200 || s.Stale {
			t.Errorf("seq %d, stale %v", s.Seq, s.Stale)
		}
	})
}
