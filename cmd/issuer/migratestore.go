package main

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"issuer.example/cmd/issuer/internal/config"
	"issuer.example/cmd/issuer/internal/server"
	"issuer.example/store"
	"issuer.example/store/bolt"
	"issuer.example/store/move"
	"issuer.example/store/postgres"
)

// migrateStore is one run of the command that moves all that a store holds into another one.
type migrateStore struct {
	app          *app
	from, to     string
	passwordFile string
	skipDamaged  bool
	stopped      bool
}

func (a *app) migrateStoreCommand() *cobra.Command {
	m := &migrateStore{app: a}
	cmd := &cobra.Command{
		Use:   "migrate-store --from STORE --to STORE",
		Short: "Move all sessions, marks, facts and keys into a new store; issuers must be stopped",
		Long: `Move all sessions, marks, facts and keys into a new store, read it back and compare. Issuers must be stopped.

A STORE is a data file (data/issuer.db), the DSN of a PostgreSQL database (postgres://issuer@db.example.com/issuer),
or one of the words bolt and postgres: the store of that driver in the configuration, with its password.`,
		Args: func(cmd *cobra.Command, args []string) error {
			if m.from == "" || m.to == "" {
				return errors.New("migrate-store needs --from and --to")
			}
			return exactArgs(0)(cmd, args)
		},
		RunE: a.action(func(ctx context.Context, _ []string) error { return m.run(ctx) }),
	}
	flags := cmd.Flags()
	flags.StringVar(&m.from, "from", "", "the store to read, which stays as it is")
	flags.StringVar(&m.to, "to", "", "the store to fill: a file that does not exist, or a database after `issuer migrate up` that nothing has used")
	flags.StringVar(&m.passwordFile, "password-file", "", "the file with the password of a DSN")
	flags.BoolVar(&m.skipDamaged, "skip-damaged", false, "leave out sessions of a data file that cannot be read")
	flags.BoolVar(&m.stopped, "issuers-are-stopped", false, "take connections of issuers to the database for those that a pooler keeps")
	return cmd
}

func (m *migrateStore) run(ctx context.Context) error {
	if m.from == m.to {
		return errors.New("--from and --to are the same store")
	}
	export, err := m.source()
	if err != nil {
		return err
	}
	fill, err := m.target()
	if err != nil {
		return err
	}
	var copied store.Totals
	began := time.Now()
	err = fill(ctx, func(to store.Target) error {
		return export(ctx, func(from store.Archive) (err error) {
			copied, err = move.Copy(ctx, from, to, newProgress(m.app.stderr))
			return err
		})
	})
	if err != nil {
		return m.advise(err)
	}
	return m.report(copied, time.Since(began))
}

// source returns the function that reads the store of --from.
func (m *migrateStore) source() (func(context.Context, func(store.Archive) error) error, error) {
	at, err := m.place(m.from)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, fn func(store.Archive) error) error {
		if at.path != "" {
			return bolt.Export(ctx, at.path, m.skipDamaged, fn)
		}
		return postgres.Export(ctx, at.database, m.stopped, fn)
	}, nil
}

// target returns the function that fills the store of --to.
func (m *migrateStore) target() (func(context.Context, func(store.Target) error) error, error) {
	at, err := m.place(m.to)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, fn func(store.Target) error) error {
		if at.path != "" {
			return bolt.Import(ctx, at.path, fn)
		}
		return postgres.Import(ctx, at.database, fn)
	}, nil
}

// place is where a store is: a file, or a database.
type place struct {
	path     string
	database postgres.Config
}

// isDSN matches what is a DSN, or was to be one, and no path: a URL of any scheme, user:password@host, or key=value. An error
// about a path quotes it, and one about a DSN does not.
var isDSN = regexp.MustCompile(`^([A-Za-z][A-Za-z0-9+.-]+:/|[^/]+:.*@|[A-Za-z_]+ *= *\S)`)

func (m *migrateStore) place(name string) (place, error) {
	switch {
	case name == config.DriverBolt || name == config.DriverPostgres:
		return m.configured(name)
	case isDSN.MatchString(name):
		return place{database: postgres.Config{DSN: name, PasswordFile: m.passwordFile}}, nil
	}
	return place{path: name}, nil
}

// configured returns where the store of a driver is by the configuration.
func (m *migrateStore) configured(driver string) (place, error) {
	c, err := m.app.loadConfig(false)
	if err != nil {
		return place{}, err
	}
	if c.Store.Driver != driver {
		return place{}, fmt.Errorf("the configuration has the store of driver %s, not of %s; name the other one by its path or DSN", c.Store.Driver, driver)
	}
	if driver == config.DriverBolt {
		return place{path: c.Store.Path}, nil
	}
	return place{database: server.PostgresConfig(c.Store)}, nil
}

// advise adds what to do.
func (m *migrateStore) advise(err error) error {
	for known, advice := range map[error]string{
		bolt.ErrLocked:    "stop the issuer that uses it",
		bolt.ErrExists:    "a store is only moved into a new file: name another one with --to",
		postgres.ErrInUse: "if none runs and a pooler keeps these connections, add --issuers-are-stopped",
	} {
		if errors.Is(err, known) {
			return fmt.Errorf("%w: %s", err, advice)
		}
	}
	if errors.Is(err, bolt.ErrDamaged) && !m.skipDamaged {
		return fmt.Errorf("%w; sessions that cannot be read are left out with --skip-damaged: their users must sign in again", err)
	}
	return err
}

// report prints what was moved.
func (m *migrateStore) report(t store.Totals, took time.Duration) error {
	rows := newTable("MOVED", "COUNT")
	for _, row := range []struct {
		what string
		n    int64
	}{
		{"live sessions", t.Live},
		{"ended sessions", t.Ended},
		{"damaged sessions left out", t.Unreadable},
		{"marks", t.Marks},
		{"facts", int64(t.Fact + 1 - t.FirstFact)}, //nolint:gosec // numbers that are counted
	} {
		rows.add(row.what, strconv.FormatInt(row.n, 10))
	}
	if err := rows.print(m.app.stdout); err != nil {
		return err
	}
	_, err := fmt.Fprintf(m.app.stdout, "The copy was read back and is the same (%s). Never serve the old store again: what has been revoked since "+
		"would be valid there.\n", took.Round(time.Millisecond))
	return err
}
