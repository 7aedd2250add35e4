package main

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"time"

	"github.com/spf13/cobra"

	"issuer.example/cmd/issuer/internal/config"
	"issuer.example/cmd/issuer/internal/process"
	"issuer.example/cmd/issuer/internal/server"
)

// serveCommand runs the server.
func (a *app) serveCommand() *cobra.Command {
	var dev bool
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run the server until SIGTERM or SIGINT",
		Args:  exactArgs(0),
		RunE:  a.action(func(ctx context.Context, _ []string) error { return a.serve(ctx, dev) }),
	}
	cmd.Flags().BoolVar(&dev, "dev", false, "create what is missing (folder, secret, keys) and print how to call it; for this machine only")
	return cmd
}

// serve runs the server until ctx ends.
func (a *app) serve(ctx context.Context, dev bool) error {
	process.Harden()
	a.setGCPercent()
	c, err := a.loadConfig(!dev)
	if err != nil {
		return err
	}
	log, err := newLogger(a.stderr, c.Log.Level)
	if err != nil {
		return err
	}
	if _, err := os.Stat(a.configPath); errors.Is(err, fs.ErrNotExist) {
		log.Info("there is no configuration file: only defaults and environment are used", "path", a.configPath)
	}
	warn(log, c, dev, time.Now(), buildTime())
	if dev {
		return a.serveDev(ctx, c, log)
	}
	srv, err := server.Open(ctx, server.Config{Settings: c, Logger: log})
	if err != nil {
		return err
	}
	return srv.Run(ctx)
}

// serveDev creates what a first start lacks, prints how to call the server and runs it until
// ctx ends.
func (a *app) serveDev(ctx context.Context, c *config.Config, log *slog.Logger) error {
	keys, err := prepareDev(c, log)
	if err != nil {
		return err
	}
	srv, err := server.Open(ctx, server.Config{Settings: c, Logger: log})
	if err != nil {
		return err
	}
	base := devURL(c.Issuer, srv.PublicAddr())
	if base != c.Issuer {
		log.Warn("--dev: the issuer is not at its own URL; unless a proxy is there, set ISSUER_ISSUER", "issuer", c.Issuer, "at", base)
	}
	if err := keys.printWelcome(a.stdout, base); err != nil {
		log.Warn("the welcome could not be printed", "error", err)
	}
	return srv.Run(ctx)
}
