package guard

import (
	"net/http"
	"testing"
	"time"
)

// How long an answer may still be used (RFC 9111 §4.2).
func TestRemainingAge(t *testing.T) {
	for _, c := range []struct {
		control, age string
		want         time.Duration
	}{
		{"public, max-age=900", "", 15 * time.Minute},
		{"public, max-age=900", "840", time.Minute},
		{"public, max-age=900", "900", minKeyAge},
		{"public, max-age=900", "5000", minKeyAge},
		{"max-age=900", "-1", 15 * time.Minute},
		{"max-age=900", "soon", 15 * time.Minute},
		{`Max-Age="60"`, "", time.Minute},
		{"max-age=0", "", minKeyAge},
		{"max-age=forever", "", minKeyAge},
		{"max-age=999999999", "", maxKeyAge},
		{"no-store", "", minKeyAge},
		{"", "", minKeyAge},
	} {
		h := http.Header{}
		h.Set("Cache-Control", c.control)
		h.Set("Age", c.age)
		if got := remainingAge(h); got != c.want {
			t.Errorf("Cache-Control: %s, Age: %s: %v, want %v", c.control, c.age, got, c.want)
		}
	}
}
