package main

import (
	"cmp"
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
	"issuer.example/secret"
)

// The files of `serve --dev`, in a folder beside the store.
const (
	devAdminKey   = "admin.key"
	devServiceKey = "service.key"
)

// devFolder is where `serve --dev` keeps its keys.
func devFolder(c *config.Config) string {
	return filepath.Join(filepath.Dir(c.Store.Path), "dev")
}

// devKeys are the keys that `serve --dev` runs with.
type devKeys struct {
	folder         string
	service, admin string
}

// prepareDev makes what a first start lacks, keeps what an earlier one made, and relaxes
// what plain http needs. It says so in the log.
func prepareDev(c *config.Config, log *slog.Logger) (*devKeys, error) {
	log.Warn("--dev is for this machine only: its keys are printed, and what is missing is made")
	for _, path := range c.Secrets {
		err := writePrivate(path, secret.Generate())
		if err != nil && !errors.Is(err, fs.ErrExist) {
			return nil, err
		}
		if err == nil {
			log.Info("made a key-encryption secret", "path", path)
		}
	}
	// SameSite=None is nothing without Secure, which browsers take from localhost on plain http too.
	if strings.HasPrefix(c.Issuer, "http://") && c.Cookies.Secure != "never" && c.Cookies.SameSite != "none" {
		c.Cookies.Secure = "never"
		log.Warn("--dev: cookies are not Secure and have no __Secure- prefix, because the issuer is plain http")
	}
	k := &devKeys{folder: devFolder(c)}
	service, err := k.key(devServiceKey, "dev-service", scopesBesideAdmin())
	if err != nil {
		return nil, err
	}
	admin, err := k.key(devAdminKey, "dev-admin", []string{string(client.ScopeAdmin)})
	if err != nil {
		return nil, err
	}
	c.ServiceKeys = append(c.ServiceKeys, service.ServiceKey, admin.ServiceKey)
	k.service, k.admin = service.text, admin.text
	return k, nil
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

// madeKey is a service key with its text.
type madeKey struct {
	config.ServiceKey

	text string
}

// key reads a key that an earlier start made, or makes it.
func (k *devKeys) key(file, name string, scopes []string) (madeKey, error) {
	path := filepath.Join(k.folder, file)
	err := writePrivate(path, client.GenerateKey())
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return madeKey{}, err
	}
	text, err := readServiceKey(path)
	if err != nil {
		return madeKey{}, err
	}
	return madeKey{config.ServiceKey{Name: name, SHA256: client.HashKey(text).String(), Scopes: scopes}, text}, nil
}

//go:embed dev.txt
var introduction string

// introduce prints the keys and a terminal session to copy.
func (k *devKeys) introduce(w io.Writer, c *config.Config, public net.Addr) error {
	page, err := template.New("introduction").Parse(introduction)
	if err != nil {
		return fmt.Errorf("reading the introduction: %w", err)
	}
	return page.Execute(w, map[string]string{
		"URL": devURL(c.Issuer, public), "Service": k.service, "Admin": k.admin,
		"ServiceFile": filepath.Join(k.folder, devServiceKey), "AdminFile": filepath.Join(k.folder, devAdminKey),
	})
}

// devURL is the issuer's own URL when that is where it listens, and its address otherwise.
func devURL(issuer string, public net.Addr) string {
	_, port, _ := net.SplitHostPort(public.String())
	if u, err := url.Parse(issuer); err == nil && u.Scheme == "http" && cmp.Or(u.Port(), "80") == port {
		return issuer
	}
	return "http://" + dialable(public.String())
}
