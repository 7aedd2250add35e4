package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Fault is one thing that is wrong with the settings. It never quotes a value that
// could be a secret.
type Fault struct {
	// Where is "config.yaml:12", or the name of a variable; empty when nothing
	// set the key and its default does not do.
	Where string
	// Key is the dotted path, "session.idle_timeout"; empty when the fault is the file's.
	Key string
	// Problem says what is wrong and what would be right.
	Problem string

	line int // orders the faults of the file
}

// String is the fault on one line.
func (f Fault) String() string {
	parts := make([]string, 0, 3)
	for _, part := range []string{f.Where, f.Key, f.Problem} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	return strings.Join(parts, ": ")
}

// Faults is everything that is wrong, first the file's by line, then the variables'.
type Faults []Fault

// Error lists the faults, one a line.
func (f Faults) Error() string {
	lines := make([]string, len(f))
	for i, fault := range f {
		lines[i] = fault.String()
	}
	return strings.Join(lines, "\n")
}

func (f Faults) sort() {
	slices.SortStableFunc(f, func(a, b Fault) int {
		return cmp.Or(cmp.Compare(a.rank(), b.rank()), cmp.Compare(a.line, b.line), cmp.Compare(a.Where, b.Where))
	})
}

// rank puts the file's faults before the variables', and those of neither last.
func (f Fault) rank() int {
	switch {
	case f.line > 0:
		return 0
	case f.Where != "":
		return 1
	default:
		return 2
	}
}

// place is where a value came from.
type place struct {
	name string // the file, or the variable
	line int    // 0 for a variable
}

func (p place) String() string {
	if p.line == 0 {
		return p.name
	}
	return fmt.Sprintf("%s:%d", p.name, p.line)
}

// report collects faults, and remembers where each value came from so that a
// later check can say so.
type report struct {
	faults Faults
	places map[string]place
	broken map[string]bool // keys that have a fault: later checks leave them alone
}

func newReport() *report {
	return &report{places: map[string]place{}, broken: map[string]bool{}}
}

// at notes where the value of key was found. A later source replaces an earlier one,
// and with it everything beneath the key.
func (r *report) at(key string, p place) {
	for known := range r.places {
		if p.name != r.places[known].name && strings.HasPrefix(known, key+"[") {
			delete(r.places, known)
		}
	}
	r.places[key] = p
}

// add notes a fault of key at a known place.
func (r *report) add(p place, key, format string, args ...any) {
	r.broken[key] = true
	r.faults = append(r.faults, Fault{Where: p.String(), Key: key, Problem: fmt.Sprintf(format, args...), line: p.line})
}

// fault notes a fault of key at the place that set it, or that set the nearest key
// above it.
func (r *report) fault(key, format string, args ...any) {
	r.add(r.find(key), key, format, args...)
}

// set tells whether a file or variable set the key, rather than its default.
func (r *report) set(key string) bool {
	_, ok := r.places[key]
	return ok
}

// find is where the key was set, or the nearest key above it.
func (r *report) find(key string) place {
	for {
		if p, ok := r.places[key]; ok {
			return p
		}
		cut := strings.LastIndexAny(key, ".[")
		if cut < 0 {
			return place{}
		}
		key = key[:cut]
	}
}
