package jwt

import (
	"encoding/json"
	"strings"
	"testing"
)

// FuzzScanner is inside the package to compare the scanner's members: encoding/json accepts
// everything that it accepts, with the same names and values.
func FuzzScanner(f *testing.F) {
	for _, seed := range []string{
		`{}`, ` { "a" : [ 1 , -2.5e-3 , "x\u00e9\n\ud83d\ude00" , null , true , {} ] } `, `{"a":1,"A":1}`, `{"\u0061":"\"\\\/\b\f\n\r\t"}`,
		`{"a":1e400}`, `{"a":"\ud800"}`, "{\"a\":\"\xff\"}", `{"ſ":1,"s":1}`, "\ufeff{}", `{"a":1}{}`, `{"a":01}`, `[[[[]]]]`, `{"a":{"b":{"c":{}}}}`,
		`{"a":-}`, `{"a":1.}`, `{"a":tru}`, "{\"a\":\"\u2028\x7f\"}", `{"\ud83d\ude00":"\uD83D\uDE00"}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		members, err := scanObject(text, nil)
		if (err == nil) != (CheckJSON([]byte(text), maxDepth) == nil && strings.HasPrefix(strings.TrimLeft(text, " \t\r\n"), "{")) {
			t.Fatalf("CheckJSON differs: %v", err)
		}
		if err != nil {
			return
		}
		var other map[string]json.RawMessage
		if err := json.Unmarshal([]byte(text), &other); err != nil {
			t.Fatalf("accepted what encoding/json does not: %v", err)
		}
		if len(other) != len(members) {
			t.Fatalf("%d members, encoding/json has %d", len(members), len(other))
		}
		for _, m := range members {
			sameValue(t, text[m.start:m.end], string(other[m.name]))
		}
	})
}

func sameValue(t *testing.T, value, other string) {
	t.Helper()
	if value != other {
		t.Errorf("value %q, encoding/json has %q", value, other)
	}
	got, ok := stringValue(value)
	var want string
	if wantOK := value[0] == '"' && json.Unmarshal([]byte(value), &want) == nil; ok != wantOK || got != want {
		t.Errorf("string %q, %v, encoding/json has %q, %v", got, ok, want, wantOK)
	}
	if !ok {
		return
	}
	if again, ok := stringValue(string(appendString(nil, got))); !ok || again != got {
		t.Errorf("string %q written and read is %q", got, again)
	}
}

// foldString returns equal strings exactly where EqualFold returns true.
func FuzzFold(f *testing.F) {
	for _, seed := range [][2]string{{"sub", "\u017fUB"}, {"kid", "\u212aiD"}, {"ß", "ẞ"}, {"ss", "ß"}, {"σ", "ς"}, {"İ", "i"}, {"\xff", "\ufffd"}} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		a, b = strings.ToValidUTF8(a, ""), strings.ToValidUTF8(b, "")
		same := strings.EqualFold(a, b)
		if (foldString(a) == foldString(b)) != same {
			t.Errorf("%q and %q: equal but for case is %v", a, b, same)
		}
		if same && foldHash(a) != foldHash(b) {
			t.Errorf("%q and %q have different hashes", a, b)
		}
	})
}

// Every character folds to one that differs only in case, and so do its other cases.
func TestFoldRuneIsEqualFold(t *testing.T) {
	for r := rune(0); r <= 0x1ffff; r++ {
		if r >= 0xd800 && r <= 0xdfff {
			continue
		}
		s := string(r)
		folded := foldString(s)
		if !strings.EqualFold(s, folded) {
			t.Errorf("%q folds to %q, which is another character", s, folded)
		}
		for _, twin := range []string{strings.ToUpper(s), strings.ToLower(s), strings.ToTitle(s)} {
			if strings.EqualFold(s, twin) && foldString(twin) != folded {
				t.Errorf("%q folds to %q, and %q to %q", s, folded, twin, foldString(twin))
			}
		}
	}
}
