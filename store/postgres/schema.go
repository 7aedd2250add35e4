package postgres

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/jackc/pgx/v5"
	"github.com/pressly/goose/v3"
)

// Why a program can't use a database.
var (
	// ErrNoSchema is an empty database: it has to be migrated first.
	ErrNoSchema = errors.New("postgres: the database is empty; run `issuer migrate up`")
	// ErrOlderSchema is a database with tables of an older program: it has to be migrated first.
	ErrOlderSchema = errors.New("postgres: the tables are of an older issuer; run `issuer migrate up`")
	// ErrNewerSchema is a database with tables that this program is too old for.
	ErrNewerSchema = errors.New("postgres: the tables are of a newer issuer, which this one can't work with; use that one")
	// ErrOtherDatabase is a database that has tables, and not those of an issuer.
	ErrOtherDatabase = errors.New("postgres: the database belongs to another program; give issuer one of its own")
)

const (
	// findSchema tells whether there are tables of an issuer, and whether there are any others. Those of extensions, such
	// as the view of pg_stat_statements, belong to no program.
	findSchema = `
SELECT to_regclass('issuer_schema') IS NOT NULL, EXISTS (
	SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
	WHERE n.nspname = current_schema() AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND c.relname <> '` + migrationsTable + `'
		AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'))`

	readSchema = `SELECT version, oldest_program FROM issuer_schema`
)

// rowQuerier is a connection, a pool or a transaction.
type rowQuerier interface {
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

// checkSchema reports whether this program can work with the tables of a database:
// [ErrNoSchema], [ErrOlderSchema], [ErrNewerSchema] or [ErrOtherDatabase] if not.
func checkSchema(ctx context.Context, conn rowQuerier) error {
	var ours, others bool
	if err := conn.QueryRow(ctx, findSchema).Scan(&ours, &others); err != nil {
		return err
	}
	switch {
	case !ours && others:
		return ErrOtherDatabase
	case !ours:
		return ErrNoSchema
	}
	var version, oldest int64
	err := conn.QueryRow(ctx, readSchema).Scan(&version, &oldest)
	if errors.Is(err, pgx.ErrNoRows) || sqlState(err) == "42703" { // no such column
		return ErrOtherDatabase
	}
	if err != nil {
		return err
	}
	return compareSchema(version, oldest, newestMigration())
}

// compareSchema judges tables of a version by the newest migration of the program.
func compareSchema(version, oldest, program int64) error {
	switch {
	case version < program:
		return fmt.Errorf("%w (they have version %d, and this program needs %d)", ErrOlderSchema, version, program)
	case oldest > program:
		return fmt.Errorf("%w (they have version %d, and this program knows %d)", ErrNewerSchema, version, program)
	}
	return nil
}

// newestMigration is the number of the newest migration of this program.
func newestMigration() (newest int64) {
	for _, name := range migrationNames() {
		if n, err := goose.NumericComponent(name); err == nil {
			newest = max(newest, n)
		}
	}
	return newest
}

func migrationNames() []string {
	names, err := fs.Glob(migrations, migrationsFolder+"/*.sql")
	if err != nil {
		return nil // the pattern is right
	}
	return names
}
