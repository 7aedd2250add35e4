package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	"issuer.example/internal/pgtest"
)

// connect opens a connection that goes with the test.
func connect(t testing.TB, dsn string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

// one reads one value.
func one[T any](t testing.TB, conn rowQuerier, query string, args ...any) (value T) {
	t.Helper()
	if err := conn.QueryRow(t.Context(), query, args...).Scan(&value); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return value
}

func TestMigrate(t *testing.T) {
	t.Parallel()
	cfg := Config{DSN: pgtest.Shared(t).Database(t)}
	conn := connect(t, cfg.DSN)
	if err := checkSchema(t.Context(), conn); !errors.Is(err, ErrNoSchema) {
		t.Errorf("an empty database: %v", err)
	}
	status, err := MigrationStatus(t.Context(), cfg)
	if err != nil || int64(len(status)) != newestMigration() || !status[0].AppliedAt.IsZero() || status[0].Name != "00001_base.sql" {
		t.Errorf("status of an empty database: %+v, %v", status, err)
	}
	if n := one[int](t, conn, `SELECT count(*) FROM pg_tables WHERE schemaname = 'public'`); n != 0 {
		t.Errorf("the status has made %d tables", n)
	}
	applied, err := Migrate(t.Context(), cfg, 0)
	if err != nil || int64(len(applied)) != newestMigration() {
		t.Fatalf("migrate: %+v, %v", applied, err)
	}
	if err := checkSchema(t.Context(), conn); err != nil {
		t.Errorf("a migrated database: %v", err)
	}
	if version := one[int64](t, conn, `SELECT version FROM issuer_schema`); version != newestMigration() {
		t.Errorf("the schema has version %d after migration %d", version, newestMigration())
	}
	status, err = MigrationStatus(t.Context(), cfg)
	if err != nil || int64(len(status)) != newestMigration() || status[0].AppliedAt.IsZero() {
		t.Errorf("status of a migrated database: %+v, %v", status, err)
	}
	if applied, err = Migrate(t.Context(), cfg, 0); err != nil || len(applied) > 0 {
		t.Errorf("migrate again: %+v, %v", applied, err)
	}
}

// Migrations only go forward.
func TestMigrationsHaveNoDown(t *testing.T) {
	t.Parallel()
	for _, name := range migrationNames() {
		text, err := migrations.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), "+goose Down") {
			t.Errorf("%s goes back", name)
		}
	}
}

// Extensions, which operators of servers add, do not make a database that of another program.
func TestMigrateBesideExtension(t *testing.T) {
	t.Parallel()
	server := pgtest.Shared(t)
	name := server.NewDatabase(t)
	server.Exec(t, name, `CREATE EXTENSION pg_stat_statements`)
	cfg := Config{DSN: server.SocketDSN(name)}
	if status, err := MigrationStatus(t.Context(), cfg); err != nil || len(status) == 0 {
		t.Errorf("status: %+v, %v", status, err)
	}
	if _, err := Migrate(t.Context(), cfg, 0); err != nil {
		t.Errorf("migrate: %v", err)
	}
}

// A role that only reads and writes rows can't migrate, and is told what can.
func TestMigrateWithoutPrivileges(t *testing.T) {
	t.Parallel()
	server := pgtest.Shared(t)
	name := server.NewDatabase(t)
	role := "serving_" + name
	server.Exec(t, name, `CREATE ROLE `+role+` LOGIN`)
	cfg := Config{DSN: server.SocketDSN(name) + "&options=-c%20role%3D" + role}
	applied, err := Migrate(t.Context(), cfg, 0)
	if err == nil || len(applied) > 0 || !strings.Contains(err.Error(), "--dsn-file") {
		t.Errorf("%+v, %v", applied, err)
	}
}

// The check of privileges knows all tables that serving writes.
func TestPrivilegesOfAllTables(t *testing.T) {
	t.Parallel()
	conn := connect(t, newDatabase(t))
	const query = `SELECT string_agg(relname, ' ' ORDER BY relname) FROM pg_class
		WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND relname NOT IN ('issuer_schema', 'issuer_migrations')`
	if got, want := strings.Join(slices.Sorted(slices.Values(tables)), " "), one[string](t, conn, query); got != want {
		t.Errorf("checked: %s\nthere are: %s", got, want)
	}
}

// What refreshing changes is behind what it does not change, so that WAL has no copy of the latter.
func TestStatesAreLast(t *testing.T) {
	t.Parallel()
	conn := connect(t, newDatabase(t))
	const query = `SELECT coalesce(string_agg(attname, ', '), '') FROM pg_attribute a WHERE attrelid = 'sessions'::regclass
		AND attnum > (SELECT attnum FROM pg_attribute WHERE attrelid = a.attrelid AND attname = 'version')
		AND attname IN ('user_id', 'client_id', 'email', 'name', 'image', 'claims', 'audience', 'scope', 'label', 'user_agent')`
	if behind := one[string](t, conn, query); behind != "" {
		t.Errorf("behind the version, which each refresh changes: %s", behind)
	}
}

// A database of another program is left as it is.
func TestMigrateOtherDatabase(t *testing.T) {
	t.Parallel()
	for what, statement := range map[string]string{
		"tables of another program":         `CREATE TABLE customers (id int)`,
		"a view":                            `CREATE VIEW customers AS SELECT 1`,
		"sessions of another program":       `CREATE TABLE sessions (sid text)`,
		"another table with the same name":  `CREATE TABLE issuer_schema (number int)`,
		"a table with that name and no row": `CREATE TABLE issuer_schema (version bigint, oldest_program bigint)`,
	} {
		server := pgtest.Shared(t)
		name := server.NewDatabase(t)
		server.Exec(t, name, statement)
		cfg := Config{DSN: server.SocketDSN(name)}
		conn := connect(t, cfg.DSN)
		if err := checkSchema(t.Context(), conn); !errors.Is(err, ErrOtherDatabase) {
			t.Errorf("%s: %v", what, err)
		}
		if _, err := Migrate(t.Context(), cfg, 0); !errors.Is(err, ErrOtherDatabase) {
			t.Errorf("%s: migrate: %v", what, err)
		}
		if _, err := MigrationStatus(t.Context(), cfg); !errors.Is(err, ErrOtherDatabase) {
			t.Errorf("%s: status: %v", what, err)
		}
		if n := one[int](t, conn, `SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace`); n != 1 {
			t.Errorf("%s: there are %d tables and indexes now", what, n)
		}
	}
}

func TestSchemaVersions(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		version, oldest, program int64
		want                     error
	}{
		{3, 1, 3, nil},
		{3, 1, 4, ErrOlderSchema},
		{4, 1, 3, nil}, // the newer migration keeps what this program uses
		{4, 3, 3, nil},
		{4, 4, 3, ErrNewerSchema},
	} {
		if err := compareSchema(c.version, c.oldest, c.program); !errors.Is(err, c.want) {
			t.Errorf("%+v: %v", c, err)
		}
	}
	cfg := Config{DSN: newDatabase(t)}
	conn := connect(t, cfg.DSN)
	if _, err := conn.Exec(t.Context(), `UPDATE issuer_schema SET version = 1000, oldest_program = 1000`); err != nil {
		t.Fatal(err)
	}
	if err := checkSchema(t.Context(), conn); !errors.Is(err, ErrNewerSchema) {
		t.Errorf("a newer schema: %v", err)
	}
	if _, err := Migrate(t.Context(), cfg, 0); !errors.Is(err, ErrNewerSchema) {
		t.Errorf("migrate a newer schema: %v", err)
	}
	if _, err := conn.Exec(t.Context(), `UPDATE issuer_schema SET version = 0, oldest_program = 0`); err != nil {
		t.Fatal(err)
	}
	if err := checkSchema(t.Context(), conn); !errors.Is(err, ErrOlderSchema) {
		t.Errorf("an older schema: %v", err)
	}
}

// Many programs may begin at once: the migrations run once.
func TestMigrateAtOnce(t *testing.T) {
	t.Parallel()
	cfg := Config{DSN: pgtest.Shared(t).Database(t)}
	var wg sync.WaitGroup
	applied := make([][]Migration, 4)
	for i := range applied {
		wg.Go(func() {
			var err error
			if applied[i], err = Migrate(t.Context(), cfg, 8); err != nil {
				t.Errorf("migrate: %v", err)
			}
		})
	}
	wg.Wait()
	total := 0
	for _, list := range applied {
		total += len(list)
	}
	if int64(total) != newestMigration() {
		t.Errorf("%d migrations were applied, of %d", total, newestMigration())
	}
	if n := one[int](t, connect(t, cfg.DSN), countPartitions); n != 8 {
		t.Errorf("there are %d partitions", n)
	}
}

// Partitioned, the table of sessions has the same columns and indexes.
func TestPartitions(t *testing.T) {
	t.Parallel()
	plain := connect(t, newDatabase(t))
	cfg := Config{DSN: pgtest.Shared(t).Database(t)}
	for _, n := range []int{-1, 3, 1 << 11} {
		if _, err := Migrate(t.Context(), cfg, n); !errors.Is(err, ErrPartitions) {
			t.Errorf("%d partitions: %v", n, err)
		}
	}
	if _, err := Migrate(t.Context(), cfg, 4); err != nil {
		t.Fatal(err)
	}
	divided := connect(t, cfg.DSN)
	const columns = `SELECT string_agg(format('%s %s %s', attname, atttypid::regtype, attnotnull), E'\n' ORDER BY attname)
		FROM pg_attribute WHERE attrelid = 'sessions'::regclass AND attnum > 0`
	const indexes = `SELECT string_agg(replace(indexdef, ' ON ONLY ', ' ON '), E'\n' ORDER BY indexname) FROM pg_indexes WHERE tablename = 'sessions'`
	for _, query := range []string{columns, indexes} {
		if got, want := one[string](t, divided, query), one[string](t, plain, query); got != want {
			t.Errorf("partitioned:\n%s\nplain:\n%s", got, want)
		}
	}
	for i := range 4 {
		options := one[string](t, divided, `SELECT reloptions::text FROM pg_class WHERE relname = $1`, fmt.Sprintf("sessions_%d", i))
		if options != "{fillfactor=80}" {
			t.Errorf("partition %d: %s", i, options)
		}
	}
	if _, err := Migrate(t.Context(), cfg, 4); err != nil {
		t.Errorf("again: %v", err)
	}
	if _, err := Migrate(t.Context(), cfg, 0); err != nil {
		t.Errorf("without: %v", err)
	}
	if _, err := Migrate(t.Context(), cfg, 8); !errors.Is(err, ErrPartitions) {
		t.Errorf("other partitions: %v", err)
	}
}
