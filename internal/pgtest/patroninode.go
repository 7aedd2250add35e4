package pgtest

import (
	"encoding/json"
	"fmt"
	"net"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// PatroniNode is one server of a [Patroni] cluster, and the Patroni that keeps it.
type PatroniNode struct {
	cluster    *Patroni
	name       string
	port, rest int      // of PostgreSQL, and of Patroni's REST API
	patroni    *process // nil: it does not run
}

// configure writes the configuration of a node. JSON is YAML.
func (n *PatroniNode) configure(t testing.TB, etcd int) {
	t.Helper()
	type object map[string]any
	local := func(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }
	trust := []string{"local all postgres trust", "host all postgres 127.0.0.1/32 trust", "host replication postgres 127.0.0.1/32 trust"}
	text, err := json.Marshal(object{
		"scope": "issuer", "name": n.name,
		"restapi": object{"listen": local(n.rest), "connect_address": local(n.rest)},
		"etcd3":   object{"host": local(etcd)},
		"bootstrap": object{
			"dcs": object{
				"ttl": patroniTTL, "loop_wait": patroniLoop, "retry_timeout": patroniRetry,
				"synchronous_mode": true, "master_start_timeout": 0,
				"postgresql": object{"use_pg_rewind": true, "parameters": object{"max_connections": 100, "shared_buffers": "32MB"}},
			},
			"initdb": []any{object{"encoding": "UTF8"}, object{"locale": "C.UTF-8"}, object{"auth": "trust"}},
		},
		"postgresql": object{
			"listen": local(n.port), "connect_address": local(n.port), "data_dir": n.data(), "bin_dir": n.cluster.in.binaries,
			"pgpass": filepath.Join(n.cluster.folder, n.name+".pgpass"), "pg_hba": trust,
			"authentication": object{"superuser": object{"username": "postgres"}, "replication": object{"username": "postgres"}},
			"parameters":     object{"unix_socket_directories": n.cluster.folder, "dynamic_shared_memory_type": "mmap", "timezone": "UTC"},
		},
		"watchdog": object{"mode": "off"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := n.cluster.in.writeFile(n.config(), string(text)); err != nil {
		t.Fatalf("pgtest: %v", err)
	}
}

func (n *PatroniNode) config() string { return filepath.Join(n.cluster.folder, n.name+".json") }
func (n *PatroniNode) data() string   { return filepath.Join(n.cluster.folder, n.name) }

// String is the name of the node.
func (n *PatroniNode) String() string { return n.name }

// Start starts the Patroni of a node, which starts the server.
func (n *PatroniNode) Start(t testing.TB) {
	t.Helper()
	n.patroni = n.cluster.run(t, n.name, "patroni", n.config())
}

// Kill kills Patroni and its server with all processes, as if the machine had lost power.
func (n *PatroniNode) Kill(t testing.TB) {
	t.Helper()
	if err := n.patroni.kill(); err != nil {
		t.Fatalf("pgtest: %v", err)
	}
	n.patroni = nil
	n.KillServer(t)
}

// KillServer kills the server with all processes, which Patroni notices.
func (n *PatroniNode) KillServer(t testing.TB) {
	t.Helper()
	pid, ok := n.server()
	if !ok {
		return
	}
	if err := killWithChildren(pid); err != nil {
		t.Fatalf("pgtest: %v", err)
	}
	n.cluster.await(t, n.name+" has ended", func() bool { return !alive(pid) })
}

// server is the process of the server, if it runs.
func (n *PatroniNode) server() (pid int, ok bool) {
	line, _, _ := strings.Cut(fileText(filepath.Join(n.data(), "postmaster.pid")), "\n")
	pid, err := strconv.Atoi(line)
	return pid, err == nil && alive(pid)
}

func (n *PatroniNode) get(path string, into any) int {
	return get(fmt.Sprintf("http://127.0.0.1:%d%s", n.rest, path), into)
}

// DSN is that of a database on this node.
func (n *PatroniNode) DSN(database string) string {
	return fmt.Sprintf("postgres://postgres@127.0.0.1:%d/%s?sslmode=disable", n.port, database)
}
