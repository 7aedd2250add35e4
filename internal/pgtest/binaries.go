package pgtest

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
)

// debianBinaries is where Debian and Ubuntu install the programs of each major version.
const debianBinaries = "/usr/lib/postgresql/*/bin"

var errNoPostgres = errors.New("there is no PostgreSQL: initdb, postgres and psql are neither on the PATH nor in " + debianBinaries)

// findBinaries returns the folder of initdb, postgres, pg_basebackup and the others.
func findBinaries() (string, error) {
	if initdb, err := exec.LookPath("initdb"); err == nil {
		if initdb, err = filepath.EvalSymlinks(initdb); err == nil && hasServer(filepath.Dir(initdb)) {
			return filepath.Dir(initdb), nil
		}
	}
	folders, err := filepath.Glob(debianBinaries)
	if err != nil {
		return "", err
	}
	newest, version := "", 0
	for _, f := range folders {
		v, err := strconv.Atoi(filepath.Base(filepath.Dir(f)))
		if err == nil && v > version && hasServer(f) {
			newest, version = f, v
		}
	}
	if newest == "" {
		return "", errNoPostgres
	}
	return newest, nil
}

func hasServer(folder string) bool {
	for _, program := range []string{"initdb", "postgres", "psql"} {
		if _, err := os.Stat(filepath.Join(folder, program)); err != nil {
			return false
		}
	}
	return true
}
