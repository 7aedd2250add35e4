//go:build linux

package e2e_test

import (
	"context"
	"os"
	"strings"
	"testing"

	"issuer.example/internal/program"
)

// A new process waits for the one that it replaces to let go of the data file.
func TestRollingRestart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	old := startDev(t, dir)
	g := old.mint("u1")
	run(t, dir, append(anywhere(), "ISSUER_STORE_LOCK_WAIT=0s"), "serve", "--dev").failed(t, "another process holds the data file")

	next, err := program.Start(command(t, dir, append(anywhere(), "ISSUER_STORE_LOCK_WAIT=30s"), "serve", "--dev"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = next.Signal(os.Kill)
		_, _ = next.Wait(context.Background())
	})
	if _, err := next.Log().Await(soon(t), "another process holds the data file: waiting for it to let go"); err != nil {
		t.Fatal(err)
	}
	old.stop()
	i := &issuer{Process: next, t: t, dir: dir}
	if i.public, i.admin, err = next.Serving(soon(t)); err != nil {
		t.Fatal(err)
	}
	if _, status := i.refresh(g.RefreshToken); status != 200 {
		t.Errorf("a refresh answers %d", status)
	}
	i.stop()
}

// Less address space than the program would map ahead is enough, and said.
func TestLimitedAddressSpace(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	b, err := program.Build(t.Context(), dir, false) // the race detector needs terabytes
	if err != nil {
		t.Fatal(err)
	}
	for _, gigabytes := range []string{"16", "8", "4", "2"} {
		cmd := b.Command(t.Context(), t.TempDir(), anywhere(), "serve", "--dev")
		cmd.Path, cmd.Args = "/bin/sh", []string{"sh", "-c", `ulimit -v $(($1 * 1048576)) && exec "$0" serve --dev`, string(b), gigabytes}
		i := start(t, cmd)
		if i.Log().Count("the limit of address space (ulimit -v) leaves little to map the data file into: readers wait for each other whenever the file outgrows that") != 1 {
			t.Errorf("%s GB: the log does not say it:\n%s", gigabytes, i.Log().Text())
		}
		if g := i.mint("u1"); g.RefreshToken == "" {
			t.Errorf("%s GB: no session", gigabytes)
		}
		if strings.Contains(i.Log().Text(), `"level":"ERROR"`) {
			t.Errorf("%s GB: log:\n%s", gigabytes, i.Log().Text())
		}
		i.stop()
	}
}
