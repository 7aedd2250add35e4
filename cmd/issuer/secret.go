package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/spf13/cobra"

	"issuer.example/secret"
)

// secretCommand creates key-encryption secrets.
func (a *app) secretCommand() *cobra.Command {
	return group("secret", "Key-encryption secrets", &cobra.Command{
		Use:   "new PATH",
		Short: "Write a new secret to a file that must not exist yet",
		Args:  exactArgs(1),
		RunE: a.action(func(_ context.Context, args []string) error {
			err := writePrivate(args[0], secret.Generate())
			if errors.Is(err, fs.ErrExist) {
				return fmt.Errorf("%s exists already: overwriting a secret would make everything that it sealed unreadable", args[0])
			}
			if err != nil {
				return err
			}
			fmt.Fprintf(a.stdout, "wrote %s\n", args[0])
			return nil
		}),
	})
}
