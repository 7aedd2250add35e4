package postgres_test

import (
	"testing"

	"issuer.example/internal/pgtest"
	"issuer.example/store/postgres"
	"issuer.example/store/storetest"
)

// Each transaction may be on another connection of the server. One connection, which listens, leads past PgBouncer.
func TestConformancePgbouncer(t *testing.T) {
	b := pgtest.Shared(t).Bouncer(t, pgtest.Settings{"server_login_retry": "1"})
	storetest.Run(t, onShared(func(d *database) {
		d.config.ListenDSN = d.config.DSN
		d.config.DSN = b.DSN(d.name)
		d.config.NoPreparedStatements = true
	}))
}

// What a session keeps at the server would be lost without a word: it is refused.
func TestRefusalsBehindPgbouncer(t *testing.T) {
	s := pgtest.Shared(t)
	b := s.Bouncer(t, nil)
	name := s.CopyDatabase(t, s.Template(t, "migrated", func(dsn string) { migrate(t, dsn) }))
	cfg := postgres.Config{DSN: b.DSN(name), ListenDSN: s.SocketDSN(name)}
	refused(t, cfg, "prepared_statements")
	cfg.NoPreparedStatements, cfg.ListenDSN = true, ""
	refused(t, cfg, "listen_dsn")
	cfg.Notify = postgres.NotifyPoll
	var a acknowledged
	a.use(t, opened(t, cfg))
}
