package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What the tests of testdata/weak do not check survives, and nothing else.
func TestSurvivors(t *testing.T) {
	var out strings.Builder
	if err := run(t.Context(), []string{"./testdata/weak"}, &out); err != nil {
		t.Fatal(err)
	}
	survivors, total, _ := strings.Cut(out.String(), "\n")
	if survivors != "weak.go:11: > -> >=" {
		t.Errorf("survivors: %s", survivors)
	}
	if !strings.Contains(total, "4 breakages, 4 tried") ||
		!strings.Contains(total, "1 survived, 3 noticed, 0 ended by the time limit, 0 did not compile") {
		t.Error(total)
	}
}

func TestBreakages(t *testing.T) {
	mutants, err := goPackage{Dir: "testdata/all", GoFiles: []string{"all.go"}}.mutants()
	if err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(mutants, mutant.compare)
	var got []string
	for _, m := range mutants {
		got = append(got, m.String())
	}
	want := []string{
		"all.go:6: err -> nil",
		"all.go:8: < -> <=",
		"all.go:9: a == b && b == i -> (a == b && b == i) && false",
		"all.go:9: a == b && b == i -> (a == b && b == i) || true",
		"all.go:9: a == b -> (a == b || true)",
		"all.go:9: b == i -> (b == i || true)",
		"all.go:10: break -> (left out)",
		"all.go:12: b += a - i -> (left out)",
		"all.go:12: - -> +",
		"all.go:15: a > b -> (a > b) && false",
		"all.go:15: a > b -> (a > b) || true",
		"all.go:15: > -> >=",
		"all.go:17: either(a > 0, b < 0) -> (either(a > 0, b < 0)) && false",
		"all.go:17: either(a > 0, b < 0) -> (either(a > 0, b < 0)) || true",
		"all.go:17: > -> >=",
		"all.go:17: < -> <=",
		"all.go:18: println(a) -> (left out)",
		"all.go:20: * -> /",
		"all.go:24: a -> ((a) && false)",
		"all.go:24: a || b -> (a || b) && false",
		"all.go:24: a || b -> (a || b) || true",
		"all.go:24: b -> ((b) && false)",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// Without time nothing is tried, and the totals say so.
func TestNoTime(t *testing.T) {
	var out strings.Builder
	if err := run(t.Context(), []string{"-time", "0s", "./testdata/weak"}, &out); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), " 0 tried ") {
		t.Error(out.String())
	}
}

func TestFaults(t *testing.T) {
	for name, args := range map[string][]string{
		"no such package":                {"./nowhere"},
		"no workers":                     {"-workers", "0", "./testdata/weak"},
		"no such flag":                   {"-nope"},
		"tests that fail without reason": {"-run", "(", "./testdata/weak"},
	} {
		if err := run(t.Context(), args, &strings.Builder{}); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
