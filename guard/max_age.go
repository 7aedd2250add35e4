package guard

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// The bounds of the time for which keys are used without another fetch.
const (
	minKeyAge = 5 * time.Second
	maxKeyAge = 24 * time.Hour
)

// remainingAge is how long an answer may be used from now on (RFC 9111 §4.2): its max-age
// less the time that it has spent in caches, but at least 5 s and at most 24 h.
func remainingAge(h http.Header) time.Duration {
	spent, err := strconv.ParseUint(h.Get("Age"), 10, 31)
	if err != nil {
		spent = 0
	}
	return min(max(maxAge(h)-time.Duration(spent)*time.Second, minKeyAge), maxKeyAge)
}

// maxAge is max-age of Cache-Control (RFC 9111 §5.2.2.1), 0 if it is missing or malformed.
func maxAge(h http.Header) time.Duration {
	for _, line := range h.Values("Cache-Control") {
		for directive := range strings.SplitSeq(line, ",") {
			name, value, _ := strings.Cut(strings.TrimSpace(directive), "=")
			if !strings.EqualFold(name, "max-age") {
				continue
			}
			seconds, err := strconv.ParseUint(strings.Trim(value, `"`), 10, 31)
			if err != nil {
				return 0
			}
			return time.Duration(seconds) * time.Second
		}
	}
	return 0
}
