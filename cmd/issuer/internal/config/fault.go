package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Fault is one thing that is wrong with the configuration. It never quotes a value, which
// could be a secret. Only of a URL or a host name it says how browsers write it.
type Fault struct {
	// Where is "config.yaml:12" or the name of a variable. It is empty when the key is not set
	// and its default is not enough.
	Where string
	// Key is the path, such as "session.idle_timeout". It is empty when the fault is of the
	// whole file.
	Key string
	// Problem says what is wrong and what would be valid.
	Problem string

	line int // in the file; 0 for a variable
}

// String returns the fault on one line.
func (f Fault) String() string {
	parts := make([]string, 0, 3)
	for _, part := range []string{f.Where, f.Key, f.Problem} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	return strings.Join(parts, ": ")
}

// Faults is everything that is wrong: first in the file, by line, then in variables.
type Faults []Fault

// Error returns the faults, one a line.
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

// rank orders faults: first those of the file, then of variables, then of defaults.
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

// place is where a value is set.
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

// report collects faults. It remembers where each value is set, so that a later check can name
// the place.
type report struct {
	faults Faults
	places map[string]place
	broken map[string]bool // keys with a fault, which later checks skip
}

func newReport() *report {
	return &report{places: map[string]place{}, broken: map[string]bool{}}
}

// setAt records where key is set. A later source replaces an earlier one, together with the
// places of the items of the key's list.
func (r *report) setAt(key string, p place) {
	for known := range r.places {
		if p.name != r.places[known].name && strings.HasPrefix(known, key+"[") {
			delete(r.places, known)
		}
	}
	r.places[key] = p
}

// add records a fault of key at a known place.
func (r *report) add(p place, key, format string, args ...any) {
	r.broken[key] = true
	r.faults = append(r.faults, Fault{Where: p.String(), Key: key, Problem: fmt.Sprintf(format, args...), line: p.line})
}

// fault records a fault of key at the place that sets it or the nearest key above it.
func (r *report) fault(key, format string, args ...any) {
	r.add(r.find(key), key, format, args...)
}

// isSet reports whether the file or a variable sets the key.
func (r *report) isSet(key string) bool {
	_, ok := r.places[key]
	return ok
}

// find returns where the key is set, or the nearest key above it.
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
