package main

import (
	"strings"
	"testing"
)

// What was to be a DSN is one, however it is misspelt: an error about a file would show its password.
func TestMigrateStoreKeepsPassword(t *testing.T) {
	for _, dsn := range []string{
		"postgres://u:CANARY@127.0.0.1:1/d", "postgresql://u:CANARY@127.0.0.1:1/d", "Postgres://u:CANARY@127.0.0.1:1/d", "postgres:/u:CANARY@127.0.0.1:1/d",
		"postgress://u:CANARY@127.0.0.1:1/d", "mysql://u:CANARY@127.0.0.1:1/d", "u:CANARY@127.0.0.1:1/d", "u:CANARY/CANARY@127.0.0.1:1/d",
		"password=CANARY host=127.0.0.1 port=1", "Password=CANARY host=127.0.0.1 port=1",
	} {
		for _, m := range []migrateStore{{from: dsn, to: "new.db"}, {from: "none.db", to: dsn}} {
			t.Chdir(t.TempDir())
			var stderr strings.Builder
			m.app = &app{stderr: &stderr}
			err := m.run(t.Context())
			if err == nil {
				t.Fatalf("%s: nothing listens there", dsn)
			}
			if strings.Contains(err.Error()+stderr.String(), "CANARY") {
				t.Errorf("%s: the error shows it: %v", dsn, err)
			}
		}
	}
	for _, path := range []string{"data/issuer.db", "./a@b.db", "/srv/a:b@c/issuer.db", "issuer-2026-01-01T00:00:00Z.db"} {
		at, err := (&migrateStore{}).place(path)
		if err != nil || at.path != path {
			t.Errorf("%s is no path: %+v, %v", path, at, err)
		}
	}
}
