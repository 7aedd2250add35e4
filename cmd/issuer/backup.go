package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
)

// backupCommand downloads a consistent copy of the store while the issuer runs.
func (a *app) backupCommand() *cobra.Command {
	var (
		out string
		c   = &adminCommand{app: a}
	)
	cmd := &cobra.Command{
		Use:   "backup --out FILE",
		Short: "Write a consistent copy of a running issuer's store to a new file",
		Args: func(cmd *cobra.Command, args []string) error {
			if out == "" {
				return errors.New("backup needs --out")
			}
			return exactArgs(0)(cmd, args)
		},
		RunE: a.action(func(ctx context.Context, _ []string) error {
			n, err := c.backup(ctx, out)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(a.stdout, "%s: %d bytes\n", out, n)
			return err
		}),
	}
	cmd.Flags().StringVar(&out, "out", "", "the file to write; it must not exist yet")
	return c.flags(cmd)
}

// backup downloads to a temporary file beside out, and gives it its name only when it is
// complete and on disk. It returns the size in bytes.
func (c *adminCommand) backup(ctx context.Context, out string) (n int64, err error) {
	api, err := c.client()
	if err != nil {
		return 0, err
	}
	if _, err := os.Lstat(out); err == nil {
		return 0, fmt.Errorf("%s exists already", out)
	}
	part, err := os.CreateTemp(filepath.Dir(out), filepath.Base(out)+".part-*") // mode 0600
	if err != nil {
		return 0, fmt.Errorf("writing the backup: %w", err)
	}
	defer func() { _ = os.Remove(part.Name()) }() // the link below keeps the content
	n, err = api.Download(ctx, "/admin/v1/backup", part)
	if err := c.explainAssumedAddress(err); err != nil {
		return 0, errors.Join(err, part.Close())
	}
	if err := errors.Join(part.Sync(), part.Close()); err != nil {
		return 0, fmt.Errorf("writing the backup: %w", err)
	}
	// A link, unlike a rename, never replaces a file.
	if err := os.Link(part.Name(), out); err != nil {
		return 0, fmt.Errorf("writing the backup: %w", err)
	}
	return n, syncFolder(filepath.Dir(out))
}

// syncFolder makes the names in a folder durable.
func syncFolder(path string) error {
	folder, err := os.Open(path) //nolint:gosec // the operator names the path
	if err != nil {
		return fmt.Errorf("syncing the folder: %w", err)
	}
	if err := errors.Join(folder.Sync(), folder.Close()); err != nil {
		return fmt.Errorf("syncing the folder: %w", err)
	}
	return nil
}
