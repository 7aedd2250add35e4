//go:build failover

package pgtest_test

import (
	"testing"

	"issuer.example/internal/pgtest"
)

func TestFailoverPatroni(t *testing.T) {
	p := pgtest.StartPatroni(t, 2)
	for range 2 {
		old := p.AwaitSynchronous(t)
		old.Kill(t)
		if now := p.AwaitPrimary(t); now == old {
			t.Fatalf("%s is the primary", now)
		}
		old.Start(t)
	}
	p.AwaitSynchronous(t)
}
