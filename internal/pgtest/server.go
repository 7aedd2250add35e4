package pgtest

import (
	"fmt"
	"math/rand/v2"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// startTimeout bounds the start of a server, and its recovery after a kill, on a busy machine.
const startTimeout = 60 * time.Second

// Settings are lines of postgresql.conf, such as max_connections or synchronous_commit. They come after the defaults
// of the package and so win over them.
type Settings map[string]string

// Server is a PostgreSQL server. Its methods end the test if they fail.
type Server struct {
	in     *installation
	folder string // has the folders of the data and of the socket, and the log
	port   int

	mu        sync.Mutex
	process   *process // nil: it does not run
	templates map[string]bool
}

// process is one run of a server.
type process struct {
	cmd   *exec.Cmd
	ended chan struct{} // closed when it has ended
}

// Start starts a server for one test. It keeps what it has acknowledged, and it ends with the test.
func Start(t testing.TB, settings Settings) *Server {
	t.Helper()
	s, err := newServer(installed(t), settings)
	if err != nil {
		t.Fatalf("pgtest: %v", err)
	}
	t.Cleanup(s.remove)
	s.Start(t)
	return s
}

// newServer makes the files of a server.
func newServer(in *installation, settings Settings) (*Server, error) {
	s, err := emptyServer(in)
	if err != nil {
		return nil, err
	}
	if err := os.Mkdir(s.data(), 0o700); err != nil {
		return nil, err
	}
	if err := in.account.own(s.data()); err != nil {
		return nil, err
	}
	if err := in.copyCluster(s.data()); err != nil {
		return nil, err
	}
	return s, s.configure(s.defaults(), settings)
}

// emptyServer makes the folders of a server.
func emptyServer(in *installation) (*Server, error) {
	folder, err := in.newFolder()
	if err != nil {
		return nil, err
	}
	s := &Server{in: in, folder: folder, port: freePort()}
	if err := os.Mkdir(s.socket(), 0o700); err != nil {
		return nil, err
	}
	return s, in.account.own(s.socket())
}

func (s *Server) data() string   { return filepath.Join(s.folder, "data") }
func (s *Server) socket() string { return filepath.Join(s.folder, "s") }

// configure appends to the configuration.
func (s *Server) configure(parts ...Settings) error {
	var conf strings.Builder
	for _, part := range parts {
		for name, value := range part {
			fmt.Fprintf(&conf, "%s = %s\n", name, quoted(value))
		}
	}
	file, err := os.OpenFile(filepath.Join(s.data(), "postgresql.conf"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	if _, err := file.WriteString(conf.String()); err != nil {
		_ = file.Close()
		return err
	}
	return file.Close()
}

func (s *Server) defaults() Settings {
	return Settings{
		"port":                       strconv.Itoa(s.port),
		"listen_addresses":           "127.0.0.1",
		"unix_socket_directories":    s.socket(),
		"max_connections":            "400",
		"shared_buffers":             "64MB",
		"dynamic_shared_memory_type": "mmap", // files of the cluster: nothing is left in /dev/shm
		"log_min_messages":           "log",
		"timezone":                   "UTC",
	}
}

// freePort returns a port that nobody listens on. It is below those that the system gives to clients, so that it stays
// free while the server does not run.
func freePort() int {
	for {
		port := 20000 + rand.IntN(12000)
		l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err != nil {
			continue
		}
		_ = l.Close()
		return port
	}
}

// Start starts a server that has been stopped or killed, and waits until it accepts connections.
func (s *Server) Start(t testing.TB) {
	t.Helper()
	if err := s.start(); err != nil {
		t.Fatalf("pgtest: %v\n%s", err, s.Log())
	}
}

func (s *Server) start() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.process != nil {
		return fmt.Errorf("the server runs already")
	}
	log, err := os.OpenFile(s.logFile(), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }()
	cmd := s.in.command("postgres", "-D", s.data())
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		return err
	}
	s.process = &process{cmd: cmd, ended: make(chan struct{})}
	go func(p *process) {
		defer close(p.ended)
		_ = p.cmd.Wait() // the log has the reason
	}(s.process)
	return s.process.ready(s.pidFile())
}

// ready waits until the server accepts connections.
func (p *process) ready(pidFile string) error {
	poll := time.NewTicker(10 * time.Millisecond)
	defer poll.Stop()
	timeout := time.After(startTimeout)
	for {
		select {
		case <-p.ended:
			return fmt.Errorf("the server has ended: %s", p.cmd.ProcessState)
		case <-timeout:
			return fmt.Errorf("the server does not accept connections after %s", startTimeout)
		case <-poll.C:
		}
		// The eighth line is the state of the server, as pg_ctl reads it.
		lines := strings.Split(fileText(pidFile), "\n")
		if len(lines) > 7 && lines[0] == strconv.Itoa(p.cmd.Process.Pid) && strings.TrimSpace(lines[7]) == "ready" {
			return nil
		}
	}
}

func (s *Server) pidFile() string { return filepath.Join(s.data(), "postmaster.pid") }
func (s *Server) logFile() string { return filepath.Join(s.folder, "log") }

// Log returns what the server has logged.
func (s *Server) Log() string { return fileText(s.logFile()) }

// Stop stops the server at once, as `pg_ctl stop -m immediate` does: connections are cut, and the next start recovers.
func (s *Server) Stop(t testing.TB) {
	t.Helper()
	if err := s.stop(syscall.SIGQUIT); err != nil {
		t.Fatalf("pgtest: %v", err)
	}
}

// Kill kills all processes of the server.
func (s *Server) Kill(t testing.TB) {
	t.Helper()
	if err := s.stop(syscall.SIGKILL); err != nil {
		t.Fatalf("pgtest: %v", err)
	}
}

// Restart stops the server after it has written all to its files (`pg_ctl restart -m fast`) and starts it.
func (s *Server) Restart(t testing.TB) {
	t.Helper()
	if err := s.stop(syscall.SIGINT); err != nil {
		t.Fatalf("pgtest: %v", err)
	}
	s.Start(t)
}

func (s *Server) stop(sig syscall.Signal) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.process == nil {
		return fmt.Errorf("the server does not run")
	}
	p := s.process
	s.process = nil
	if sig == syscall.SIGKILL {
		return p.kill()
	}
	if err := p.cmd.Process.Signal(sig); err != nil {
		return err
	}
	return p.wait()
}

func (p *process) wait() error {
	select {
	case <-p.ended:
		return nil
	case <-time.After(startTimeout):
		return fmt.Errorf("the server does not end")
	}
}

// kill kills the process and its children.
func (p *process) kill() error {
	if err := killWithChildren(p.cmd.Process.Pid); err != nil {
		return err
	}
	return p.wait()
}

// killWithChildren kills a process and its children: those of a server would otherwise go on for a moment.
func killWithChildren(pid int) error {
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil { // it starts no more children
		return err
	}
	children := strings.Fields(fileText(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid)))
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		return err
	}
	for _, child := range children {
		n, err := strconv.Atoi(child)
		if err != nil {
			continue
		}
		_ = syscall.Kill(n, syscall.SIGKILL) // it may have ended by itself
		for deadline := time.Now().Add(startTimeout); alive(n); {
			if time.Now().After(deadline) {
				return fmt.Errorf("process %d does not end", n)
			}
			time.Sleep(time.Millisecond)
		}
	}
	return nil
}

// alive reports whether a process exists and has not ended.
func alive(pid int) bool {
	_, state, ok := strings.Cut(fileText(fmt.Sprintf("/proc/%d/stat", pid)), ") ")
	return ok && !strings.HasPrefix(state, "Z")
}

// end ends the server if it runs.
func (s *Server) end() {
	if s.process != nil {
		_ = s.stop(syscall.SIGQUIT)
	}
	s.removeSharedMemory()
}

// removeSharedMemory removes the few bytes of shared memory that a server leaves that was killed. Their identifier is in
// the seventh line.
func (s *Server) removeSharedMemory() {
	if lines := strings.Split(fileText(s.pidFile()), "\n"); len(lines) > 6 {
		if fields := strings.Fields(lines[6]); len(fields) == 2 {
			_ = exec.Command("ipcrm", "-m", fields[1]).Run()
		}
	}
}

// remove ends the server and removes its files.
func (s *Server) remove() {
	s.end()
	_ = os.RemoveAll(s.folder)
}

// Address is where the server accepts TCP connections.
func (s *Server) Address() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port)) }

// DSN is that of a database over TCP, as the superuser.
func (s *Server) DSN(database string) string { return dsn(s.Address(), database) }

func dsn(address, database string) string {
	return fmt.Sprintf("postgres://postgres@%s/%s?sslmode=disable", address, database)
}

// SocketDSN is that of a database over the socket, which is quicker than TCP.
func (s *Server) SocketDSN(database string) string {
	q := url.Values{"host": {s.socket()}, "port": {strconv.Itoa(s.port)}}
	return fmt.Sprintf("postgres://postgres@/%s?%s", database, q.Encode())
}
