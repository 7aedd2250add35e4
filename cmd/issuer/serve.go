package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"time"

	"github.com/spf13/cobra"

	"issuer.example/cmd/issuer/internal/config"
	"issuer.example/cmd/issuer/internal/logging"
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

// flushGrace is how long the end of the program waits for the reader of the log.
const flushGrace = 400 * time.Millisecond

// serve runs the server until ctx ends.
func (a *app) serve(ctx context.Context, dev bool) error {
	process.Harden()
	a.setGCPercent()
	hangups := catchSignals()
	c, err := a.loadConfig(!dev)
	if err != nil {
		return err
	}
	out, err := logging.Open(a.stderr, c.Log.Level)
	if err != nil {
		return err
	}
	defer out.Close(flushGrace)
	if _, err := os.Stat(a.configPath); errors.Is(err, fs.ErrNotExist) {
		out.Logger.Info("there is no configuration file: only defaults and environment are used", "path", a.configPath)
	} else {
		a.fileRequired = true // a reload must not take a file that is being replaced for one without settings
	}
	warn(out.Logger, c, dev, time.Now(), buildTime())
	cfg := server.Config{
		Settings: c, Logger: out.Logger, LogDropped: out.Dropped, SetLogLevel: out.SetLevel,
		Load: func() (*config.Config, error) { return a.loadConfig(true) },
	}
	if dev {
		return a.serveDev(ctx, cfg, hangups)
	}
	srv, err := server.Open(ctx, cfg)
	if err != nil {
		return err
	}
	return runServer(ctx, srv, hangups)
}

// serveDev creates what a first start lacks, prints how to call the server and runs it until
// ctx ends.
func (a *app) serveDev(ctx context.Context, cfg server.Config, hangups <-chan os.Signal) error {
	c, log := cfg.Settings, cfg.Logger
	keys, err := prepareDev(c, log)
	if err != nil {
		return err
	}
	cfg.Load = func() (*config.Config, error) {
		read, err := a.loadConfig(false)
		if err == nil {
			_, err = prepareDev(read, log)
		}
		return read, err
	}
	if err := migrateDev(ctx, c, log); err != nil {
		return err
	}
	srv, err := server.Open(ctx, cfg)
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
	return runServer(ctx, srv, hangups)
}
