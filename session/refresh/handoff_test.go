package refresh

import (
	"encoding/base64"
	"errors"
	"regexp"
	"strings"
	"testing"
	"time"

	"issuer.example/sid"
)

const origin = "https://app.example"

func TestHandoffForm(t *testing.T) {
	ring, id := testRing(t, 1), sid.Next(sid.ID{}, time.Now())
	for _, bound := range []string{origin, ""} {
		code := ring.SealHandoff(id, bound)
		if !regexp.MustCompile(`^hc_[A-Za-z0-9_-]{46}$`).MatchString(code) {
			t.Errorf("not the published form: %s", code)
		}
		if got, err := ring.OpenHandoff(code, origin); err != nil || got != id {
			t.Errorf("bound to %q: opens as %s, %v", bound, got, err)
		}
	}
}

// A code that was damaged or forged in any way, or that is for another origin, is refused.
func TestHandoffTampered(t *testing.T) {
	ring := testRing(t, 1, 2)
	code := ring.SealHandoff(sid.Next(sid.ID{}, time.Now()), origin)
	refuse := func(name, code, origin string) {
		t.Helper()
		if _, err := ring.OpenHandoff(code, origin); !errors.Is(err, ErrHandoffInvalid) || !errors.Is(err, ErrForged) {
			t.Errorf("%s: %v", name, err)
		}
	}
	raw, err := base64.RawURLEncoding.DecodeString(code[3:])
	if err != nil {
		t.Fatal(err)
	}
	for i := range raw {
		for bit := range 8 {
			raw[i] ^= 1 << bit
			if _, err := ring.OpenHandoff("hc_"+base64.RawURLEncoding.EncodeToString(raw), origin); err == nil {
				t.Errorf("byte %d, bit %d flipped: accepted", i, bit)
			}
			raw[i] ^= 1 << bit
		}
	}
	for name, bad := range map[string]string{
		"empty": "", "prefix only": "hc_", "no prefix": code[3:], "other prefix": "rt_" + code[3:],
		"truncated": code[:len(code)-1], "longer": code + "A", "padded": code + "==",
		"newline inside": code[:20] + "\n" + code[21:], "space": " " + code[:len(code)-1],
		"all A": "hc_" + strings.Repeat("A", 46),
	} {
		refuse(name, bad, origin)
	}
	for _, other := range []string{"", "null", origin + "/", "https://app.example.evil"} {
		refuse("for "+other, code, other)
	}
	raw[0] = 2
	copy(raw[handoffRawLen-tagLen:], ring.keys()[0].handoffTag(raw[:handoffRawLen-tagLen], origin))
	refuse("of version 2", "hc_"+base64.RawURLEncoding.EncodeToString(raw), origin)
}

// A code that names a key which is not there is refused, and not called forged: the key may have
// been removed.
func TestHandoffOfAnUnknownKey(t *testing.T) {
	code := testRing(t, 3).SealHandoff(sid.ID{1}, origin)
	if _, err := testRing(t, 1, 2).OpenHandoff(code, origin); !errors.Is(err, ErrHandoffInvalid) || errors.Is(err, ErrForged) {
		t.Errorf("sealed under another key: %v", err)
	}
	ring := testRing(t, 1)
	raw := append([]byte{handoffVersion, 3}, make([]byte, 16)...)
	raw = append(raw, ring.keys()[0].handoffTag(raw, origin)...)
	if _, err := ring.OpenHandoff("hc_"+base64.RawURLEncoding.EncodeToString(raw), origin); err == nil {
		t.Error("a code that names another key than the one of its tag is accepted")
	}
}

func FuzzOpenHandoff(f *testing.F) {
	ring := testRing(f, 1, 2)
	good := ring.SealHandoff(sid.ID{1}, "https://app.example")
	f.Add(good, "https://app.example")
	f.Add(ring.SealHandoff(sid.ID{2}, ""), "https://app.example")
	f.Add(good, "")
	f.Add("hc_", "null")
	f.Fuzz(func(t *testing.T, code, origin string) {
		id, err := ring.OpenHandoff(code, origin)
		if err != nil {
			if !errors.Is(err, ErrHandoffInvalid) {
				t.Fatalf("%q for %q: %v", code, origin, err)
			}
			return
		}
		if code != ring.SealHandoff(id, origin) && code != ring.SealHandoff(id, "") {
			t.Fatalf("%q is taken for %q, and is neither for that origin nor for any", code, origin)
		}
	})
}
