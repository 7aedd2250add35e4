package archtest_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// reportsDoc lists the kinds of fault that were reported from the field, with the tests for them.
const reportsDoc = "docs/field-reports.md"

// Every test that the document names exists where it says so, and every row names one.
func TestReportsNameTests(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("../..", reportsDoc))
	if err != nil {
		t.Fatal(err)
	}
	rows, faults := reportFaults(t, "../..", string(text))
	if rows < 30 {
		t.Errorf("%s has %d rows", reportsDoc, rows)
	}
	for _, fault := range faults {
		t.Errorf("%s: %s", reportsDoc, fault)
	}
}

// The check finds each kind of fault.
func TestReportFaults(t *testing.T) {
	for text, want := range map[string]string{
		"| a | b 1 | `internal/archtest` TestReportFaults |":                   "",
		"| **A heading** | | |":                                                "",
		"| a | b 1 | `internal/browser` users.test.ts; `guard` TestRelays |":   "",
		"| a | b 1 | `internal/archtest` TestReportFaults, TestNotThere |":     "a: internal/archtest has no TestNotThere",
		"| a | b 1 | `handlers` FuzzNotThere |":                                "a: handlers has no FuzzNotThere",
		"| a | b 1 | `guard` TestRelays; `internal/browser` nothere.test.ts |": "a: internal/browser has no nothere.test.ts",
		"| a | b 1 | `examples/fastapi` test_relays.py, test_not_there.py |":   "a: examples/fastapi has no test_not_there.py",
		"| a | b 1 | the same tables |":                                        "a names no test",
		"| a | `internal/archtest` TestReportFaults |":                         "3 cells",
		"| a | b 1 | `guard` TestRelays, somewhere else |":                     "a names what is no test: \"`guard` TestRelays, somewhere else\"",
	} {
		_, faults := reportFaults(t, "../..", text)
		if got := strings.Join(faults, "\n"); want == "" && got != "" || !strings.Contains(got, want) {
			t.Errorf("%s\ngives %q\nwant %q", text, got, want)
		}
	}
}

func reportFaults(t *testing.T, root, text string) (rows int, faults []string) {
	t.Helper()
	known := testNames{}
	for line := range strings.Lines(text) {
		row, isRow := strings.CutPrefix(strings.TrimSpace(line), "| ")
		if !isRow || strings.HasPrefix(row, "kind |") || strings.HasPrefix(row, "**") {
			continue
		}
		rows++
		cells := strings.Split(strings.TrimSuffix(row, " |"), " | ")
		if len(cells) != 3 {
			faults = append(faults, row+": a row has 3 cells")
			continue
		}
		named, missing := known.check(t, root, cells[2])
		if named == 0 {
			faults = append(faults, cells[0]+" names no test")
		} else if rest := rowTests.ReplaceAllString(cells[2], ""); strings.Trim(rest, "; ") != "" {
			faults = append(faults, cells[0]+" names what is no test: \""+cells[2]+"\"")
		}
		for _, name := range missing {
			faults = append(faults, cells[0]+": "+name)
		}
	}
	return rows, faults
}
