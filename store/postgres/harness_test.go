package postgres_test

import (
	"fmt"
	"log/slog"
	"testing"

	"issuer.example/internal/pgtest"
	"issuer.example/store"
	"issuer.example/store/postgres"
	"issuer.example/store/storetest"
)

// database is a store in a database of its own.
type database struct {
	server *pgtest.Server
	name   string
	config postgres.Config
	crash  func(t testing.TB, closeHandles func())

	handles []*postgres.DB // open
}

// onShared makes stores on the server that all tests share. In a crash all connections are cut.
func onShared(change func(*database)) storetest.Harness {
	return func(t testing.TB) storetest.Instance {
		t.Helper()
		d := newDatabase(t, pgtest.Shared(t))
		d.crash = d.cut
		change(d)
		return d
	}
}

// onServerOfItsOwn makes each store on another server. In a crash the server is killed.
func onServerOfItsOwn(t testing.TB) storetest.Instance {
	t.Helper()
	d := newDatabase(t, pgtest.Start(t, nil))
	d.crash = func(t testing.TB, closeHandles func()) {
		t.Helper()
		d.server.Kill(t)
		closeHandles()
		d.server.Start(t)
	}
	return d
}

func newDatabase(t testing.TB, server *pgtest.Server) *database {
	t.Helper()
	migrated := server.Template(t, "migrated", func(dsn string) { migrate(t, dsn) })
	d := &database{server: server, name: server.CopyDatabase(t, migrated)}
	d.config = postgres.Config{
		DSN: server.SocketDSN(d.name), FactsKeep: storetest.Retention, MaxConnections: 4, Logger: slog.New(slog.DiscardHandler),
	}
	t.Cleanup(func() { d.Close(t) })
	return d
}

// Open implements [storetest.Instance].
func (d *database) Open(t testing.TB) store.Backend {
	t.Helper()
	db, err := postgres.Open(t.Context(), d.config)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	d.handles = append(d.handles, db)
	return db
}

// Close implements [storetest.Instance].
func (d *database) Close(t testing.TB) {
	t.Helper()
	for _, db := range d.handles {
		if err := db.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	}
	d.handles = nil
}

// Crash implements [storetest.Instance].
func (d *database) Crash(t testing.TB) {
	t.Helper()
	d.crash(t, func() {
		for _, db := range d.handles {
			_ = db.Close() // it has no server
		}
		d.handles = nil
	})
}

// cut cuts the connections of the handles, which can't connect again.
func (d *database) cut(t testing.TB, closeHandles func()) {
	t.Helper()
	d.server.Exec(t, "postgres",
		fmt.Sprintf("ALTER DATABASE %s ALLOW_CONNECTIONS false", d.name),
		fmt.Sprintf("SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = '%s'", d.name))
	closeHandles()
	d.server.Exec(t, "postgres", fmt.Sprintf("ALTER DATABASE %s ALLOW_CONNECTIONS true", d.name))
}
