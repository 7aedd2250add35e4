package main

import (
	"cmp"
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

// Variables of the commands that call the admin API.
const (
	variableURL     = "ISSUER_ADMIN_URL"
	variableKey     = "ISSUER_ADMIN_KEY"
	variableKeyFile = "ISSUER_ADMIN_KEY_FILE"
	variableListen  = "ISSUER_ADMIN_LISTEN"
)

// adminCommand is what the commands that call the admin API of a running issuer share.
type adminCommand struct {
	app     *app
	url     string // --admin
	keyFile string // --key-file
	asJSON  bool   // --json
	assumed bool   // neither flag, environment nor file set the address: it is the default
}

// flags adds the flags that find the issuer to a command and its subcommands.
func (c *adminCommand) flags(cmd *cobra.Command) *cobra.Command {
	c.addressFlag(cmd)
	cmd.PersistentFlags().StringVar(&c.keyFile, "key-file", "", "file with a service key of scope admin (or "+variableKeyFile+", or the key in "+variableKey+")")
	return cmd
}

// addressFlag adds the flag that names the listener.
func (c *adminCommand) addressFlag(cmd *cobra.Command) {
	cmd.PersistentFlags().StringVar(&c.url, "admin", "", "URL of the admin listener (or "+variableURL+"; else admin.listen of the configuration)")
}

func (c *adminCommand) jsonFlag(cmd *cobra.Command) *cobra.Command {
	cmd.PersistentFlags().BoolVar(&c.asJSON, "json", false, "print the issuer's JSON")
	return cmd
}

// client returns a client of the issuer that the flags name, else the environment, else the
// configuration.
func (c *adminCommand) client() (*adminapi.Client, error) {
	base, cfg, err := c.address()
	if err != nil {
		return nil, err
	}
	key, err := c.key(cfg)
	if err != nil {
		return nil, err
	}
	return adminapi.New(base, key)
}

// address returns the URL of the admin listener, and the configuration, which is nil if it has a
// fault and the URL was given.
func (c *adminCommand) address() (base string, cfg *config.Config, err error) {
	base = cmp.Or(c.url, c.app.variable(variableURL))
	cfg, err = c.app.loadConfig(false)
	if base != "" {
		return base, cfg, nil
	}
	if err != nil {
		return "", nil, err
	}
	c.assumed = c.app.usesDefaultListen()
	return "http://" + dialable(cfg.Admin.Listen), cfg, nil
}

// usesDefaultListen reports whether nothing sets admin.listen: there is no configuration file
// and no variable.
func (a *app) usesDefaultListen() bool {
	_, err := os.Stat(a.configPath)
	return errors.Is(err, fs.ErrNotExist) && a.variable(variableListen) == ""
}

// explainAssumedAddress says that the default address was called, when that is so: as part of
// err, or on standard error after a success. It returns err.
func (c *adminCommand) explainAssumedAddress(err error) error {
	if !c.assumed {
		return err
	}
	note := fmt.Sprintf("there is no %s, so this was the issuer at the default address; --config, --admin or %s name another",
		c.app.configPath, variableURL)
	if err != nil {
		return fmt.Errorf("%w (%s)", err, note)
	}
	fmt.Fprintf(c.app.stderr, "issuer: %s\n", note)
	return nil
}

// dialable returns the address to call for an address that a listener has: a wildcard becomes
// this machine.
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

// key returns the admin key: of the flag, else of the environment, else the one that
// `serve --dev` made. A key is never an argument, because every user of the machine can read
// the arguments of a process. cfg may be nil.
func (c *adminCommand) key(cfg *config.Config) (string, error) {
	if c.keyFile != "" {
		return readServiceKey(c.keyFile)
	}
	if text := c.app.variable(variableKey); text != "" {
		key, err := client.ParseKey(strings.TrimSpace(text))
		if err != nil {
			return "", fmt.Errorf("%s: %w", variableKey, err)
		}
		return key, nil
	}
	if path := c.app.variable(variableKeyFile); path != "" {
		return readServiceKey(path)
	}
	return devAdminKeyOf(cfg)
}

// devAdminKeyOf returns the admin key that `serve --dev` made.
func devAdminKeyOf(cfg *config.Config) (string, error) {
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

// call sends a request and decodes the answer into `into`, which may be nil. With --json it
// prints the answer instead and returns true: nothing is left to print.
func (c *adminCommand) call(ctx context.Context, method, path string, body, into any) (printed bool, err error) {
	api, err := c.client()
	if err != nil {
		return false, err
	}
	text, err := api.Call(ctx, method, path, body)
	if err := c.explainAssumedAddress(err); err != nil {
		return false, err
	}
	if c.asJSON && len(text) > 0 {
		_, err := fmt.Fprintf(c.app.stdout, "%s\n", text)
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
