package refresh

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"strings"
	"testing"
	"time"

	"issuer.example/sid"
)

func testRing(t testing.TB, ids ...byte) *Keyring {
	t.Helper()
	var keys []Key
	for _, id := range ids {
		keys = append(keys, Key{ID: id, Key: [32]byte{id, 0xaa}})
	}
	ring, err := NewKeyring(keys)
	if err != nil {
		t.Fatal(err)
	}
	return ring
}

func TestTokenForm(t *testing.T) {
	ring := testRing(t, 1)
	id := sid.Next(sid.ID{}, time.Now())
	text := ring.Seal(Token{SID: id, Generation: 0x01020304, Branch: Branch{9}})
	if !regexp.MustCompile(`^rt_[A-Za-z0-9_-]{64}$`).MatchString(text) {
		t.Errorf("not the published form: %s", text)
	}
	raw, err := base64.RawURLEncoding.DecodeString(text[3:])
	if err != nil {
		t.Fatal(err)
	}
	if len(raw) != 48 || raw[0] != 1 || raw[1] != 1 || sid.ID(raw[2:18]) != id || string(raw[18:22]) != "\x01\x02\x03\x04" || raw[22] != 9 {
		t.Errorf("not the published layout: %x", raw)
	}
	got, err := ring.Open(text)
	if err != nil || got.SID != id || got.Generation != 0x01020304 || got.Branch != (Branch{9}) || got.KeyID != 1 {
		t.Errorf("opens as %+v, %v", got, err)
	}
}

// A token that was damaged or forged in any way is refused.
func TestTokenTampered(t *testing.T) {
	ring := testRing(t, 1, 2)
	text := ring.Seal(ring.First(sid.Next(sid.ID{}, time.Now())))
	raw, err := base64.RawURLEncoding.DecodeString(text[3:])
	if err != nil {
		t.Fatal(err)
	}
	for i := range raw {
		for bit := range 8 {
			raw[i] ^= 1 << bit
			if _, err := ring.Open("rt_" + base64.RawURLEncoding.EncodeToString(raw)); err == nil {
				t.Errorf("byte %d, bit %d flipped: taken", i, bit)
			}
			raw[i] ^= 1 << bit
		}
	}
	foreign := testRing(t, 1)
	foreign.keys()[0].tag = []byte("another key")
	bad := map[string]string{
		"empty":            "",
		"prefix only":      "rt_",
		"no prefix":        text[3:],
		"other prefix":     "RT_" + text[3:],
		"truncated":        text[:len(text)-1],
		"longer":           text + "A",
		"padded":           text + "=",
		"newline inside":   text[:20] + "\n" + text[21:],
		"newline appended": text + "\n",
		"standard base64":  text[:20] + "+" + text[21:],
		"space":            " " + text[:len(text)-1],
	}
	for name, s := range bad { // it may be a credential of another system
		if _, err := ring.Open(s); !errors.Is(err, ErrTokenInvalid) || errors.Is(err, ErrForged) || errors.Is(err, ErrKeyGone) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, s := range map[string]string{
		"of another key": foreign.Seal(ring.First(sid.ID{1})),
		"all A":          "rt_" + strings.Repeat("A", 64),
	} {
		if _, err := ring.Open(s); !errors.Is(err, ErrTokenInvalid) || !errors.Is(err, ErrForged) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A token has one spelling. The decoder skips line breaks: one in place of the last character
// would be the same token if that character adds nothing.
func TestTokenHasOneSpelling(t *testing.T) {
	ring := testRing(t, 1)
	for range 100_000 {
		text := ring.Seal(ring.First(sid.ID{1}))
		if raw, err := base64.RawURLEncoding.DecodeString(text[3:]); err != nil || raw[len(raw)-1] != 0 {
			continue
		}
		for _, end := range []string{"\n", "\r"} {
			if _, err := ring.Open(text[:len(text)-1] + end); !errors.Is(err, ErrTokenInvalid) {
				t.Errorf("with %q at its end: %v", end, err)
			}
		}
		return
	}
	t.Fatal("no token ends with a zero byte")
}

// A token of another version is refused, though its tag is right.
func TestTokenOfAnotherVersion(t *testing.T) {
	ring := testRing(t, 1)
	raw, err := base64.RawURLEncoding.DecodeString(ring.Seal(ring.First(sid.ID{1}))[3:])
	if err != nil {
		t.Fatal(err)
	}
	raw[0] = 2
	ring.keys()[0].tokenTag(raw[:tokenRawLen-tagLen], raw[tokenRawLen-tagLen:])
	if _, err := ring.Open("rt_" + base64.RawURLEncoding.EncodeToString(raw)); !errors.Is(err, ErrForged) {
		t.Errorf("version 2: %v", err)
	}
}

// Each decision is answered with the token that the table names.
func TestAnswer(t *testing.T) {
	ring := testRing(t, 1)
	presented := Token{SID: sid.ID{7}, Generation: 3, Branch: Branch{1}}
	st := State{Generation: 3, Branch: Branch{1}, KeyID: 1}
	if got := ring.Answer(presented, Decision{answer: answerSame, Next: st}); got != ring.Seal(presented) {
		t.Error("the same token is another")
	}
	if got := ring.Answer(presented, Decision{answer: answerChild, Next: st}); got != ring.Seal(ring.Child(presented.SID, st)) {
		t.Error("the child is another token")
	}
	strays := map[string]bool{}
	for range 2 {
		text := ring.Answer(presented, Decision{answer: answerStray, Next: st})
		got, err := ring.Open(text)
		if err != nil || got.SID != presented.SID || got.Generation != 4 || got.Branch == ring.Child(presented.SID, st).Branch {
			t.Errorf("a stray: %+v, %v", got, err)
		}
		strays[text] = true
	}
	if len(strays) != 2 {
		t.Error("two strays are the same")
	}
	if got := ring.Answer(presented, Decision{answer: answerNone, Next: st}); got != "" {
		t.Errorf("a reused token is answered with %s", got)
	}
}

// A secret is replaced by putting a new one first: old tokens keep working, and the successors
// of a token do not depend on which key sealed the presented copy.
func TestTokenKeyRotation(t *testing.T) {
	before, during, after := testRing(t, 1), testRing(t, 2, 1), testRing(t, 2)
	old := before.Seal(before.First(sid.Next(sid.ID{}, time.Now())))

	got, err := during.Open(old)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := after.Open(old); !errors.Is(err, ErrTokenInvalid) || !errors.Is(err, ErrKeyGone) || errors.Is(err, ErrForged) {
		t.Errorf("a token of a dropped secret: %v, want a refusal that does not call it forged", err)
	}
	st := State{Generation: got.Generation, Branch: got.Branch, KeyID: got.KeyID}
	if before.Child(got.SID, st) != during.Child(got.SID, st) {
		t.Error("the child of a token changes with the order of the secrets")
	}
	renewed := during.Seal(during.Child(got.SID, st))
	if _, err := after.Open(renewed); err != nil {
		t.Errorf("a token sealed under the new secret does not outlive the old one: %v", err)
	}
}

func TestChildIsTheSameAndStrayIsNot(t *testing.T) {
	ring := testRing(t, 1)
	id := sid.Next(sid.ID{}, time.Now())
	st := State{Generation: 4, Branch: Branch{1}, KeyID: 1}
	if a, b := ring.Child(id, st), ring.Child(id, st); a != b {
		t.Error("a parent has two children")
	}
	parent := Token{KeyID: 1, SID: id, Generation: 4, Branch: Branch{1}}
	if ring.Child(id, st).Generation != 5 {
		t.Error("a successor is not of the next generation")
	}
	if a, b := ring.stray(parent, 5), ring.stray(parent, 5); a == b {
		t.Error("two strays are the same")
	}
	if ring.Child(id, st) == ring.Child(sid.Next(id, id.Time()), st) || ring.Child(id, st).Branch == ring.Child(sid.Next(id, id.Time()), st).Branch {
		t.Error("two sessions have one child")
	}
	other := st
	other.Branch = Branch{2}
	if ring.Child(id, st).Branch == ring.Child(id, other).Branch {
		t.Error("two branches have one child")
	}
}

// A token knows what it was answered with: its child and its strays, also when another key seals.
func TestIsParent(t *testing.T) {
	before, after := testRing(t, 1), testRing(t, 2, 1)
	parent := Token{KeyID: 1, SID: sid.ID{7}, Generation: 4, Branch: Branch{1}}
	redeemed := func(t Token) State { return State{Generation: t.Generation, Branch: t.Branch, KeyID: 2} }
	successors := []Token{before.Child(parent.SID, parent.state()), before.stray(parent, 5), before.stray(parent, 5)}
	for _, successor := range successors {
		for _, ring := range []*Keyring{before, after} {
			if !ring.IsParent(parent, redeemed(successor)) {
				t.Errorf("%+v is not known as a successor", successor)
			}
			sibling, older, another := parent, parent, parent
			sibling.Branch[9]++
			older.Generation--
			another.SID[15]++
			for _, other := range []Token{sibling, older, another, successor} {
				if ring.IsParent(other, redeemed(successor)) {
					t.Errorf("%+v passes for the parent of %+v", other, successor)
				}
			}
		}
	}
	if before.IsParent(parent, State{Generation: 5, Branch: RandomBranch()}) {
		t.Error("a random branch is a successor")
	}
}

func TestKeyIsNotPrinted(t *testing.T) {
	key := Key{ID: 1, Key: [32]byte{0xde, 0xad, 0xbe, 0xef}}
	config := struct{ Keys []Key }{[]Key{key}}
	var log strings.Builder
	for _, handler := range []slog.Handler{slog.NewTextHandler(&log, nil), slog.NewJSONHandler(&log, nil)} {
		slog.New(handler).Info("x", "key", key, "keys", config.Keys)
	}
	inJSON, err := json.Marshal(map[string]any{"key": key, "keys": config.Keys})
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{
		fmt.Sprint(key), fmt.Sprintf("%+v", key), fmt.Sprintf("%#v", key), fmt.Sprintf("%+v", config), log.String(), string(inJSON),
	} {
		if strings.Contains(text, "222") || strings.Contains(strings.ToLower(text), "dead") || !strings.Contains(text, "[redacted]") {
			t.Errorf("printed: %s", text)
		}
	}
}

func FuzzOpenToken(f *testing.F) {
	ring := testRing(f, 1)
	good := ring.Seal(Token{SID: sid.ID{1}, Generation: 1, Branch: Branch{2}})
	f.Add(good)
	f.Add("rt_")
	f.Fuzz(func(t *testing.T, text string) {
		got, err := ring.Open(text)
		if err == nil && ring.Seal(got) != text {
			t.Fatalf("%q is taken, but is written %q", text, ring.Seal(got))
		}
	})
}

func BenchmarkOpenForged(b *testing.B) {
	ring := testRing(b, 1)
	forged := "rt_" + "AQ" + strings.Repeat("A", 62)
	for b.Loop() {
		if _, err := ring.Open(forged); err == nil {
			b.Fatal("taken")
		}
	}
}
