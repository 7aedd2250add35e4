package main

import (
	"context"
	"errors"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"issuer.example/cmd/issuer/internal/config"
)

// defaultConfig is the file that is read when --config names none.
const defaultConfig = "config.yaml"

// app is one run of the program, from its arguments to its exit code.
type app struct {
	environ        []string
	stdout, stderr io.Writer

	configPath   string
	fileRequired bool // the configuration file must exist: --config was given, or the server has started with it
	started      bool // the arguments were valid: an error from now on is a failure, not wrong usage
}

// root returns the tree of commands.
func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:               "issuer",
		Short:             "A session service: short-lived access tokens, rotating refresh tokens, revocation that works",
		SilenceErrors:     true,
		SilenceUsage:      true,
		Args:              cobra.NoArgs,
		RunE:              requireSubcommand,
		CompletionOptions: cobra.CompletionOptions{HiddenDefaultCmd: true},
	}
	root.SetOut(a.stdout)
	root.SetErr(a.stderr)
	flags := root.PersistentFlags()
	flags.StringVar(&a.configPath, "config", defaultConfig, "the configuration file")
	root.PersistentPreRun = func(*cobra.Command, []string) { a.fileRequired = flags.Changed("config") }
	root.AddCommand(
		a.serveCommand(), a.checkCommand(), a.healthCommand(), a.keysCommand(), a.sessionCommand(),
		a.serviceKeyCommand(), a.secretCommand(), a.reloadCommand(), a.backupCommand(), a.compactCommand(), a.migrateCommand(),
		a.migrateStoreCommand(), a.versionCommand(),
	)
	return root
}

// group returns a command that only holds other commands.
func group(use, short string, commands ...*cobra.Command) *cobra.Command {
	cmd := &cobra.Command{Use: use, Short: short, Args: cobra.NoArgs, RunE: requireSubcommand}
	cmd.AddCommand(commands...)
	return cmd
}

// requireSubcommand refuses a group that was called without one of its commands.
func requireSubcommand(cmd *cobra.Command, _ []string) error {
	var names []string
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() {
			names = append(names, c.Name())
		}
	}
	return errors.New("which of " + cmd.CommandPath() + " " + strings.Join(names, " | ") + "?")
}

// exactArgs requires n arguments. Unlike cobra's, its error shows the usage.
func exactArgs(n int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) != n {
			return errors.New("usage: " + cmd.UseLine())
		}
		return nil
	}
}

// action returns a RunE that calls work. Every error of work is a failure; errors from before
// it are wrong usage.
func (a *app) action(work func(ctx context.Context, args []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		a.started = true
		return work(cmd.Context(), args)
	}
}

// loadConfig reads the configuration. Without --config the file may be missing, because the
// environment can set everything. For serving, secrets and service keys must exist too.
func (a *app) loadConfig(forServing bool) (*config.Config, error) {
	return config.Load(a.source(forServing))
}

func (a *app) source(forServing bool) config.Source {
	return config.Source{Path: a.configPath, Optional: !a.fileRequired, Environ: a.environ, ForServing: forServing}
}

// variable returns the value of an environment variable, "" when it is not set.
func (a *app) variable(name string) string {
	value := ""
	for _, entry := range a.environ {
		if key, v, ok := strings.Cut(entry, "="); ok && key == name {
			value = v
		}
	}
	return value
}

// oneLine joins the lines of a message.
func oneLine(text string) string {
	return strings.ReplaceAll(strings.TrimSpace(text), "\n", "; ")
}
