//go:build linux

package crashtest_test

import (
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"

	"issuer.example/internal/pgtest"
	"issuer.example/internal/rounds"
)

// session.max_per_user is exact when one user signs in at all issuers at once.
func TestLimitOfAllIssuersPostgres(t *testing.T) {
	t.Parallel()
	const most, signIns = 3, 24
	for policy, admitted := range map[string]int{"refuse": most, "evict_oldest": signIns, "evict_idle": signIns} {
		t.Run(policy, func(t *testing.T) {
			t.Parallel()
			dsn := newDatabase(t, pgtest.Shared(t))
			c := startCluster(t, dsn, []string{dsn, dsn, dsn},
				fmt.Sprintf("ISSUER_SESSION_MAX_PER_USER=%d", most), "ISSUER_SESSION_ON_LIMIT="+policy)
			for round := range rounds.Soak(t, 3, 20) {
				user := fmt.Sprintf("user-%d", round)
				if got := c.signInAtOnce(user, signIns); got != admitted {
					t.Errorf("%d of %d sign-ins succeeded, want %d", got, signIns, admitted)
				}
				for _, s := range c.issuers {
					if r := s.api.list(user); r.status != http.StatusOK || len(r.Sessions) != most {
						t.Errorf("%s lists %d sessions, %v; want %d", s.api.public, len(r.Sessions), r, most)
					}
				}
			}
			c.stop()
		})
	}
}

// signInAtOnce signs a user in at all issuers, and returns how many times that succeeded.
func (c *cluster) signInAtOnce(user string, times int) int {
	var (
		all       sync.WaitGroup
		succeeded atomic.Int64
	)
	for n := range times {
		all.Go(func() {
			if c.issuers[n%len(c.issuers)].api.mint(user).status == http.StatusCreated {
				succeeded.Add(1)
			}
		})
	}
	all.Wait()
	return int(succeeded.Load())
}
