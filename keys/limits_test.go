package keys_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"issuer.example/keys"
)

// A key stays published for the lifetime of its tokens, the leeway of verifiers and the
// margin for clock skew.
func TestKeyStaysForTheLeeway(t *testing.T) {
	c := newClock()
	cfg := config(t, newStore(t), c)
	cfg.Leeway = time.Minute
	m := open(t, cfg)
	first := kidOf(t, m)
	rotate(t, m)
	c.Add(time.Hour)
	step(t, m)
	c.Add(8*time.Minute - time.Second) // 5 for the lifetime, 1 for the leeway, 2 for the margin
	step(t, m)
	if got := find(t, m, first).State; got != keys.Retiring {
		t.Errorf("a second before the last token has expired everywhere the key is %s", got)
	}
	c.Add(time.Second)
	step(t, m)
	if got := find(t, m, first).State; got != keys.Gone {
		t.Errorf("after the last token has expired everywhere the key is %s", got)
	}
}

// When the clock was set back the age of the snapshot is unknown.
func TestNoMaxAgeAfterTheClockWasSetBack(t *testing.T) {
	c := newClock()
	m := open(t, config(t, newStore(t), c))
	c.Add(-time.Second)
	if got := m.JWKS().MaxAge; got != 0 {
		t.Errorf("max-age %v, want 0", got)
	}
}

func TestTooEarlyErrorMatchesOneSentinel(t *testing.T) {
	err := error(&keys.TooEarlyError{Until: start})
	if !errors.Is(err, keys.ErrTooEarly) || errors.Is(err, keys.ErrNotFound) {
		t.Error("it matches ErrTooEarly only")
	}
}

// Another issuer may withdraw the key between the steps of Revoke: its reason stays.
func TestRevokeAfterAnother(t *testing.T) {
	ctx := context.Background()
	s := newStore(t)
	cfg := config(t, s, newClock())
	ours, theirs := open(t, cfg), open(t, cfg)
	kid := kidOf(t, ours)
	err := ours.Revoke(ctx, "", kid, "we were second", func(ctx context.Context) error {
		return theirs.Revoke(ctx, "", kid, "they were first", noSessions)
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := find(t, ours, kid).Reason; got != "they were first" {
		t.Errorf("the reason is %q", got)
	}
	if len(in(ours, keys.Gone)) != 1 {
		t.Errorf("more than one key is gone: %+v", ours.List())
	}
}

// A set that this program never writes is refused even with a valid MAC.
func TestMalformedSet(t *testing.T) {
	s := newStore(t)
	cfg := config(t, s, newClock())
	m := open(t, cfg)
	rotate(t, m)
	var doc struct{ Set json.RawMessage }
	if err := json.Unmarshal(s.stored(t).Document, &doc); err != nil {
		t.Fatal(err)
	}
	active, pending := one(t, m, keys.Active).ID, one(t, m, keys.Pending).ID
	for name, replace := range map[string][2]string{
		"two active keys":               {`"state":"pending"`, `"state":"active"`},
		"no active key":                 {`"state":"active"`, `"state":"pending"`},
		"an unknown state":              {`"state":"pending"`, `"state":"asleep"`},
		"a key that occurs twice":       {`"kid":"` + pending, `"kid":"` + active},
		"a retiring key that can sign":  {`"state":"pending"`, `"state":"retiring"`},
		"a pending key that can't sign": {`"sealed":`, `"else":`},
		"a pending key without its JWK": {`"jwk":`, `"else":`},
		"a key that is gone with a JWK": {`"state":"pending"`, `"state":"gone"`},
	} {
		changed := strings.ReplaceAll(string(doc.Set), replace[0], replace[1])
		text, err := keys.EncodeSet(json.RawMessage(changed), cfg.Secrets[0])
		if err != nil {
			t.Fatal(err)
		}
		if err := keys.Decode(text, cfg.Secrets...); changed == string(doc.Set) || !errors.Is(err, keys.ErrDocument) {
			t.Errorf("%s: %v, want ErrDocument", name, err)
		}
	}
	text, err := keys.EncodeSet(doc.Set, cfg.Secrets[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := keys.Decode(text, cfg.Secrets...); err != nil {
		t.Errorf("the set as it was: %v", err)
	}
}
