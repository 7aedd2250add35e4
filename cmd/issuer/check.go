package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"issuer.example/cmd/issuer/internal/config"
	"issuer.example/cmd/issuer/internal/server"
	"issuer.example/store/bolt"
	"issuer.example/store/postgres"
)

// checkCommand reports every fault of the configuration.
func (a *app) checkCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "check",
		Short: "Report every fault of the configuration at once",
		Args:  exactArgs(0),
		RunE: a.action(func(ctx context.Context, _ []string) error {
			c, err := config.Load(a.checkedSource(ctx))
			if err != nil {
				return err
			}
			for _, advice := range c.Advice() {
				fmt.Fprintln(a.stdout, "advice:", advice)
			}
			fmt.Fprintln(a.stdout, "ok")
			return nil
		}),
	}
}

// checkedSource is where the configuration comes from when all that a start needs is checked. It
// prints what a start would change, and what would be better otherwise.
func (a *app) checkedSource(ctx context.Context) config.Source {
	src := a.source(true)
	src.DataProblem = func(s config.Store) (string, error) {
		if s.Driver == config.DriverPostgres {
			return a.checkDatabase(ctx, s)
		}
		repairs, err := bolt.CheckPath(s.Path)
		for _, repair := range repairs {
			fmt.Fprintf(a.stdout, "note: store.path: the start will change a mode: %s\n", repair)
		}
		return "store.path", err
	}
	return src
}

// checkDatabase checks the database as a start does.
func (a *app) checkDatabase(ctx context.Context, s config.Store) (key string, err error) {
	notes, err := postgres.Check(ctx, server.PostgresConfig(s))
	for _, note := range notes {
		fmt.Fprintln(a.stdout, "note: store.dsn:", note)
	}
	switch {
	case errors.Is(err, postgres.ErrPasswordFile):
		return "store.password_file", err
	case errors.Is(err, postgres.ErrListenDSN):
		return "store.listen_dsn", err
	}
	return "store.dsn", err
}
