package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"issuer.example/cmd/issuer/internal/config"
	"issuer.example/cmd/issuer/internal/server"
	"issuer.example/store/postgres"
)

// migrateCommand makes the tables of a database, and brings them up to date.
func (a *app) migrateCommand() *cobra.Command {
	return group("migrate", "The tables of the database (store.driver: postgres)", a.migrateUp(), a.migrateStatus())
}

func (a *app) migrateUp() *cobra.Command {
	var partitions int
	cmd := &cobra.Command{
		Use:   "up",
		Short: "Make the tables or bring them up to date; older issuers may serve meanwhile",
		Args:  exactArgs(0),
		RunE: a.action(func(ctx context.Context, _ []string) error {
			c, err := a.databaseConfig()
			if err != nil {
				return err
			}
			applied, err := postgres.Migrate(ctx, c, partitions)
			for _, m := range applied {
				fmt.Fprintln(a.stdout, "applied", m.Name)
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

func (a *app) migrateStatus() *cobra.Command {
	return &cobra.Command{
		Use:   "status",
		Short: "List the migrations, and which of them the database has",
		Args:  exactArgs(0),
		RunE: a.action(func(ctx context.Context, _ []string) error {
			c, err := a.databaseConfig()
			if err != nil {
				return err
			}
			list, err := postgres.MigrationStatus(ctx, c)
			if err != nil {
				return err
			}
			rows := newTable("MIGRATION", "APPLIED")
			for _, m := range list {
				rows.add(m.Name, formatTime(m.AppliedAt))
			}
			return rows.print(a.stdout)
		}),
	}
}

// databaseConfig reads the settings of the database.
func (a *app) databaseConfig() (postgres.Config, error) {
	c, err := a.loadConfig(false)
	if err != nil {
		return postgres.Config{}, err
	}
	if c.Store.Driver != config.DriverPostgres {
		return postgres.Config{}, errors.New("only a database (store.driver: postgres) has tables to migrate; a data file is upgraded when it is opened")
	}
	return server.PostgresConfig(c.Store), nil
}
