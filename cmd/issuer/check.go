package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"
)

// checkCommand reports every fault of the configuration.
func (a *app) checkCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "check",
		Short: "Report every fault of the configuration at once",
		Args:  exactArgs(0),
		RunE: a.action(func(context.Context, []string) error {
			if _, err := a.loadConfig(true); err != nil {
				return err
			}
			fmt.Fprintln(a.stdout, "ok")
			return nil
		}),
	}
}
