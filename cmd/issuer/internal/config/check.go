package config

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// checker judges the values that were read. It says nothing of a key that could not
// be read, and nothing twice of one key.
type checker struct {
	*Config
	report *report
}

// check notes every value that will not do, alone or beside another.
func check(c *Config, r *report, prepared bool) {
	v := checker{Config: c, report: r}
	v.checkAddresses()
	v.checkStore()
	v.checkTokens()
	v.checkSessions()
	v.checkCookies()
	v.checkBrowsers()
	v.checkServiceKeys()
	v.checkSecrets(prepared)
	if prepared && len(c.ServiceKeys) == 0 {
		v.fault("service_keys", "there is none, so nothing could mint a session; `issuer service-key new` makes one")
	}
}

// fault notes that a key will not do, unless something is known of it already.
func (v checker) fault(key, format string, args ...any) {
	if !v.report.broken[key] {
		v.report.fault(key, format, args...)
	}
}

// broken tells whether any of the keys has a fault, so that a relation between them
// need not be looked at.
func (v checker) broken(keys ...string) bool {
	return slices.ContainsFunc(keys, func(key string) bool { return v.report.broken[key] })
}

// between checks the range of a duration.
func (v checker) between(key string, d, least, most time.Duration) {
	if d < least || d > most {
		v.fault(key, "must be from %s to %s", brief(least), brief(most))
	}
}

// oneOf checks a word against the words that are known.
func (v checker) oneOf(key, word string, known ...string) {
	if !slices.Contains(known, word) {
		v.fault(key, "must be one of %s", strings.Join(known, ", "))
	}
}

// unique notes the items of a list that stand in it twice.
func (v checker) unique(key string, list []string) {
	for i, item := range list {
		if slices.Contains(list[:i], item) {
			v.fault(fmt.Sprintf("%s[%d]", key, i), "stands in the list twice")
		}
	}
}

// plain tells whether text can stand in a claim or a log: up to 255 bytes, without
// control characters.
func plain(text string) bool {
	return text != "" && len(text) <= 255 && utf8.ValidString(text) && !strings.ContainsFunc(text, unicode.IsControl)
}

// brief prints a duration without the units that are nought: 720h, not 720h0m0s.
func brief(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}
