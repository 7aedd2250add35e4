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

	configPath string
	explicit   bool // --config was given
	started    bool // arguments were right; from here an error is a failure, not wrong usage
}

// root is the tree of commands.
func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:               "issuer",
		Short:             "A session service: short-lived access tokens, rotating refresh tokens, revocation that works",
		SilenceErrors:     true,
		SilenceUsage:      true,
		Args:              cobra.NoArgs,
		RunE:              chooseOne,
		CompletionOptions: cobra.CompletionOptions{HiddenDefaultCmd: true},
	}
	root.SetOut(a.stdout)
	root.SetErr(a.stderr)
	flags := root.PersistentFlags()
	flags.StringVar(&a.configPath, "config", defaultConfig, "the configuration file")
	root.PersistentPreRun = func(*cobra.Command, []string) { a.explicit = flags.Changed("config") }
	root.AddCommand(
		a.serveCommand(), a.checkCommand(), a.keysCommand(), a.sessionCommand(),
		a.serviceKeyCommand(), a.secretCommand(), a.backupCommand(), a.compactCommand(), a.versionCommand(),
	)
	return root
}

// group is a command that only holds others.
func group(use, short string, commands ...*cobra.Command) *cobra.Command {
	cmd := &cobra.Command{Use: use, Short: short, Args: cobra.NoArgs, RunE: chooseOne}
	cmd.AddCommand(commands...)
	return cmd
}

// chooseOne refuses a group that was called by itself.
func chooseOne(cmd *cobra.Command, _ []string) error {
	var names []string
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() {
			names = append(names, c.Name())
		}
	}
	return errors.New("which of " + cmd.CommandPath() + " " + strings.Join(names, " | ") + "?")
}

// exactly asks for n arguments, and says how the command is called when there are others.
func exactly(n int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) != n {
			return errors.New("usage: " + cmd.UseLine())
		}
		return nil
	}
}

// does wraps the work of a command: whatever it returns is a failure, while errors from
// before it are wrong usage.
func (a *app) does(work func(ctx context.Context, args []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		a.started = true
		return work(cmd.Context(), args)
	}
}

// settings reads the configuration. Without --config it may be missing: the environment
// can set everything.
func (a *app) settings(prepared bool) (*config.Config, error) {
	return config.Load(config.Source{
		Path: a.configPath, Optional: !a.explicit, Environ: a.environ, Prepared: prepared,
	})
}

// variable is the value of an environment variable, "" when it is not set.
func (a *app) variable(name string) string {
	value := ""
	for _, entry := range a.environ {
		if key, v, ok := strings.Cut(entry, "="); ok && key == name {
			value = v
		}
	}
	return value
}

// oneLine makes a message of several lines into one.
func oneLine(text string) string {
	return strings.ReplaceAll(strings.TrimSpace(text), "\n", "; ")
}
