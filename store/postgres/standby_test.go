package postgres_test

import (
	"fmt"
	"testing"
	"time"

	"issuer.example/internal/pgtest"
	"issuer.example/store/postgres"
)

// The DSN has both servers, in the wrong order. When the primary is killed, the store goes on at the standby.
func TestSeveralHosts(t *testing.T) {
	primary := pgtest.Start(t, nil)
	name := primary.NewDatabase(t)
	migrate(t, primary.SocketDSN(name))
	standby := primary.Standby(t, "second", nil)
	primary.RequireStandby(t, "second")
	db := opened(t, postgres.Config{DSN: fmt.Sprintf("postgres://postgres@%s,%s/%s?sslmode=disable&target_session_attrs=read-write",
		standby.Address(), primary.Address(), name)})
	var a acknowledged
	a.use(t, db)
	primary.Kill(t)
	standby.Promote(t)
	promoted := time.Now()
	a.recovers(t, db)
	if took := time.Since(promoted); took > 2*time.Second {
		t.Errorf("the store works again %s after the new primary", took)
	}
}
