package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"issuer.example/cmd/issuer/internal/config"
	"issuer.example/store/bolt"
)

// compactCommand rewrites the data file of a stopped issuer to drop its free pages.
func (a *app) compactCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "compact",
		Short: "Shrink the data file; the issuer must be stopped",
		Args:  exactArgs(0),
		RunE: a.action(func(ctx context.Context, _ []string) error {
			c, err := a.loadConfig(false)
			if err != nil {
				return err
			}
			if c.Store.Driver != config.DriverBolt {
				return errors.New("only a data file (store.driver: bolt) can be compacted; a database does it by itself (autovacuum)")
			}
			path := c.Store.Path
			before, err := os.Stat(path)
			if err != nil {
				return fmt.Errorf("compacting the store: %w", err)
			}
			if err := bolt.Compact(ctx, path); err != nil {
				return err
			}
			after, err := os.Stat(path)
			if err != nil {
				return fmt.Errorf("compacting the store: %w", err)
			}
			fmt.Fprintf(a.stdout, "%s: %d bytes, was %d\n", path, after.Size(), before.Size())
			return nil
		}),
	}
}
