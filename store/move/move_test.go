package move_test

import (
	"os"
	"testing"

	"issuer.example/internal/pgtest"
	"issuer.example/internal/rounds"
	"issuer.example/store"
	"issuer.example/store/bolt"
	"issuer.example/store/move"
	"issuer.example/store/postgres"
)

func TestMain(m *testing.M) {
	rounds.TempInMemory()
	os.Exit(m.Run())
}

// silent is a progress that nobody looks at.
type silent struct{}

func (silent) Begin(string, int64) {}
func (silent) Done(int64)          {}

// toDatabase moves a file into a database.
func toDatabase(t testing.TB, path, dsn string) (copied store.Totals, err error) {
	t.Helper()
	err = postgres.Import(t.Context(), postgres.Config{DSN: dsn}, func(to store.Target) error {
		return bolt.Export(t.Context(), path, false, func(from store.Archive) (err error) {
			copied, err = move.Copy(t.Context(), from, to, silent{})
			return err
		})
	})
	return copied, err
}

// toFile moves a database into a file.
func toFile(t testing.TB, dsn, path string) (copied store.Totals, err error) {
	t.Helper()
	err = bolt.Import(t.Context(), path, func(to store.Target) error {
		return postgres.Export(t.Context(), postgres.Config{DSN: dsn}, false, func(from store.Archive) (err error) {
			copied, err = move.Copy(t.Context(), from, to, silent{})
			return err
		})
	})
	return copied, err
}

func newDatabase(t testing.TB) (dsn string) {
	t.Helper()
	server := pgtest.Shared(t)
	migrated := server.Template(t, "migrated", func(dsn string) { migrate(t, dsn) })
	return server.SocketDSN(server.CopyDatabase(t, migrated))
}

// migrate gives an empty database the schema.
func migrate(t testing.TB, dsn string) {
	t.Helper()
	if _, err := postgres.Migrate(t.Context(), postgres.Config{DSN: dsn}, 0); err != nil {
		t.Fatal(err)
	}
}
