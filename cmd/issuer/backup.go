package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"issuer.example/cmd/issuer/internal/adminapi"
	"issuer.example/cmd/issuer/internal/logging"
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
			if out == standardOutput {
				return c.streamBackup(ctx)
			}
			n, err := c.backup(ctx, out)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(a.stdout, "%s: %d bytes\n", out, n)
			return err
		}),
	}
	cmd.Flags().StringVar(&out, "out", "", "the file to write, which must not exist yet; - is standard output")
	return c.flags(cmd)
}

// standardOutput is the file name that stands for standard output.
const standardOutput = "-"

// streamBackup downloads to standard output, and prints the size on standard error. A copy that
// ends early is an error, after which what was written is of no use.
func (c *adminCommand) streamBackup(ctx context.Context) error {
	if f, ok := c.app.stdout.(*os.File); ok && logging.IsTerminal(f) {
		return errors.New("a backup is not text, and standard output is a terminal: redirect it, or name a file with --out")
	}
	api, err := c.client()
	if err != nil {
		return err
	}
	n, err := api.Download(ctx, "/admin/v1/backup", c.app.stdout)
	if err := c.explainAssumedAddress(err); err != nil {
		if n > 0 {
			return fmt.Errorf("the backup is incomplete after %d bytes; discard it: %w", n, err)
		}
		return err
	}
	_, err = fmt.Fprintf(c.app.stderr, "standard output: %d bytes\n", n)
	return err
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
	n, err = c.downloadTo(ctx, api, part)
	if err != nil {
		return 0, errors.Join(err, os.Remove(part.Name()))
	}
	if err := giveName(part.Name(), out); err != nil {
		return 0, fmt.Errorf("the backup is complete, but could not get its name, and is in %s: %w", part.Name(), err)
	}
	return n, syncFolder(filepath.Dir(out))
}

// downloadTo downloads a copy to a file, and closes the file when the copy is on disk.
func (c *adminCommand) downloadTo(ctx context.Context, api *adminapi.Client, part *os.File) (int64, error) {
	n, err := api.Download(ctx, "/admin/v1/backup", part)
	if err := c.explainAssumedAddress(err); err != nil {
		return 0, errors.Join(err, part.Close())
	}
	if err := errors.Join(part.Sync(), part.Close()); err != nil {
		return 0, fmt.Errorf("writing the backup: %w", err)
	}
	return n, nil
}

// giveName moves a file to a name that no file has.
func giveName(from, to string) error {
	// A link, unlike a rename, never replaces a file.
	err := os.Link(from, to)
	if err == nil {
		return os.Remove(from)
	}
	if errors.Is(err, fs.ErrExist) {
		return err
	}
	// There are file systems without hard links. An empty file reserves the name, and the rename
	// replaces that.
	reserved, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) //nolint:gosec // the operator names the path
	if err != nil {
		return err
	}
	if err := errors.Join(reserved.Close(), os.Rename(from, to)); err != nil {
		return errors.Join(err, os.Remove(to))
	}
	return nil
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
