package config

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// checker checks the values that were read. It reports at most one fault for each key, and
// none for a key that could not be read.
type checker struct {
	*Config
	report      *report
	dataProblem func(Store) (key string, err error) // nil: the data is not looked at
}

// check reports every value that is invalid, by itself or in combination with another.
func check(c *Config, r *report, src Source) {
	forServing := src.ForServing
	v := checker{Config: c, report: r, dataProblem: src.DataProblem}
	v.checkAddresses()
	v.checkStore()
	v.checkTokens()
	v.checkSessions()
	v.checkCookies()
	v.checkBrowsers()
	v.checkServiceKeys()
	v.checkSecrets(forServing)
	if forServing && len(c.ServiceKeys) == 0 {
		v.fault("service_keys", "there is none, so nobody could mint a session; `issuer service-key new` makes one")
	}
}

// fault reports a fault of key, unless it has one already.
func (v checker) fault(key, format string, args ...any) {
	if !v.report.broken[key] {
		v.report.fault(key, format, args...)
	}
}

// broken reports whether any of the keys has a fault. Then a relation between them is not
// checked.
func (v checker) broken(keys ...string) bool {
	return slices.ContainsFunc(keys, func(key string) bool { return v.report.broken[key] })
}

// between checks that a duration is from least to most, inclusive.
func (v checker) between(key string, d, least, most time.Duration) {
	if d < least || d > most {
		v.fault(key, "must be from %s to %s", format(least), format(most))
	}
}

// oneOf checks that a word is one of the known words.
func (v checker) oneOf(key, word string, known ...string) {
	if !slices.Contains(known, word) {
		v.fault(key, "must be one of %s", strings.Join(known, ", "))
	}
}

// unique reports the items that are in a list twice.
func (v checker) unique(key string, list []string) {
	for i, item := range list {
		if slices.Contains(list[:i], item) {
			v.fault(fmt.Sprintf("%s[%d]", key, i), "is in the list twice")
		}
	}
}

// isPlain reports whether text can be in a claim or a log: 1 to 255 bytes of UTF-8 without
// control characters.
func isPlain(text string) bool {
	return text != "" && len(text) <= 255 && utf8.ValidString(text) && !strings.ContainsFunc(text, unicode.IsControl)
}

// format writes a duration without units that are zero: 720h, not 720h0m0s.
func format(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}
