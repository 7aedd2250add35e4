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
	v.between("store.lock_wait", v.Store.LockWait, 0, 10*time.Minute)
	switch v.Store.Driver {
	case "bolt":
		if v.Store.DSN != "" {
			v.fault("store.dsn", "is not used by the driver bolt; leave it empty")
		}
		v.checkPath("store.path", v.Store.Path)
		v.checkData()
	case "postgres":
		v.fault("store.driver", "this build has no postgres driver; use bolt")
	default:
		v.fault("store.driver", "must be bolt")
	}
}

// checkData checks the data file by the function that the source of the configuration has for
// it, if any.
func (v checker) checkData() {
	if v.dataProblem == nil || v.broken("store.path") {
		return
	}
	if err := v.dataProblem(v.Store.Path); err != nil {
		v.fault("store.path", "%v", err)
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
