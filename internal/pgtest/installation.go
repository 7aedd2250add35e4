package pgtest

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

// installation is what all servers of this program share: the programs, the account, the folder and a cluster that
// nobody has used, of which each server gets a copy.
type installation struct {
	binaries string
	account  account
	folder   string    // watched
	alive    io.Closer // it is open for as long as this program runs
}

// templateFolder is that of the cluster.
const templateFolder = "template"

var install = sync.OnceValues(func() (*installation, error) {
	binaries, err := findBinaries()
	if err != nil {
		return nil, err
	}
	acc, err := serverAccount()
	if err != nil {
		return nil, err
	}
	in := &installation{binaries: binaries, account: acc}
	if in.folder, err = os.MkdirTemp("", "pgtest-"); err != nil {
		return nil, err
	}
	if in.alive, err = watch(in.folder); err != nil {
		return nil, fmt.Errorf("starting the watcher: %w", err)
	}
	if err := acc.own(in.folder); err != nil {
		return nil, err
	}
	return in, in.initialise()
})

func installed(t testing.TB) *installation {
	t.Helper()
	in, err := install()
	if err != nil {
		t.Fatalf("pgtest: %v", err)
	}
	return in
}

// command is a command of PostgreSQL that the account runs.
func (in *installation) command(program string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(in.binaries, program), args...)
	cmd.Dir = in.folder
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C.UTF-8", "TZ=UTC", "HOME=" + in.folder}
	cmd.SysProcAttr = in.account.attributes()
	return cmd
}

// initialise makes the cluster that is copied.
func (in *installation) initialise() error {
	cmd := in.command("initdb", "--pgdata="+templateFolder, "--username=postgres", "--auth=trust",
		"--encoding=UTF8", "--locale=C.UTF-8", "--no-sync", "--no-instructions")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, out)
	}
	return nil
}

// copyCluster copies the unused cluster into a folder.
func (in *installation) copyCluster(to string) error {
	cmd := in.command("cp")
	cmd.Path, cmd.Args = "/bin/cp", []string{"cp", "-R", "-p", filepath.Join(in.folder, templateFolder) + "/.", to}
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("copying the cluster: %w\n%s", err, out)
	}
	return nil
}
