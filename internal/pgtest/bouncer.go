package pgtest

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// Bouncer is a PgBouncer in transaction mode in front of a server: each transaction of a client may be on another
// connection of the server.
type Bouncer struct {
	server  *Server
	folder  string
	port    int
	command *exec.Cmd
}

// Bouncer starts a PgBouncer, which ends with the test. The settings are lines of its section [pgbouncer].
func (s *Server) Bouncer(t testing.TB, settings Settings) *Bouncer {
	t.Helper()
	b := &Bouncer{server: s, port: freePort()}
	var err error
	if b.folder, err = s.in.newFolder(); err != nil {
		t.Fatalf("pgtest: %v", err)
	}
	if err := b.configure(settings); err != nil {
		t.Fatalf("pgtest: %v", err)
	}
	program, err := lookPath("pgbouncer")
	if err != nil {
		t.Fatalf("pgtest: %v", err)
	}
	b.command = s.in.command("pgbouncer", b.path("pgbouncer.ini"))
	b.command.Path, b.command.Err = program, nil
	if err := b.command.Start(); err != nil {
		t.Fatalf("pgtest: %v", err)
	}
	t.Cleanup(func() {
		_ = b.command.Process.Kill()
		_ = b.command.Wait()
		_ = os.RemoveAll(b.folder)
	})
	if !accepts(b.Address()) {
		t.Fatalf("pgtest: PgBouncer does not accept connections\n%s", fileText(b.path("log")))
	}
	return b
}

// lookPath finds a server's program, which may be off the PATH of ordinary users.
func lookPath(program string) (string, error) {
	if found, err := exec.LookPath(program); err == nil {
		return found, nil
	}
	return exec.LookPath(filepath.Join("/usr/sbin", program))
}

// Address is where PgBouncer accepts connections.
func (b *Bouncer) Address() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(b.port)) }

// DSN is that of a database behind PgBouncer, as the superuser.
func (b *Bouncer) DSN(database string) string { return dsn(b.Address(), database) }

// Await waits until a database behind PgBouncer answers.
func (b *Bouncer) Await(t testing.TB, database string) {
	t.Helper()
	for deadline := time.Now().Add(startTimeout); ; {
		_, err := SQL(t.Context(), b.DSN(database), "SELECT 1")
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("pgtest: behind PgBouncer: %v", err)
		}
	}
}

func (b *Bouncer) path(name string) string { return filepath.Join(b.folder, name) }

func (b *Bouncer) configure(settings Settings) error {
	var conf strings.Builder
	fmt.Fprintf(&conf, "[databases]\n* = host=%s port=%d user=postgres\n[pgbouncer]\n", b.server.socket(), b.server.port)
	defaults := Settings{
		"listen_addr": "127.0.0.1", "listen_port": strconv.Itoa(b.port), "unix_socket_dir": "",
		"auth_type": "any", "pool_mode": "transaction", "default_pool_size": "8", "max_client_conn": "1000",
		"logfile": b.path("log"), "pidfile": b.path("pgbouncer.pid"),
	}
	for _, part := range []Settings{defaults, settings} {
		for name, value := range part {
			fmt.Fprintf(&conf, "%s = %s\n", name, value)
		}
	}
	return b.server.in.writeFile(b.path("pgbouncer.ini"), conf.String())
}

// accepts waits until somebody accepts connections at an address.
func accepts(address string) bool {
	deadline := time.Now().Add(startTimeout)
	for time.Now().Before(deadline) {
		if c, err := net.Dial("tcp", address); err == nil {
			_ = c.Close()
			return true
		}
		time.Sleep(10 * time.Millisecond)
	}
	return false
}
