package postgres_test

import (
	"log/slog"
	"strings"
	"testing"

	"issuer.example/internal/pgtest"
	"issuer.example/internal/rounds"
	"issuer.example/store/postgres"
	"issuer.example/store/storetest"
)

// Each transaction may be on another connection of the server. One connection, which listens, leads past PgBouncer. The
// parts with the most statements of each kind run always, and with ISSUER_TEST_FULL=1 all.
func TestConformancePgbouncer(t *testing.T) {
	b := pgtest.Shared(t).Bouncer(t, pgtest.Settings{"server_login_retry": "0"})
	run := storetest.Run
	if !rounds.Longest() {
		run = func(t *testing.T, h storetest.Harness) {
			t.Helper()
			storetest.RunParts(t, h, "Create", "Change", "Mark", "Sweep", "Journal", "Watch", "Keys", "Context")
		}
	}
	run(t, onShared(func(d *database) {
		d.config.ListenDSN = d.config.DSN
		d.config.DSN = b.DSN(d.name)
		d.config.NoPreparedStatements = true
		d.crash = func(t testing.TB, closeHandles func()) {
			t.Helper()
			d.cut(t, closeHandles)
			b.Await(t, d.name) // it remembers that the server was away
		}
	}))
}

// What a session keeps at the server would be lost without a word: the check finds it.
func TestCheckBehindPgbouncer(t *testing.T) {
	s := pgtest.Shared(t)
	b := s.Bouncer(t, pgtest.Settings{"ignore_startup_parameters": "statement_timeout,lock_timeout,idle_in_transaction_session_timeout,jit"})
	name := s.CopyDatabase(t, s.Template(t, "migrated", func(dsn string) { migrate(t, dsn) }))
	for _, c := range []struct {
		cfg  postgres.Config
		want string // in the error; "": there is none
	}{
		{postgres.Config{DSN: b.DSN(name), ListenDSN: s.SocketDSN(name)}, "prepared_statements"},
		{postgres.Config{DSN: b.DSN(name), NoPreparedStatements: true}, "listen_dsn"},
		{postgres.Config{DSN: b.DSN(name), NoPreparedStatements: true, Notify: postgres.NotifyPoll}, ""},
		{postgres.Config{DSN: b.DSN(name), NoPreparedStatements: true, ListenDSN: s.SocketDSN(name)}, ""},
	} {
		c.cfg.Logger = slog.New(slog.DiscardHandler)
		_, err := postgres.Check(t.Context(), c.cfg)
		if c.want == "" && err == nil {
			var a acknowledged
			a.use(t, opened(t, c.cfg))
		} else if c.want == "" || err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("got %v, want %q", err, c.want)
		}
	}
}
