package sid_test

import (
	"errors"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"issuer.example/sid"
)

func TestParseAcceptsOnlyTheCanonicalForm(t *testing.T) {
	const good = "019341f2-8a3c-7b5e-9d21-0a1b2c3d4e5f"
	id, err := sid.Parse(good)
	if err != nil {
		t.Fatal(err)
	}
	if id.String() != good {
		t.Errorf("round trip gives %s", id)
	}
	bad := map[string]string{
		"empty":         "",
		"upper case":    "019341F2-8A3C-7B5E-9D21-0A1B2C3D4E5F",
		"braces":        "{019341f2-8a3c-7b5e-9d21-0a1b2c3d4e5f}",
		"urn":           "urn:uuid:019341f2-8a3c-7b5e-9d21-0a1b2c3d4e5f",
		"no hyphens":    "019341f28a3c7b5e9d210a1b2c3d4e5f",
		"version 4":     "019341f2-8a3c-4b5e-9d21-0a1b2c3d4e5f",
		"other variant": "019341f2-8a3c-7b5e-cd21-0a1b2c3d4e5f",
		"zero":          "00000000-0000-0000-0000-000000000000",
		"newline":       good + "\n",
		"path":          "../../../../../../../../../../etc/passwd",
		"not hex":       "019341f2-8a3c-7b5e-9d21-0a1b2c3d4e5g",
		"no 1st hyphen": "019341f2x8a3c-7b5e-9d21-0a1b2c3d4e5f",
		"no 2nd hyphen": "019341f2-8a3cx7b5e-9d21-0a1b2c3d4e5f",
		"no 3rd hyphen": "019341f2-8a3c-7b5ex9d21-0a1b2c3d4e5f",
		"no 4th hyphen": "019341f2-8a3c-7b5e-9d21x0a1b2c3d4e5f",
		"shifted":       "019341f-28a3c-7b5e-9d21-0a1b2c3d4e5f",
	}
	for name, text := range bad {
		if got, err := sid.Parse(text); err == nil {
			t.Errorf("%s: %q is parsed as %s", name, text, got)
		} else if !errors.Is(err, sid.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Whatever the clock does, the next identifier is above all before it.
func TestGeneratorGrowsStrictly(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		clock := time.UnixMilli(1_700_000_000_000)
		g := sid.NewGenerator(func() time.Time { return clock })
		var last sid.ID
		for range rapid.IntRange(1, 200).Draw(t, "steps") {
			clock = clock.Add(time.Duration(rapid.Int64Range(-3600e9, 3600e9).Draw(t, "step")))
			if rapid.Bool().Draw(t, "observe") {
				seen := sid.NewGenerator(func() time.Time { return clock }).Next()
				g.Observe(seen)
				if seen.Compare(last) > 0 {
					last = seen
				}
			}
			id := g.Next()
			if id.Compare(last) <= 0 {
				t.Fatalf("%s is not above %s", id, last)
			}
			if parsed, err := sid.Parse(id.String()); err != nil || parsed != id {
				t.Fatalf("%s does not parse back: %v", id, err)
			}
			last = id
		}
	})
}

// Whatever the clock of the issuer that asks says, the next identifier is above the newest one,
// well-formed, and of that time or of the first moment after the newest.
func TestNextIsAboveTheNewest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		clock := rapid.Custom(func(t *rapid.T) time.Time {
			return time.UnixMilli(rapid.Int64Range(1_700_000_000_000, 1_700_000_000_010).Draw(t, "ms"))
		})
		var last sid.ID
		for range rapid.IntRange(1, 100).Draw(t, "steps") {
			at := clock.Draw(t, "clock")
			id := sid.Next(last, at)
			if id.Compare(last) <= 0 || id.Time().Before(at) {
				t.Fatalf("%s is not above %s, or before %v", id, last, at)
			}
			if parsed, err := sid.Parse(id.String()); err != nil || parsed != id {
				t.Fatalf("%s does not parse back: %v", id, err)
			}
			if late := id.Time().Sub(at); late > 0 && id.Time().Sub(last.Time()) > time.Millisecond {
				t.Fatalf("%s is %v late, and not next to %s", id, late, last)
			}
			last = id
		}
	})
}

// Two issuers that ask for the successor of one identifier at once do not get the same one.
func TestNextIsRandom(t *testing.T) {
	at := time.UnixMilli(1_700_000_000_000)
	if a, b := sid.Next(sid.ID{}, at), sid.Next(sid.ID{}, at); a == b {
		t.Errorf("%s was given twice", a)
	}
}

func TestGeneratorCarriesTheCounterIntoTheTime(t *testing.T) {
	clock := time.UnixMilli(1_700_000_000_000)
	g := sid.NewGenerator(func() time.Time { return clock })
	var id sid.ID
	for range 5000 { // more than the 4,096 that one millisecond holds
		next := g.Next()
		if next.Compare(id) <= 0 {
			t.Fatalf("%s is not above %s", next, id)
		}
		id = next
	}
	if got := id.Time().Sub(clock); got != time.Millisecond {
		t.Errorf("after 5,000 identifiers in one millisecond the time has moved by %v", got)
	}
}

// Before returns an identifier, and nothing lies between the two.
func TestBefore(t *testing.T) {
	parse := func(s string) sid.ID {
		id, err := sid.Parse(s)
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	for id, want := range map[string]string{
		"019341f2-8a3c-7b5e-9d21-0a1b2c3d4e5f": "019341f2-8a3c-7b5e-9d21-0a1b2c3d4e5e",
		"019341f2-8a3c-7b5e-9d21-0a1b2c3d0000": "019341f2-8a3c-7b5e-9d21-0a1b2c3cffff",
		"019341f2-8a3c-7b5e-8000-000000000000": "019341f2-8a3c-7b5d-bfff-ffffffffffff",
		"019341f2-8a3c-7000-8000-000000000000": "019341f2-8a3b-7fff-bfff-ffffffffffff",
	} {
		if got := parse(id).Before(); got != parse(want) {
			t.Errorf("before %s is %s, want %s", id, got, want)
		}
	}
	if before := (sid.ID{}).Before(); !before.IsZero() {
		t.Errorf("before the zero ID is %s", before)
	}
}

func TestGeneratorIsSafeForConcurrentUse(t *testing.T) {
	g := sid.NewGenerator(nil)
	var (
		mu   sync.Mutex
		seen = map[sid.ID]bool{}
		wg   sync.WaitGroup
	)
	for range 8 {
		wg.Go(func() {
			for range 1000 {
				id := g.Next()
				mu.Lock()
				if seen[id] {
					t.Errorf("%s was given twice", id)
				}
				seen[id] = true
				mu.Unlock()
			}
		})
	}
	wg.Wait()
}

func FuzzParse(f *testing.F) {
	f.Add("019341f2-8a3c-7b5e-9d21-0a1b2c3d4e5f")
	f.Fuzz(func(t *testing.T, s string) {
		id, err := sid.Parse(s)
		if err == nil && id.String() != s {
			t.Fatalf("%q is parsed, but written as %q", s, id)
		}
	})
}
