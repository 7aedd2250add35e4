package config

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"issuer.example/secret"
)

// checkStore checks the driver and what belongs to it.
func (v checker) checkStore() {
	v.between("store.facts_keep", v.Store.FactsKeep, time.Minute, year)
	switch v.Store.Driver {
	case DriverBolt:
		v.checkUnused(DriverBolt, postgresKeys)
		v.between("store.lock_wait", v.Store.LockWait, 0, 10*time.Minute)
		v.checkPath("store.path", v.Store.Path)
	case DriverPostgres:
		v.checkUnused(DriverPostgres, boltKeys)
		v.checkPostgres()
	default:
		v.fault("store.driver", "must be %s or %s", DriverBolt, DriverPostgres)
		return
	}
	v.checkData()
}

// The keys of one driver alone.
var (
	boltKeys     = []string{"store.path", "store.check", "store.lock_wait"}
	postgresKeys = []string{
		"store.dsn", "store.listen_dsn", "store.password_file", "store.notify", "store.poll_interval", "store.max_connections",
		"store.statement_timeout", "store.prepared_statements", "store.require_synchronous",
	}
)

// checkUnused refuses keys that the driver does not use and that have another value than their default: whoever
// has set them expects an effect.
func (v checker) checkUnused(driver string, unused []string) {
	changed := Changed(Default(), v.Config)
	for _, key := range unused {
		if slices.Contains(changed, key) {
			v.fault(key, "is not used by the driver %s; leave it out", driver)
		}
	}
}

// checkPostgres checks the keys of the driver postgres.
func (v checker) checkPostgres() {
	if strings.TrimSpace(v.Store.DSN) == "" {
		v.fault("store.dsn", "must name the database, as in postgres://issuer@db.example.com/issuer?sslmode=verify-full")
	}
	if v.Store.PasswordFile != "" {
		v.checkPath("store.password_file", v.Store.PasswordFile)
	}
	v.oneOf("store.notify", v.Store.Notify, "listen", "poll")
	v.between("store.poll_interval", v.Store.PollInterval, 10*time.Millisecond, time.Minute)
	v.between("store.statement_timeout", v.Store.StatementTimeout, 100*time.Millisecond, time.Minute)
	const least, most = 4, 1000
	if v.Store.MaxConnections < least || v.Store.MaxConnections > most {
		v.fault("store.max_connections", "must be from %d to %d", least, most)
	}
}

// checkData checks the data by the function that the source of the configuration has for it, if any.
func (v checker) checkData() {
	if v.dataProblem == nil || v.broken(boltKeys...) || v.broken(postgresKeys...) {
		return
	}
	if key, err := v.dataProblem(v.Store); err != nil {
		v.fault(key, "%v", err)
	}
}

// checkSecrets checks the paths of the key-encryption secrets and, for serving, the files.
func (v checker) checkSecrets(forServing bool) {
	const limit = 16
	if len(v.Secrets) == 0 || len(v.Secrets) > limit {
		v.fault("secrets", "must name 1 to %d files", limit)
	}
	v.unique("secrets", v.Secrets)
	for i, path := range v.Secrets {
		key := fmt.Sprintf("secrets[%d]", i)
		v.checkPath(key, path)
		if !forServing || v.broken(key) {
			continue
		}
		switch _, err := secret.Load(path); {
		case errors.Is(err, fs.ErrNotExist):
			v.fault(key, "there is no file %s; `issuer secret new %s` makes one", path, path)
		case err != nil:
			v.fault(key, "%v", err)
		}
	}
}

// checkPath refuses a path with "..": which file it names depends on the working directory in
// a way that is easily overlooked.
func (v checker) checkPath(key, path string) {
	switch {
	case path == "" || strings.ContainsRune(path, 0):
		v.fault(key, "must name a file")
	case slices.Contains(strings.Split(filepath.ToSlash(path), "/"), ".."):
		v.fault(key, `must not hold "..": give the path from the root or from the working directory`)
	}
}
