package main

import (
	"cmp"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/url"
	"path/filepath"
	"strings"
	"text/template"

	"issuer.example/client"
	"issuer.example/cmd/issuer/internal/config"
	"issuer.example/cmd/issuer/internal/server"
	"issuer.example/secret"
	"issuer.example/store/postgres"
)

// The files of `serve --dev` in its folder.
const (
	devAdminKey   = "admin.key"
	devServiceKey = "service.key"
)

// devFolder returns the folder in which `serve --dev` keeps its keys: beside the store.
func devFolder(c *config.Config) string {
	return filepath.Join(filepath.Dir(c.Store.Path), "dev")
}

// devKeys are the service keys that `serve --dev` adds to the configuration.
type devKeys struct {
	service, admin devKey
}

// devKey is a service key and the file that holds it.
type devKey struct {
	path, text string
}

// prepareDev creates the secrets and service keys that are missing, adds the keys to the
// configuration, and gives up Secure cookies where the issuer is plain http. It logs what
// it did.
func prepareDev(c *config.Config, log *slog.Logger) (*devKeys, error) {
	log.Warn("--dev is for this machine only: its keys are printed, and what is missing is created")
	if err := createSecrets(c.Secrets, log); err != nil {
		return nil, err
	}
	// SameSite=None needs Secure, which browsers accept from localhost on plain http too.
	if strings.HasPrefix(c.Issuer, "http://") && c.Cookies.Secure != "never" && c.Cookies.SameSite != "none" {
		c.Cookies.Secure = "never"
		log.Warn("--dev: cookies are not Secure and have no __Secure- prefix, because the issuer is plain http")
	}
	service, err := addDevKey(c, devServiceKey, "dev-service", scopesBesideAdmin())
	if err != nil {
		return nil, err
	}
	admin, err := addDevKey(c, devAdminKey, "dev-admin", []string{string(client.ScopeAdmin)})
	if err != nil {
		return nil, err
	}
	return &devKeys{service: service, admin: admin}, nil
}

// migrateDev makes the tables of a database, or brings them up to date.
func migrateDev(ctx context.Context, c *config.Config, log *slog.Logger) error {
	if c.Store.Driver != config.DriverPostgres {
		return nil
	}
	applied, err := postgres.Migrate(ctx, server.PostgresConfig(c.Store), 0)
	for _, m := range applied {
		log.Info("migrated the database", "migration", m.Name)
	}
	return err
}

// createSecrets creates the secret files that do not exist.
func createSecrets(paths []string, log *slog.Logger) error {
	for _, path := range paths {
		switch err := writePrivate(path, secret.Generate()); {
		case errors.Is(err, fs.ErrExist):
		case err != nil:
			return err
		default:
			log.Info("created a key-encryption secret", "path", path)
		}
	}
	return nil
}

// scopesBesideAdmin lists the scopes of a backend.
func scopesBesideAdmin() []string {
	var names []string
	for _, scope := range client.Scopes() {
		if scope != client.ScopeAdmin {
			names = append(names, string(scope))
		}
	}
	return names
}

// addDevKey reads the service key that an earlier start left in the file, or creates it, and
// adds it to the configuration.
func addDevKey(c *config.Config, file, name string, scopes []string) (devKey, error) {
	path := filepath.Join(devFolder(c), file)
	if err := writePrivate(path, client.GenerateKey()); err != nil && !errors.Is(err, fs.ErrExist) {
		return devKey{}, err
	}
	text, err := readServiceKey(path)
	if err != nil {
		return devKey{}, err
	}
	c.ServiceKeys = append(c.ServiceKeys, config.ServiceKey{Name: name, SHA256: client.HashKey(text).String(), Scopes: scopes})
	return devKey{path: path, text: text}, nil
}

//go:embed welcome.txt
var welcome string

// printWelcome prints the keys and a terminal session to copy. The issuer answers at base.
func (k *devKeys) printWelcome(w io.Writer, base string) error {
	page, err := template.New("welcome").Parse(welcome)
	if err != nil {
		return fmt.Errorf("reading the welcome: %w", err)
	}
	return page.Execute(w, map[string]string{
		"URL": base, "Service": k.service.text, "Admin": k.admin.text,
		"ServiceFile": k.service.path, "AdminFile": k.admin.path,
	})
}

// devURL returns the issuer's own URL when it listens there, and the address of its listener
// otherwise.
func devURL(issuer string, public net.Addr) string {
	_, port, _ := net.SplitHostPort(public.String())
	if u, err := url.Parse(issuer); err == nil && u.Scheme == "http" && cmp.Or(u.Port(), "80") == port {
		return issuer
	}
	return "http://" + dialable(public.String())
}
