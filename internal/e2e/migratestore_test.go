package e2e_test

import (
	"bufio"
	"errors"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"issuer.example/internal/pgtest"
	"issuer.example/store"
	"issuer.example/store/bolt"
	"issuer.example/store/move"
	"issuer.example/store/storetest"
)

// onDatabase makes the program use a database.
func onDatabase(dsn string) []string {
	return []string{"ISSUER_STORE_DRIVER=postgres", "ISSUER_STORE_DSN=" + dsn}
}

// The way of an operator from a file to a database and back. Sessions live on, those that were revoked stay so, and
// guards go on at the number that they have.
func TestMigrateStorePostgres(t *testing.T) {
	t.Parallel()
	const file, back = "data/issuer.db", "data/back.db"
	dsn := pgtest.Shared(t).Database(t)
	i := startDev(t, t.TempDir())
	live, ended := i.mint("u1"), i.mint("u2")
	if r := i.cli("session", "revoke", ended.Session.ID); r.code != 0 {
		t.Fatalf("revoke: %+v", r)
	}
	moving := func(args ...string) result {
		return run(t, i.dir, onDatabase(dsn), append([]string{"migrate-store"}, args...)...)
	}
	moving("--from", file, "--to", "postgres").failed(t, "issuer migrate up")
	if r := run(t, i.dir, onDatabase(dsn), "migrate", "up"); r.code != 0 {
		t.Fatalf("migrate up: %+v", r)
	}
	moving("--from", file, "--to", "postgres").failed(t, "another process", "stop the issuer")
	i.stop()
	moving("--from", dsn, "--to", back).failed(t, "wrong way round")
	r := moving("--from", file, "--to", "postgres")
	if r.code != 0 || !strings.Contains(r.stdout, "live sessions") || !strings.Contains(r.stderr, "comparing: ") || strings.Contains(r.stdout+r.stderr, dsn) {
		t.Fatalf("to a database: %+v", r)
	}
	moving("--from", file, "--to", dsn).failed(t, "not empty")

	i = startDev(t, i.dir, onDatabase(dsn)...)
	live = i.goesOn(live, ended)
	moving("--from", "postgres", "--to", back).failed(t, "issuers use the database", "--issuers-are-stopped")
	i.stop()
	moving("--from", "postgres", "--to", file).failed(t, "exists already")
	if r := moving("--from", "postgres", "--to", back); r.code != 0 {
		t.Fatalf("to a file: %+v", r)
	}
	i = startDev(t, i.dir, "ISSUER_STORE_PATH="+back)
	i.goesOn(live, ended)
}

// goesOn checks what two clients find after a move, and returns what the one that is signed in has then.
func (i *issuer) goesOn(live, ended grant) grant {
	i.t.Helper()
	if status := i.call("GET", "/v1/session", live.AccessToken, "", nil); status != http.StatusOK {
		i.t.Errorf("after the move the access token answers %d", status)
	}
	next, status := i.refresh(live.RefreshToken)
	if status != http.StatusOK {
		i.t.Errorf("after the move the session answers %d", status)
	}
	if _, status := i.refresh(ended.RefreshToken); status != http.StatusUnauthorized {
		i.t.Errorf("after the move a revoked session answers %d", status)
	}
	i.mint("u3")
	return next
}

func TestMigrateStoreRefusesPostgres(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	moving := func(args ...string) result { return run(t, dir, nil, append([]string{"migrate-store"}, args...)...) }
	moving("--from", "a.db", "--to", "a.db").failed(t, "the same store")
	moving("--from", "a.db", "--to", "b.db").failed(t, "a.db", "no such file")
	moving("--from", "a.db", "--to", "postgres").failed(t, "driver bolt")
	r := moving("--from", "a.db", "--to", "postgres://issuer:hunter2@127.0.0.1:1/issuer")
	r.failed(t, "no database server listens")
	if strings.Contains(r.stderr+r.stdout, "hunter2") {
		t.Errorf("the password is shown: %+v", r)
	}
	moving("--from", "a.db", "--to", "postgres://issuer:hunter2@127.0.0.1:x/issuer").failed(t, "the DSN cannot be used")
	if r := moving("--from", "a.db"); r.code != 2 || !strings.Contains(r.stderr, "--to") {
		t.Errorf("without --to: %+v", r)
	}
	if files, err := os.ReadDir(dir); err != nil || len(files) != 0 {
		t.Errorf("left behind: %v, %v", files, err)
	}
}

// A move that is killed leaves a target that is empty, or no file, and can be started again.
func TestMigrateStoreKilledPostgres(t *testing.T) {
	t.Parallel()
	const sessions = 10_000
	dir, dsn := t.TempDir(), pgtest.Shared(t).Database(t)
	if r := run(t, dir, onDatabase(dsn), "migrate", "up"); r.code != 0 {
		t.Fatalf("migrate up: %+v", r)
	}
	makeStore(t, filepath.Join(dir, "a.db"), sessions)
	for _, args := range [][]string{{"--from", "a.db", "--to", dsn}, {"--from", dsn, "--to", "b.db"}} {
		for _, line := range []string{"copying: ", "comparing: "} {
			killAt(t, dir, line, append([]string{"migrate-store"}, args...)...)
			if _, err := os.Stat(filepath.Join(dir, "b.db")); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("killed while %s, a move leaves a file: %v", line, err)
			}
		}
		if r := run(t, dir, nil, append([]string{"migrate-store"}, args...)...); r.code != 0 || !strings.Contains(r.stdout, "10000") {
			t.Fatalf("after two that were killed, a move answers %+v", r)
		}
	}
}

// makeStore makes a file with sessions.
func makeStore(t *testing.T, path string, sessions int) {
	t.Helper()
	err := bolt.Import(t.Context(), path, func(to store.Target) error {
		_, err := move.Copy(t.Context(), storetest.Archive(sessions), to, nobody{})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// A disk that becomes full is named, and leaves nothing behind.
func TestMigrateStoreDiskFullPostgres(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	makeStore(t, filepath.Join(dir, "a.db"), 5000)
	b, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	// 1 or 2 MiB, as shells have it, is less than the file takes.
	limited := exec.CommandContext(t.Context(), "sh", "-c", `ulimit -f 2048; exec "$0" migrate-store --from a.db --to b.db`, string(b))
	limited.Dir = dir
	runCommand(t, limited).failed(t, "b.db", "file too large")
	if files, err := filepath.Glob(filepath.Join(dir, "b.db*")); err != nil || len(files) > 0 {
		t.Errorf("left behind: %v, %v", files, err)
	}
	if !pgtest.CanMount(t) {
		return // with CI=true the test has failed
	}
	server := pgtest.StartOnSmallDisk(t, 100, nil)
	dsn := server.Database(t)
	if r := run(t, dir, onDatabase(dsn), "migrate", "up"); r.code != 0 {
		t.Fatalf("migrate up: %+v", r)
	}
	server.FillDisk(t)
	run(t, dir, nil, "migrate-store", "--from", "a.db", "--to", dsn).failed(t, "No space left on device")
	server.FreeDisk(t)
	if r := run(t, dir, nil, "migrate-store", "--from", "a.db", "--to", dsn); r.code != 0 {
		t.Errorf("with room again: %+v", r)
	}
}

// nobody looks at the progress.
type nobody struct{}

func (nobody) Begin(string, int64) {}
func (nobody) Done(int64)          {}

// killAt kills a command when it prints a line that begins so to standard error.
func killAt(t *testing.T, dir, line string, args ...string) {
	t.Helper()
	cmd := command(t, dir, nil, args...)
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	seen, lines := false, bufio.NewScanner(stderr)
	for !seen && lines.Scan() {
		seen = strings.HasPrefix(lines.Text(), line)
	}
	if err := cmd.Process.Kill(); err != nil || !seen {
		t.Errorf("it did not print %q, or had ended: %v", line, err)
	}
	_ = cmd.Wait() // it was killed
}
