package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"issuer.example/cmd/issuer/internal/config"
	"issuer.example/store/bolt"
)

// checkCommand reports every fault of the configuration.
func (a *app) checkCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "check",
		Short: "Report every fault of the configuration at once",
		Args:  exactArgs(0),
		RunE: a.action(func(context.Context, []string) error {
			c, err := config.Load(a.checkedSource())
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
// prints what a start would change.
func (a *app) checkedSource() config.Source {
	src := a.source(true)
	src.DataProblem = func(s config.Store) (string, error) {
		repairs, err := bolt.CheckPath(s.Path)
		for _, repair := range repairs {
			fmt.Fprintf(a.stdout, "note: store.path: the start will change a mode: %s\n", repair)
		}
		return "store.path", err
	}
	return src
}
