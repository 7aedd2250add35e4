package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"issuer.example/client"
	"issuer.example/cmd/issuer/internal/adminapi"
	"issuer.example/cmd/issuer/internal/config"
)

// Variables of the commands that call a running issuer.
const (
	variableURL     = "ISSUER_ADMIN_URL"
	variableKey     = "ISSUER_ADMIN_KEY"
	variableKeyFile = "ISSUER_ADMIN_KEY_FILE"
	variableListen  = "ISSUER_ADMIN_LISTEN"
)

// remote is what the commands that call a running issuer have in common.
type remote struct {
	app     *app
	url     string
	keyFile string
	asJSON  bool
	assumed bool // nothing has said where the issuer is: the default address is called
}

// flags adds the flags to a command and what is beneath it.
func (r *remote) flags(cmd *cobra.Command) *cobra.Command {
	flags := cmd.PersistentFlags()
	flags.StringVar(&r.url, "admin", "", "URL of the admin listener (or "+variableURL+"; else admin.listen of the configuration)")
	flags.StringVar(&r.keyFile, "key-file", "", "file with a service key of scope admin (or "+variableKeyFile+", or the key in "+variableKey+")")
	return cmd
}

func (r *remote) jsonFlag(cmd *cobra.Command) *cobra.Command {
	cmd.PersistentFlags().BoolVar(&r.asJSON, "json", false, "print the issuer's JSON")
	return cmd
}

// client is a client of the issuer that flags, environment and configuration name, in
// this order.
func (r *remote) client() (*adminapi.Client, error) {
	base := r.url
	if base == "" {
		base = r.app.variable(variableURL)
	}
	cfg, err := r.app.settings(false)
	if err != nil && base == "" {
		return nil, err
	}
	if base == "" {
		base = "http://" + dialable(cfg.Admin.Listen)
		r.assumed = r.app.nothingSays(variableListen)
	}
	key, err := r.key(cfg)
	if err != nil {
		return nil, err
	}
	return adminapi.New(base, key)
}

// nothingSays reports whether neither a configuration file nor the variable sets a key.
func (a *app) nothingSays(variable string) bool {
	_, err := os.Stat(a.configPath)
	return errors.Is(err, fs.ErrNotExist) && a.variable(variable) == ""
}

// own says that the address was assumed, if it was: with the error, or after a success.
func (r *remote) own(err error) error {
	if !r.assumed {
		return err
	}
	note := fmt.Sprintf("there is no %s, so this was the issuer at the default address; --config, --admin or %s name another",
		r.app.configPath, variableURL)
	if err != nil {
		return fmt.Errorf("%w (%s)", err, note)
	}
	fmt.Fprintf(r.app.stderr, "issuer: %s\n", note)
	return nil
}

// dialable is an address to call for an address that is listened on.
func dialable(listen string) string {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return listen
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port)
}

// key is the admin key. It is never an argument: arguments are everyone's to read. Last
// comes the key that `serve --dev` made.
func (r *remote) key(cfg *config.Config) (string, error) {
	if r.keyFile != "" {
		return readServiceKey(r.keyFile)
	}
	if text := r.app.variable(variableKey); text != "" {
		key, err := client.ParseKey(strings.TrimSpace(text))
		if err != nil {
			return "", fmt.Errorf("%s: %w", variableKey, err)
		}
		return key, nil
	}
	if path := r.app.variable(variableKeyFile); path != "" {
		return readServiceKey(path)
	}
	missing := errors.New("no admin key: give --key-file, " + variableKeyFile + " or " + variableKey)
	if cfg == nil {
		return "", missing
	}
	key, err := readServiceKey(filepath.Join(devFolder(cfg), devAdminKey))
	if errors.Is(err, fs.ErrNotExist) {
		return "", missing
	}
	return key, err
}

// call calls the issuer and prints its JSON, if that was asked for; then there is nothing
// left to show.
func (r *remote) call(ctx context.Context, method, path string, body, into any) (shown bool, err error) {
	client, err := r.client()
	if err != nil {
		return false, err
	}
	text, err := client.Call(ctx, method, path, body)
	if err := r.own(err); err != nil {
		return false, err
	}
	if r.asJSON && len(text) > 0 {
		_, err := fmt.Fprintf(r.app.stdout, "%s\n", text)
		return true, err
	}
	if into == nil || len(text) == 0 {
		return false, nil
	}
	if err := json.Unmarshal(text, into); err != nil {
		return false, fmt.Errorf("reading the answer: %w", err)
	}
	return false, nil
}
