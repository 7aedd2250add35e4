package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"issuer.example/client"
	"issuer.example/cmd/issuer/internal/config"
	"issuer.example/secret"
)

// checkCommand reports every fault of the configuration.
func (a *app) checkCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "check",
		Short: "Report every fault of the configuration at once",
		Args:  exactly(0),
		RunE: a.does(func(context.Context, []string) error {
			if _, err := a.settings(true); err != nil {
				return err
			}
			fmt.Fprintln(a.stdout, "ok")
			return nil
		}),
	}
}

// serviceKeyCommand makes service keys. Nothing but the screen ever holds the key.
func (a *app) serviceKeyCommand() *cobra.Command {
	var (
		name   string
		scopes []string
		asJSON bool
	)
	create := &cobra.Command{
		Use:   "new --name NAME --scopes SCOPE,...",
		Short: "Print a new service key, once, and its line for config.yaml",
		Args: func(cmd *cobra.Command, args []string) error {
			if err := exactly(0)(cmd, args); err != nil {
				return err
			}
			return config.CheckServiceKey(name, scopes)
		},
	}
	create.RunE = a.does(func(context.Context, []string) error {
		key := client.GenerateKey()
		line := config.ServiceKey{Name: name, SHA256: client.HashKey(key).String(), Scopes: scopes}
		if asJSON {
			return json.NewEncoder(a.stdout).Encode(map[string]any{
				"key": key, "name": line.Name, "sha256": line.SHA256, "scopes": line.Scopes,
			})
		}
		fmt.Fprintf(a.stdout, "The key, shown only now:\n\n    %s\n\nIts line under service_keys in config.yaml:\n\n", key)
		fmt.Fprintf(a.stdout, "    - {name: %s, sha256: %q, scopes: [%s]}\n", line.Name, line.SHA256, strings.Join(line.Scopes, ", "))
		return nil
	})
	flags := create.Flags()
	flags.StringVar(&name, "name", "", "what the key is called in logs")
	flags.StringSliceVar(&scopes, "scopes", nil, "what it may do: "+client.ScopeNames())
	flags.BoolVar(&asJSON, "json", false, "print one JSON object")
	return group("service-key", "Keys of the services that call the issuer", create)
}

// secretCommand makes key-encryption secrets.
func (a *app) secretCommand() *cobra.Command {
	return group("secret", "Key-encryption secrets", &cobra.Command{
		Use:   "new PATH",
		Short: "Write a new secret to a file that must not exist yet",
		Args:  exactly(1),
		RunE: a.does(func(_ context.Context, args []string) error {
			err := writePrivate(args[0], secret.Generate())
			if errors.Is(err, fs.ErrExist) {
				return fmt.Errorf("%s exists already: a secret that is overwritten is lost, and all that it sealed with it", args[0])
			}
			if err != nil {
				return err
			}
			fmt.Fprintf(a.stdout, "wrote %s\n", args[0])
			return nil
		}),
	})
}

// versionCommand says what this binary was built from.
func (a *app) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version, the revision and the Go release of this binary",
		Args:  exactly(0),
		RunE: a.does(func(context.Context, []string) error {
			info, ok := debug.ReadBuildInfo()
			if !ok {
				return errors.New("the binary holds no build information")
			}
			fmt.Fprintln(a.stdout, describe(info))
			return nil
		}),
	}
}

// describe is the build on one line: "issuer v1.2.3 (4f5e6d7, 2026-01-02T03:04:05Z), go1.26.0".
func describe(info *debug.BuildInfo) string {
	setting := func(key string) string {
		i := slices.IndexFunc(info.Settings, func(s debug.BuildSetting) bool { return s.Key == key })
		if i < 0 {
			return ""
		}
		return info.Settings[i].Value
	}
	var from []string
	if rev := setting("vcs.revision"); rev != "" {
		from = append(from, rev[:min(len(rev), 12)])
	}
	if at := setting("vcs.time"); at != "" {
		from = append(from, at)
	}
	if setting("vcs.modified") == "true" {
		from = append(from, "modified")
	}
	text := filepath.Base(os.Args[0]) + " " + info.Main.Version
	if len(from) > 0 {
		text += " (" + strings.Join(from, ", ") + ")"
	}
	return text + ", " + info.GoVersion
}
