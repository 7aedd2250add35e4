package secret_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"issuer.example/secret"
)

// canary is a secret text that no output may contain.
const canary = "canary-5f1d0c9e7b3a2846-canary-key"

func parse(t *testing.T, text string) secret.Secret {
	t.Helper()
	s, err := secret.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestParse(t *testing.T) {
	tests := []struct {
		name, text, want string
	}{
		{"empty", "", "empty"},
		{"blank", " \n\t\n", "empty"},
		{"short", canary[:31], "shorter than 32"},
		{"short behind whitespace", "        " + canary[:31] + "\n\n", "shorter than 32"},
		{"two lines", canary + "\n" + canary, "more than one line"},
		{"carriage return", canary + "\r" + canary, "more than one line"},
		{"NUL", canary + "\x00" + canary, "unprintable"},
		{"escape", canary + "\x1b[0m", "unprintable"},
		{"bidi override", canary + "\u202e", "unprintable"},
		{"not UTF-8", canary + "\xff", "not UTF-8"},
		{"long", strings.Repeat("a", secret.MaxLen+1), "longer than 4096"},
		{"long by whitespace", canary + strings.Repeat(" ", secret.MaxLen), "longer than 4096"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, err := secret.Parse([]byte(tt.text))
			if !errors.Is(err, secret.ErrFormat) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %q", err, tt.want)
			}
			if err != nil && strings.Contains(err.Error(), "canary") {
				t.Errorf("the error shows the secret: %v", err)
			}
			if !s.IsZero() {
				t.Error("a secret came with the error")
			}
		})
	}
}

func TestParseTrims(t *testing.T) {
	want := parse(t, canary).Derive("test")
	for _, text := range []string{canary + "\n", canary + "\r\n", "\t " + canary + " "} {
		if got := parse(t, text).Derive("test"); got != want {
			t.Errorf("%q is another secret than without its whitespace", text)
		}
	}
}

func TestParseKeepsItsOwnCopy(t *testing.T) {
	text := []byte(canary)
	s, err := secret.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	before := s.Derive("test")
	clear(text)
	if s.Derive("test") != before {
		t.Error("the secret changed with the caller's buffer")
	}
}

// The values were computed by an independent program for HKDF-SHA-256. They must never
// change, since stored keys are encrypted with them.
func TestDeriveIsStable(t *testing.T) {
	s := parse(t, strings.Repeat("k", 32))
	got := s.Derive("key encryption")
	const want = "35701ee1b3064aef17ae83cc0cfbc730bcd2a1cd3eb90763ceb906884ac07d3f"
	if diff := cmp.Diff(want, hex.EncodeToString(got[:])); diff != "" {
		t.Error(diff)
	}
}

func TestDeriveSeparatesPurposesAndSecrets(t *testing.T) {
	a, b := parse(t, canary), parse(t, canary+".")
	seen := map[[32]byte]string{}
	for name, s := range map[string]secret.Secret{"a": a, "b": b} {
		for _, purpose := range []string{"", "key encryption", "refresh token"} {
			key := s.Derive(purpose)
			if other, ok := seen[key]; ok {
				t.Errorf("%s/%s and %s share a key", name, purpose, other)
			}
			seen[key] = name + "/" + purpose
		}
	}
	if a.ID() != parse(t, canary).ID() {
		t.Error("the same secret has two ids")
	}
}

func TestDeriveOfNothingPanics(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("the zero Secret gave a key")
		}
	}()
	secret.Secret{}.Derive("test")
}

func TestGenerate(t *testing.T) {
	first, second := secret.Generate(), secret.Generate()
	if first == second {
		t.Error("two secrets are equal")
	}
	for _, text := range []string{first, second} {
		if len(text) != 43 {
			t.Errorf("a new secret has %d characters, want 43", len(text))
		}
		parse(t, text+"\n")
	}
}

// Row O04: no way of printing a secret, alone or in a struct, shows it.
func TestNothingIsPrinted(t *testing.T) {
	type config struct {
		Public  secret.Secret
		private secret.Secret
		List    []secret.Secret
		Pointer *secret.Secret
	}
	s := parse(t, canary)
	c := config{Public: s, private: s, List: []secret.Secret{s}, Pointer: &s}
	var out bytes.Buffer
	for _, value := range []any{s, &s, c, &c, c.List, map[string]secret.Secret{"s": s}, fmt.Errorf("a %w", fmt.Errorf("%v", c))} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%p", "%t"} {
			fmt.Fprintf(&out, verb+"\n", value)
		}
		for _, handler := range []slog.Handler{slog.NewJSONHandler(&out, nil), slog.NewTextHandler(&out, nil)} {
			slog.New(handler).Info("test", "value", value)
		}
		text, err := json.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		out.Write(text)
	}
	derived := s.Derive("key encryption")
	for _, form := range []string{
		"canary", hex.EncodeToString([]byte("canary")), strings.ToUpper(hex.EncodeToString([]byte("canary"))),
		strings.Trim(fmt.Sprint([]byte("canary")), "[]"), fmt.Sprintf("%#x", []byte("canary"))[2:], hex.EncodeToString(derived[:]),
	} {
		if bytes.Contains(out.Bytes(), []byte(form)) {
			t.Errorf("the output holds %q", form)
		}
	}
	if !bytes.Contains(out.Bytes(), []byte("[redacted]")) {
		t.Error("the output does not say that something was withheld")
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(canary))
	f.Add([]byte(" \n" + canary + "\r\n"))
	f.Add([]byte(canary + "\n" + canary))
	f.Fuzz(func(t *testing.T, text []byte) {
		s, err := secret.Parse(text)
		if (err == nil) == s.IsZero() {
			t.Fatalf("error %v with secret %v", err, s.IsZero())
		}
		if err != nil {
			return
		}
		again, err := secret.Parse(bytes.TrimSpace(text))
		if err != nil || again.Derive("test") != s.Derive("test") {
			t.Errorf("trimming the text changes the secret: %v", err)
		}
	})
}
