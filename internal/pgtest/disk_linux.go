package pgtest

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// CanMount reports whether the tests may mount a file system, which root may. With CI=true it ends the test instead of
// reporting false.
func CanMount(t testing.TB) bool {
	t.Helper()
	dir := t.TempDir()
	err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=64k")
	if err == nil {
		err = syscall.Unmount(dir, syscall.MNT_DETACH)
	}
	switch {
	case err == nil:
		return true
	case os.Getenv("CI") == "true":
		t.Fatalf("pgtest: mounting a small file system, which needs root: %v", err)
	default:
		t.Logf("mounting a small file system, which needs root: %v", err)
	}
	return false
}

// StartOnSmallDisk is [Start] for a server whose data is on a file system of so many MiB. An unused cluster needs 40.
func StartOnSmallDisk(t testing.TB, size int, settings Settings) *Server {
	t.Helper()
	in := installed(t)
	s, err := emptyServer(in)
	if err != nil {
		t.Fatalf("pgtest: %v", err)
	}
	t.Cleanup(func() {
		s.end()
		_ = syscall.Unmount(s.data(), syscall.MNT_DETACH) // it may not be mounted
		s.remove()
	})
	if err := s.mount(size); err != nil {
		t.Fatalf("pgtest: %v", err)
	}
	if err := in.copyCluster(s.data()); err != nil {
		t.Fatalf("pgtest: %v", err)
	}
	if err := s.configure(s.defaults(), settings); err != nil {
		t.Fatalf("pgtest: %v", err)
	}
	s.Start(t)
	return s
}

func (s *Server) mount(size int) error {
	if err := os.Mkdir(s.data(), 0o700); err != nil {
		return err
	}
	options := fmt.Sprintf("size=%dm,mode=0700,uid=%d,gid=%d", size, s.in.account.uid, s.in.account.gid)
	return syscall.Mount("tmpfs", s.data(), "tmpfs", 0, options)
}

func (s *Server) ballast() string { return filepath.Join(s.data(), "ballast") }

// FillDisk leaves no room on the disk of a server of [StartOnSmallDisk].
func (s *Server) FillDisk(t testing.TB) {
	t.Helper()
	f, err := os.Create(s.ballast())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	for block := make([]byte, 64<<10); len(block) > 0; {
		if _, err = f.Write(block); err != nil {
			block = block[:len(block)/2] // down to the last byte
		}
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("pgtest: filling the disk: %v", err)
	}
}

// FreeDisk undoes [Server.FillDisk].
func (s *Server) FreeDisk(t testing.TB) {
	t.Helper()
	if err := os.Remove(s.ballast()); err != nil {
		t.Fatal(err)
	}
}
