package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"issuer.example/client"
	"issuer.example/cmd/issuer/internal/config"
)

// serviceKeyCommand creates service keys. The key is only printed; it is stored nowhere.
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
			if err := exactArgs(0)(cmd, args); err != nil {
				return err
			}
			return config.CheckServiceKey(name, scopes)
		},
	}
	create.RunE = a.action(func(context.Context, []string) error { return a.newServiceKey(name, scopes, asJSON) })
	flags := create.Flags()
	flags.StringVar(&name, "name", "", "what the key is called in logs")
	flags.StringSliceVar(&scopes, "scopes", nil, "what it may do: "+client.ScopeNames())
	flags.BoolVar(&asJSON, "json", false, "print one JSON object")
	return group("service-key", "Keys of the services that call the issuer", create)
}

// newServiceKey prints a new key and the entry of service_keys that lets it in.
func (a *app) newServiceKey(name string, scopes []string, asJSON bool) error {
	key := client.GenerateKey()
	entry := config.ServiceKey{Name: name, SHA256: client.HashKey(key).String(), Scopes: scopes}
	if asJSON {
		return json.NewEncoder(a.stdout).Encode(map[string]any{
			"key": key, "name": entry.Name, "sha256": entry.SHA256, "scopes": entry.Scopes,
		})
	}
	fmt.Fprintf(a.stdout, "The key, shown only now:\n\n    %s\n\nIts line under service_keys in config.yaml:\n\n", key)
	fmt.Fprintf(a.stdout, "    - {name: %s, sha256: %q, scopes: [%s]}\n", entry.Name, entry.SHA256, strings.Join(entry.Scopes, ", "))
	return nil
}
