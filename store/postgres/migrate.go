package postgres

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

// The migrations only go forward, and older issuers serve while they run. So each of them
// keeps what the programs before it use, adds columns that can be null or have a default, and
// sets the version in issuer_schema. One that would hold a lock for long, such as an index on
// a large table, is without a transaction (-- +goose NO TRANSACTION) and concurrent. The table
// sessions can be partitioned: see partition.
//
//go:embed migrations/*.sql
var migrations embed.FS

const (
	migrationsFolder = "migrations"
	migrationsTable  = "issuer_migrations" // of goose

	// migrationLock is the advisory lock that one migration at a time has: "issuer" in ASCII.
	migrationLock = 0x697373756572

	// lockTries is how often, a second apart, the advisory lock is tried.
	lockTries = 600

	// ddlTries is how often a migration is tried that could not get its locks on tables.
	ddlTries = 20
)

// The settings of a connection that migrates. A statement that waits for a lock on a table
// holds up the issuers that come after it, so it does not wait for long.
const migrationSettings = `SET statement_timeout = 0; SET lock_timeout = '1s'; SET idle_in_transaction_session_timeout = 0`

// Migration is one step of the schema.
type Migration struct {
	Version   int64
	Name      string    // of the file
	AppliedAt time.Time // zero: not yet
}

// Migrate makes the tables, or brings them up to date, and returns the migrations that it has
// applied. Other programs may do the same at once, and issuers may serve. It uses
// [Config.ListenDSN] if there is one, because its lock belongs to a session.
//
// Partitions, if not 0, is into how many hash partitions, a power of two, the table of
// sessions is divided: [ErrPartitions] if that is too late, because it has sessions.
//
// [ErrOtherDatabase] if the tables are of another program, [ErrNewerSchema] if they are of an
// issuer that this one can't work with. With an error, what was applied before it is returned too.
func Migrate(ctx context.Context, cfg Config, partitions int) ([]Migration, error) {
	if err := checkPartitions(partitions); err != nil {
		return nil, err
	}
	db, conn, err := openMigration(ctx, cfg)
	if err != nil {
		return nil, err
	}
	defer func() { _ = db.Close() }()
	defer closeConn(ctx, conn)
	switch err := checkSchema(ctx, conn); {
	case errors.Is(err, ErrNoSchema), errors.Is(err, ErrOlderSchema), err == nil:
	default:
		return nil, wrap(err)
	}
	provider, err := newProvider(db)
	if err != nil {
		return nil, err
	}
	applied, err := migrateUp(ctx, provider)
	if err == nil && partitions > 0 {
		err = partition(ctx, conn, partitions)
	}
	return applied, explainMigration(err)
}

// explainMigration says what to do when the role may not migrate.
func explainMigration(err error) error {
	if refusal, ok := errors.AsType[*pgconn.PgError](err); ok && refusal.Code == "42501" { // insufficient_privilege
		return problemf(err, "the role may not make or change the tables (%s): migrate as the role that owns them, with --dsn-file", refusal.Message)
	}
	return err
}

func migrateUp(ctx context.Context, provider *goose.Provider) (applied []Migration, err error) {
	for try := 1; ; try++ {
		results, err := provider.Up(ctx)
		var partial *goose.PartialError
		if errors.As(err, &partial) {
			results = partial.Applied
		}
		for _, r := range results {
			applied = append(applied, Migration{
				Version: r.Source.Version, Name: path.Base(r.Source.Path), AppliedAt: time.Now().UTC(),
			})
		}
		if err == nil {
			return applied, nil
		}
		if sqlState(err) != "55P03" || try == ddlTries { // a lock timeout
			return applied, fmt.Errorf("postgres: migrating: %w", wrap(err))
		}
		sleep(ctx, time.Second)
	}
}

// MigrationStatus returns all migrations of this program, and which of them the database has.
// It changes nothing. [ErrOtherDatabase] if the tables are of another program.
func MigrationStatus(ctx context.Context, cfg Config) ([]Migration, error) {
	db, conn, err := openMigration(ctx, cfg)
	if err != nil {
		return nil, err
	}
	defer func() { _ = db.Close() }()
	defer closeConn(ctx, conn)
	switch err := checkSchema(ctx, conn); {
	case errors.Is(err, ErrNoSchema):
		return pendingMigrations(), nil
	case errors.Is(err, ErrOlderSchema), errors.Is(err, ErrNewerSchema), err == nil:
	default:
		return nil, wrap(err)
	}
	provider, err := newProvider(db)
	if err != nil {
		return nil, err
	}
	status, err := provider.Status(ctx)
	if err != nil {
		return nil, fmt.Errorf("postgres: %w", wrap(err))
	}
	list := make([]Migration, len(status))
	for i, s := range status {
		list[i] = Migration{Version: s.Source.Version, Name: path.Base(s.Source.Path), AppliedAt: s.AppliedAt}
	}
	return list, nil
}

// pendingMigrations are those of an empty database.
func pendingMigrations() (list []Migration) {
	for _, name := range migrationNames() {
		if n, err := goose.NumericComponent(name); err == nil {
			list = append(list, Migration{Version: n, Name: path.Base(name)})
		}
	}
	return list
}

func newProvider(db *sql.DB) (*goose.Provider, error) {
	files, err := fs.Sub(migrations, migrationsFolder)
	if err != nil {
		return nil, err
	}
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockID(migrationLock), lock.WithLockTimeout(1, lockTries))
	if err != nil {
		return nil, err
	}
	return goose.NewProvider(goose.DialectPostgres, db, files,
		goose.WithTableName(migrationsTable), goose.WithSessionLocker(locker), goose.WithDisableGlobalRegistry(true))
}

// openMigration opens the database for goose, and a connection of our own.
func openMigration(ctx context.Context, cfg Config) (*sql.DB, *pgx.Conn, error) {
	cfg = cfg.withDefaults()
	conn, err := connectSession(ctx, cfg)
	if err != nil {
		return nil, nil, explainConnect(err)
	}
	if err := checkServer(ctx, conn); err != nil {
		_ = conn.Close(ctx)
		return nil, nil, explainCheck(err)
	}
	if _, err := conn.Exec(ctx, migrationSettings); err != nil {
		_ = conn.Close(ctx)
		return nil, nil, wrap(err)
	}
	c, err := sessionConfig(cfg)
	if err != nil {
		_ = conn.Close(ctx)
		return nil, nil, err
	}
	db := stdlib.OpenDB(*c, stdlib.OptionBeforeConnect(cfg.readPassword),
		stdlib.OptionAfterConnect(func(ctx context.Context, conn *pgx.Conn) error {
			_, err := conn.Exec(ctx, migrationSettings)
			return err
		}))
	return db, conn, nil
}
