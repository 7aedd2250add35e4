package main

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"runtime/debug"
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
		Short: "Run the server until it is told to stop",
		Args:  exactly(0),
		RunE:  a.does(func(ctx context.Context, _ []string) error { return a.serve(ctx, dev) }),
	}
	cmd.Flags().BoolVar(&dev, "dev", false, "make what is missing (folder, secret, keys) and print how to call it; for this machine only")
	return cmd
}

func (a *app) serve(ctx context.Context, dev bool) error {
	process.Harden()
	a.tuneMemory()
	settings, err := a.settings(!dev)
	if err != nil {
		return err
	}
	log, err := newLogger(a.stderr, settings.Log.Level)
	if err != nil {
		return err
	}
	if _, err := os.Stat(a.configPath); errors.Is(err, fs.ErrNotExist) {
		log.Info("there is no configuration file: defaults and environment hold", "path", a.configPath)
	}
	warn(log, settings, dev, time.Now(), buildTime())
	var made *devKeys
	if dev {
		if made, err = prepareDev(settings, log); err != nil {
			return err
		}
	}
	srv, err := server.Open(ctx, server.Config{Settings: settings, Logger: log})
	if err != nil {
		return err
	}
	if made != nil {
		if at := devURL(settings.Issuer, srv.PublicAddr()); at != settings.Issuer {
			log.Warn("--dev: the issuer is not at its own URL; unless a proxy is there, set ISSUER_ISSUER", "issuer", settings.Issuer, "at", at)
		}
		if err := made.introduce(a.stdout, settings, srv.PublicAddr()); err != nil {
			log.Warn("the introduction could not be printed", "error", err)
		}
	}
	return srv.Run(ctx)
}

// warn logs what is allowed and may still be a mistake.
func warn(log *slog.Logger, c *config.Config, dev bool, now, built time.Time) {
	if now.Before(built) {
		log.Warn("the clock is before the time that this program was built: tokens will be refused elsewhere",
			"now", now.UTC(), "built", built)
	}
	if !loopbackOnly(c.Admin.Listen) {
		log.Warn("the admin listener can be reached from other machines, in plain HTTP", "listen", c.Admin.Listen)
	}
	if dev && !loopbackOnly(c.Listen) {
		log.Warn("--dev, and the public listener can be reached from other machines", "listen", c.Listen)
	}
	for _, proxy := range c.TrustedProxies {
		if prefix, err := config.ParseProxy(proxy); err == nil && prefix.Bits() == 0 {
			log.Warn("trusted_proxies holds every address: whoever connects says which address and host they have", "block", proxy)
		}
	}
	if limit, ok := process.OpenFiles(); ok && limit < int64(c.Limits.Connections)+reservedFiles {
		log.Warn("limits.connections is more than the limit of open files allows",
			"connections", c.Limits.Connections, "open_files", limit)
	}
}

// reservedFiles is how many files the program has open besides connections.
const reservedFiles = 300

// buildTime is the time of the commit that the program was built from; zero when it
// was built without.
func buildTime() time.Time {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return time.Time{}
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.time" {
			if t, err := time.Parse(time.RFC3339, s.Value); err == nil {
				return t
			}
		}
	}
	return time.Time{}
}
