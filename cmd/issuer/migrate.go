package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"issuer.example/cmd/issuer/internal/config"
	"issuer.example/cmd/issuer/internal/server"
	"issuer.example/internal/keyfile"
	"issuer.example/store/postgres"
)

// migration is what the commands for the tables of a database share.
type migration struct {
	app     *app
	dsnFile string // --dsn-file
}

// migrateCommand makes the tables of a database, and brings them up to date.
func (a *app) migrateCommand() *cobra.Command {
	m := &migration{app: a}
	cmd := group("migrate", "The tables of the database (store.driver: postgres)", m.up(), m.status())
	cmd.PersistentFlags().StringVar(&m.dsnFile, "dsn-file", "", "file with the DSN of the role that owns the tables; else store.listen_dsn or store.dsn is used")
	return cmd
}

func (m *migration) up() *cobra.Command {
	a := m.app
	var partitions int
	cmd := &cobra.Command{
		Use:   "up",
		Short: "Make the tables or bring them up to date; older issuers may serve meanwhile",
		Args:  exactArgs(0),
		RunE: a.action(func(ctx context.Context, _ []string) error {
			c, err := m.config()
			if err != nil {
				return err
			}
			applied, err := postgres.Migrate(ctx, c, partitions)
			for _, done := range applied {
				fmt.Fprintln(a.stdout, "applied", done.Name)
			}
			if err == nil && len(applied) == 0 {
				fmt.Fprintln(a.stdout, "the tables are up to date")
			}
			return err
		}),
	}
	cmd.Flags().IntVar(&partitions, "partitions", 0, "into how many parts, a power of two, to divide the table of sessions while it is empty; 0 leaves it as it is")
	return cmd
}

func (m *migration) status() *cobra.Command {
	a := m.app
	return &cobra.Command{
		Use:   "status",
		Short: "List the migrations, and which of them the database has",
		Args:  exactArgs(0),
		RunE: a.action(func(ctx context.Context, _ []string) error {
			c, err := m.config()
			if err != nil {
				return err
			}
			list, err := postgres.MigrationStatus(ctx, c)
			if err != nil {
				return err
			}
			rows := newTable("MIGRATION", "APPLIED")
			for _, step := range list {
				rows.add(step.Name, formatTime(step.AppliedAt))
			}
			return rows.print(a.stdout)
		}),
	}
}

// maxDSN bounds a file with a DSN, in bytes.
const maxDSN = 8192

// config returns what leads to the database.
func (m *migration) config() (postgres.Config, error) {
	c, err := m.app.loadConfig(false)
	if err != nil {
		return postgres.Config{}, err
	}
	if m.dsnFile != "" {
		text, err := keyfile.Read(m.dsnFile, maxDSN+1)
		return postgres.Config{DSN: strings.TrimSpace(string(text))}, err
	}
	if c.Store.Driver != config.DriverPostgres {
		return postgres.Config{}, errors.New("only a database (store.driver: postgres) has tables to migrate; a data file is upgraded when it is opened")
	}
	return server.PostgresConfig(c.Store), nil
}
