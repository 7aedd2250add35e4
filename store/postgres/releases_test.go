package postgres

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"issuer.example/internal/pgtest"
)

// releases builds two programs that use the store: this release, and one with a further migration.
func releases(t *testing.T) (older, newer string) {
	t.Helper()
	tree := t.TempDir()
	root := strings.TrimSpace(runGo(t, "", "list", "-m", "-f", "{{.Dir}}"))
	dirs := runGo(t, "", "list", "-deps", "-f", "{{if .Module}}{{if .Module.Main}}{{.Dir}}{{end}}{{end}}", ".")
	for dir := range strings.FieldsSeq(dirs) {
		copyFiles(t, dir, filepath.Join(tree, strings.TrimPrefix(dir, root)), "*.go")
	}
	store := filepath.Join(tree, "store", "postgres")
	copyFiles(t, migrationsFolder, filepath.Join(store, migrationsFolder), "*.sql")
	copyFiles(t, root, tree, "go.*")
	const program = "testdata/releases/main.go.txt"
	copyFile(t, program, filepath.Join(tree, "release", "main.go"))
	build := func(name string) string {
		binary := filepath.Join(tree, name)
		runGo(t, tree, "build", "-o", binary, "./release")
		return binary
	}
	older = build("older")
	migration, err := os.ReadFile("testdata/releases/newer.sql")
	if err != nil {
		t.Fatal(err)
	}
	version := newestMigration() + 1
	migration = bytes.ReplaceAll(migration, []byte("VERSION"), strconv.AppendInt(nil, version, 10))
	writeFile(t, filepath.Join(store, migrationsFolder, fmt.Sprintf("%05d_newer.sql", version)), migration)
	return older, build("newer")
}

func runGo(t *testing.T, dir string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", args...)
	cmd.Dir = dir
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %v", cmd, explainExit(err))
	}
	return string(out)
}

// explainExit is what a program has said that failed.
func explainExit(err error) string {
	if exit, ok := err.(*exec.ExitError); ok { //nolint:errorlint // as exec returns it
		return err.Error() + ": " + string(exit.Stderr)
	}
	return err.Error()
}

// copyFiles copies the files of a folder that match, without tests.
func copyFiles(t *testing.T, from, to, pattern string) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(from, pattern))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if !strings.HasSuffix(name, "_test.go") {
			copyFile(t, name, filepath.Join(to, filepath.Base(name)))
		}
	}
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	content, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, to, content)
}

func writeFile(t *testing.T, path string, content []byte) {
	t.Helper()
	err := os.MkdirAll(filepath.Dir(path), 0o700)
	if err == nil {
		err = os.WriteFile(path, content, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// serving is a release that serves.
type serving struct {
	cmd    *exec.Cmd
	input  io.Closer
	rounds *bufio.Reader
	stderr strings.Builder
}

func serve(t *testing.T, program, dsn string) *serving {
	t.Helper()
	s := &serving{cmd: exec.CommandContext(t.Context(), program, "serve", dsn)}
	s.cmd.Stderr = &s.stderr
	input, err := s.cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	rounds, err := s.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	s.input, s.rounds = input, bufio.NewReader(rounds)
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return s
}

// waitRounds waits for so many rounds more.
func (s *serving) waitRounds(t *testing.T, n int) {
	t.Helper()
	for range n {
		if _, err := s.rounds.ReadString('\n'); err != nil {
			_ = s.cmd.Wait()
			t.Fatalf("the program serves no longer: %s", s.stderr.String())
		}
	}
}

// end ends the program, which must have served until now.
func (s *serving) end(t *testing.T) {
	t.Helper()
	_ = s.input.Close()
	_, _ = io.Copy(io.Discard, s.rounds)
	if err := s.cmd.Wait(); err != nil {
		t.Errorf("%v: %s", err, s.stderr.String())
	}
}

// stops waits until the program can serve no longer, and says why.
func (s *serving) stops(t *testing.T, why string) {
	t.Helper()
	_, _ = io.Copy(io.Discard, s.rounds)
	if err := s.cmd.Wait(); err == nil || !strings.Contains(s.stderr.String(), why) {
		t.Errorf("it has stopped with %v: %s; want %q", err, s.stderr.String(), why)
	}
}

// Two releases serve one database, while the newer one migrates it and afterwards. The older
// one refuses it, and stops, only when a migration says that it can't work with it.
func TestTwoReleases(t *testing.T) {
	t.Parallel()
	older, newer := releases(t)
	dsn := pgtest.Shared(t).Database(t)
	migrate := func(program, want string) {
		t.Helper()
		out, err := exec.CommandContext(t.Context(), program, "migrate", dsn).Output()
		if got := strings.TrimSpace(string(out)); err != nil || got != want {
			t.Fatalf("%q migrations were applied, and not %s: %v", got, want, err)
		}
	}
	wantRefused := func(program, why string) {
		t.Helper()
		out, err := exec.CommandContext(t.Context(), program, "serve", dsn).CombinedOutput()
		if err == nil || !strings.Contains(string(out), why) {
			t.Errorf("a program that can't work with the database: %s, %v", out, err)
		}
	}
	migrate(older, strconv.FormatInt(newestMigration(), 10))
	wantRefused(newer, "issuer migrate up")
	first, second := serve(t, older, dsn), serve(t, older, dsn)
	first.waitRounds(t, 5)
	second.waitRounds(t, 5)
	migrate(newer, "1")
	third := serve(t, newer, dsn)
	for _, s := range []*serving{first, second, third, first, second} {
		s.waitRounds(t, 20)
	}
	migrate(older, "0")
	for _, s := range []*serving{first, second, third} {
		s.end(t)
	}
	conn := connect(t, dsn)
	if version := one[int64](t, conn, `SELECT version FROM issuer_schema`); version != newestMigration()+1 {
		t.Errorf("the schema has version %d", version)
	}
	if one[bool](t, conn, `SELECT count(*) <> max(number) OR count(revocation) <> max(revocation) FROM facts`) {
		t.Error("the numbers of the journal have gaps")
	}
	outdated, last := serve(t, older, dsn), serve(t, newer, dsn)
	outdated.waitRounds(t, 2)
	last.waitRounds(t, 2)
	if _, err := conn.Exec(t.Context(), `UPDATE issuer_schema SET oldest_program = version`); err != nil {
		t.Fatal(err)
	}
	wantRefused(older, ErrNewerSchema.Error())
	outdated.stops(t, ErrNewerSchema.Error())
	last.waitRounds(t, 2)
	last.end(t)
}
