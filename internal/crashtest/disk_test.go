//go:build linux

package crashtest_test

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
	"unsafe"
)

// The disk is full under load. Requests that need to write are answered 503, and when there
// is room again the program recovers by itself. Nothing that was acknowledged is lost.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	shortages := map[string]func(t *testing.T, s *site) (begin, end func()){
		"file size limit": limitFileSize,
	}
	if mountable(t) {
		shortages["small file system"] = fillDisk
	}
	for name, prepare := range shortages {
		t.Run(name, func(t *testing.T) {
			seed := seeded(t)
			s, f := newSite(t), newFleet(t, seed)
			begin, end := prepare(t, s)
			s.start(time.Minute)
			f.connect(s.api, time.Minute)
			f.failures = true
			rest := f.background()
			f.serves(200)
			begin()
			f.fails(30)
			end()
			eventually(t, "the program recovers", s.api.ready)
			f.serves(200)
			rest()
			f.failures = false
			f.verify(false)
			s.kill()

			s.start(time.Minute)
			f.connect(s.api, time.Minute)
			f.verify(true)
			s.stop()
		})
	}
}

// fillDisk puts the data on a small file system and fills it.
func fillDisk(t *testing.T, s *site) (begin, end func()) {
	t.Helper()
	folder := filepath.Dir(s.data())
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	mount(t, folder, "size=4m,mode=0700")
	ballast := filepath.Join(folder, "ballast")
	begin = func() {
		f, err := os.Create(ballast)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = f.Close() }()
		for block := make([]byte, 4096); err == nil; _, err = f.Write(block) {
			continue
		}
		if !errors.Is(err, syscall.ENOSPC) {
			t.Fatal(err)
		}
	}
	end = func() {
		if err := os.Remove(ballast); err != nil {
			t.Fatal(err)
		}
	}
	return begin, end
}

// limitFileSize limits how large a file the program may write, which takes no privileges.
func limitFileSize(t *testing.T, s *site) (begin, end func()) {
	t.Helper()
	begin = func() { limit(t, s.p.PID(), 64<<10) }
	end = func() { limit(t, s.p.PID(), ^uint64(0)) }
	return begin, end
}

// limit sets RLIMIT_FSIZE of a running process.
func limit(t *testing.T, pid int, size uint64) {
	t.Helper()
	limits := syscall.Rlimit{Cur: size, Max: ^uint64(0)}
	_, _, errno := syscall.RawSyscall6(syscall.SYS_PRLIMIT64, uintptr(pid), syscall.RLIMIT_FSIZE, uintptr(unsafe.Pointer(&limits)), 0, 0, 0)
	if errno != 0 {
		t.Fatalf("limiting the file size: %v", errno)
	}
}

// mountable reports whether this user may mount.
func mountable(t *testing.T) bool {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=64k"); err != nil {
		t.Logf("mounting a file system: %v; that of a small disk is left to whoever may", err)
		return false
	}
	if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
		t.Fatal(err)
	}
	return true
}

// mount mounts a file system in memory until the test ends.
func mount(t *testing.T, dir, options string) {
	t.Helper()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, options); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
}
