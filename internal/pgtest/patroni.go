package pgtest

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Patroni is a cluster of PostgreSQL servers that Patroni keeps with etcd: one primary, and standbys of which one is
// synchronous. Its methods end the test if they fail.
type Patroni struct {
	in     *installation
	folder string
	etcd   *process
	nodes  []*PatroniNode
}

// How quickly Patroni notices that a primary is gone, in seconds.
const (
	patroniTTL   = 5 // of the leader's key in etcd
	patroniLoop  = 1
	patroniRetry = 2
)

// StartPatroni starts etcd and n servers, and waits until there are a primary and a synchronous standby.
func StartPatroni(t testing.TB, n int) *Patroni {
	t.Helper()
	in := installed(t)
	folder, err := in.newFolder()
	if err != nil {
		t.Fatalf("pgtest: %v", err)
	}
	p := &Patroni{in: in, folder: folder}
	t.Cleanup(p.remove)
	etcd := p.startEtcd(t)
	for i := range n {
		node := &PatroniNode{cluster: p, name: fmt.Sprintf("node%d", i), port: freePort(), rest: freePort()}
		p.nodes = append(p.nodes, node)
		node.configure(t, etcd)
		node.Start(t)
	}
	p.AwaitSynchronous(t)
	return p
}

// startEtcd starts an etcd and returns the port for its clients.
func (p *Patroni) startEtcd(t testing.TB) int {
	t.Helper()
	clients, peers := freePort(), freePort()
	clientURL, peerURL := fmt.Sprintf("http://127.0.0.1:%d", clients), fmt.Sprintf("http://127.0.0.1:%d", peers)
	p.etcd = p.run(t, "etcd", "etcd", "--data-dir="+filepath.Join(p.folder, "etcd"), "--name=etcd",
		"--listen-client-urls="+clientURL, "--advertise-client-urls="+clientURL, "--listen-peer-urls="+peerURL,
		"--initial-advertise-peer-urls="+peerURL, "--initial-cluster=etcd="+peerURL, "--heartbeat-interval=100", "--election-timeout=500")
	p.await(t, "etcd serves", func() bool { return get(clientURL+"/health", nil) == http.StatusOK })
	return clients
}

// run starts a program that logs into a file of that name.
func (p *Patroni) run(t testing.TB, name, program string, args ...string) *process {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		t.Fatalf("pgtest: %v", err)
	}
	log, err := os.OpenFile(filepath.Join(p.folder, name+".log"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatalf("pgtest: %v", err)
	}
	defer func() { _ = log.Close() }()
	cmd := p.in.command(program, args...)
	cmd.Path, cmd.Err = path, nil
	cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		t.Fatalf("pgtest: %v", err)
	}
	started := &process{cmd: cmd, ended: make(chan struct{})}
	go func() {
		defer close(started.ended)
		_ = cmd.Wait() // the log has the reason
	}()
	return started
}

// Primary returns the node that accepts writes, or nil while there is none.
func (p *Patroni) Primary() *PatroniNode {
	for _, n := range p.nodes {
		if n.patroni != nil && n.get("/primary", nil) == http.StatusOK {
			return n
		}
	}
	return nil
}

// AwaitPrimary waits until there is a primary, and returns it.
func (p *Patroni) AwaitPrimary(t testing.TB) (primary *PatroniNode) {
	t.Helper()
	p.await(t, "there is a primary", func() bool {
		primary = p.Primary()
		return primary != nil
	})
	return primary
}

// AwaitSynchronous waits until all nodes run and one of them is a synchronous standby, and returns the primary.
func (p *Patroni) AwaitSynchronous(t testing.TB) *PatroniNode {
	t.Helper()
	p.await(t, "there is a synchronous standby", func() bool {
		primary := p.Primary()
		if primary == nil {
			return false
		}
		var cluster struct {
			Members []struct{ Role, State string }
		}
		if primary.get("/cluster", &cluster) != http.StatusOK {
			return false
		}
		running, synchronous := 0, false
		for _, m := range cluster.Members {
			if m.State == "running" || m.State == "streaming" {
				running++
			}
			synchronous = synchronous || m.Role == "sync_standby"
		}
		return synchronous && running == len(p.nodes)
	})
	return p.Primary()
}

// get returns the status of an answer, 0 if there is none, and reads its JSON.
func get(url string, into any) int {
	res, err := patient.Get(url)
	if err != nil {
		return 0
	}
	defer func() { _ = res.Body.Close() }()
	if into != nil && json.NewDecoder(res.Body).Decode(into) != nil {
		return 0
	}
	return res.StatusCode
}

// DSN is that of a database on whichever server accepts writes.
func (p *Patroni) DSN(database string) string {
	var hosts []string
	for _, n := range p.nodes {
		hosts = append(hosts, net.JoinHostPort("127.0.0.1", strconv.Itoa(n.port)))
	}
	return fmt.Sprintf("postgres://postgres@%s/%s?sslmode=disable&target_session_attrs=read-write", strings.Join(hosts, ","), database)
}

// patient is for requests that a hung server must not hold up.
var patient = &http.Client{Timeout: 2 * time.Second}

func (p *Patroni) await(t testing.TB, what string, holds func() bool) {
	t.Helper()
	poll := time.NewTicker(20 * time.Millisecond)
	defer poll.Stop()
	for timeout := time.After(startTimeout); !holds(); {
		select {
		case <-poll.C:
		case <-timeout:
			t.Fatalf("pgtest: not in %s: %s\n%s", startTimeout, what, p.logs())
		}
	}
}

// logs are the newest lines of all logs.
func (p *Patroni) logs() string {
	const newest = 4000
	var all strings.Builder
	paths, _ := filepath.Glob(filepath.Join(p.folder, "*.log"))
	for _, path := range paths {
		text := fileText(path)
		fmt.Fprintf(&all, "%s:\n%s\n", filepath.Base(path), text[max(0, len(text)-newest):])
	}
	return all.String()
}

// remove ends everything and removes the files.
func (p *Patroni) remove() {
	for _, n := range p.nodes {
		if n.patroni != nil {
			_ = n.patroni.kill()
		}
		if pid, ok := n.server(); ok {
			_ = syscall.Kill(pid, syscall.SIGQUIT)
		}
	}
	if p.etcd != nil {
		_ = p.etcd.kill()
	}
	for _, n := range p.nodes {
		for range 100 {
			if _, ok := n.server(); !ok {
				break
			}
			time.Sleep(20 * time.Millisecond)
		}
	}
	_ = os.RemoveAll(p.folder)
}
