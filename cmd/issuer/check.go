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
			c, err := a.loadConfig(true)
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
