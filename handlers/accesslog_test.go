package handlers_test

import (
	"context"
	"io"
	"testing"
	"time"

	"issuer.example/client"
)

// The access log says in its name that the time is in milliseconds.
func TestAccessLogDuration(t *testing.T) {
	var f *fixture
	f = newFixture(t, func(s *settings) {
		s.http.Backup = func(_ context.Context, w io.Writer) error {
			f.clock.add(1500 * time.Microsecond)
			_, err := io.WriteString(w, "copy")
			return err
		}
	})
	f.callAdmin(t, "GET", "/admin/v1/backup", nil, bearer(serviceKey(client.ScopeAdmin))).want(t, 200, "")
	if entry := f.lastRequest(t); entry["took_ms"] != 1.5 || entry["took"] != nil {
		t.Errorf("the log says %v", entry)
	}
}
