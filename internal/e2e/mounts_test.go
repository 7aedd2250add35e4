//go:build linux

package e2e_test

import (
	endian "encoding/binary"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"issuer.example/client"
	"issuer.example/secret"
)

// The user and the groups of a service, which exist on no machine.
const (
	serviceUser = 61001
	sharedGroup = 61002
	otherUser   = 61003
)

// service is a program that runs as a user other than root, in a folder that it can reach.
type service struct {
	t      *testing.T
	dir    string // of the data
	binary string
}

// newService prepares a program for another user. Only root can; the result is nil otherwise.
func newService(t *testing.T) *service {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Log("only root can run the program as another user")
		return nil
	}
	program, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("/tmp", "issuer-service-") //nolint:usetesting // TMPDIR may be closed to others
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	s := &service{t: t, dir: filepath.Join(dir, "data"), binary: filepath.Join(dir, "issuer")}
	text, err := os.ReadFile(string(program))
	if err == nil {
		err = errors.Join(os.Chmod(dir, 0o755), os.WriteFile(s.binary, text, 0o755), os.Mkdir(s.dir, 0o700), os.Chown(s.dir, serviceUser, serviceUser))
	}
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// folder makes a folder of root that everybody can reach.
func (s *service) folder(name string) string {
	s.t.Helper()
	path := filepath.Join(filepath.Dir(s.dir), name)
	if err := errors.Join(os.Mkdir(path, 0o755), os.Chmod(path, 0o755)); err != nil {
		s.t.Fatal(err)
	}
	return path
}

// environ is the environment of an issuer whose secret is in a file.
func (s *service) environ(secretFile string) []string {
	return append(anywhere(), "ISSUER_SECRETS="+secretFile, "ISSUER_STORE_PATH="+filepath.Join(s.dir, "issuer.db"),
		`ISSUER_SERVICE_KEYS=[{"name":"a","sha256":"`+client.HashKey("x").String()+`","scopes":["admin"]}]`)
}

// command is the program as the service's user.
func (s *service) command(environ []string, args ...string) *exec.Cmd {
	cmd := command(s.t, s.dir, environ, args...)
	cmd.Path = s.binary
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{
		Uid: serviceUser, Gid: serviceUser, Groups: []uint32{sharedGroup},
	}}
	return cmd
}

// serves starts the issuer and stops it.
func (s *service) serves(environ []string) {
	s.t.Helper()
	start(s.t, s.command(environ, "serve")).stop()
}

func (s *service) check(environ []string) result {
	s.t.Helper()
	return runCommand(s.t, s.command(environ, "check"))
}

// mountSecret makes a folder as Kubernetes mounts a Secret with the mode 0440 and an fsGroup, with
// the keys as files. It returns the folder.
func mountSecret(t *testing.T, volume string, group int, files map[string]string) string {
	t.Helper()
	stamped := filepath.Join(volume, "..2026_11_23_12_00_00")
	err := errors.Join(os.Chmod(volume, 0o777|fs.ModeSticky|fs.ModeSetgid), os.Mkdir(stamped, 0o755), os.Chmod(stamped, 0o755|fs.ModeSetgid))
	for name, text := range files {
		path := filepath.Join(stamped, name)
		err = errors.Join(err, os.WriteFile(path, []byte(text), 0o600), os.Chown(path, 0, group), os.Chmod(path, 0o440),
			os.Symlink("..data/"+name, filepath.Join(volume, name)))
	}
	if err := errors.Join(err, os.Symlink(filepath.Base(stamped), filepath.Join(volume, "..data"))); err != nil {
		t.Fatal(err)
	}
	return volume
}

// A Secret of Kubernetes: root owns it, a group of the process may read it, and links lead to it.
func TestKubernetesSecret(t *testing.T) {
	s := newService(t)
	if s == nil {
		return
	}
	good := mountSecret(t, s.folder("secret"), sharedGroup, map[string]string{"issuer.secret": secret.Generate(), "admin.key": client.GenerateKey()})
	s.serves(s.environ(good + "/issuer.secret"))
	if r := s.check(s.environ(good + "/issuer.secret")); r.code != 0 {
		t.Errorf("check: %+v", r)
	}
	// The commands read a key in the same way, by flag and by variable.
	nobody := []string{"ISSUER_ADMIN_URL=http://127.0.0.1:1"}
	for _, cmd := range []*exec.Cmd{
		s.command(nobody, "keys", "list", "--key-file", good+"/admin.key"),
		s.command(append(nobody, "ISSUER_ADMIN_KEY_FILE="+good+"/admin.key"), "keys", "list"),
	} {
		runCommand(t, cmd).failed(t, "no issuer answers")
	}
	stranger := mountSecret(t, s.folder("stranger"), otherUser, map[string]string{"issuer.secret": secret.Generate()})
	s.check(s.environ(stranger+"/issuer.secret")).failed(t, stranger+"/issuer.secret", "permission denied")
	// Whoever can replace a link in the volume chooses the secret.
	if err := os.Chmod(good, 0o777); err != nil {
		t.Fatal(err)
	}
	s.check(s.environ(good+"/issuer.secret")).failed(t, good+"/issuer.secret", "symbolic link", "chmod go-w")
}

// A credential of systemd: the mode is 0440 of root's group, and an ACL lets the service read it.
func TestSystemdCredential(t *testing.T) {
	s := newService(t)
	if s == nil {
		return
	}
	folder := s.folder("credentials")
	path := filepath.Join(folder, "issuer.secret")
	err := errors.Join(os.WriteFile(path, []byte(secret.Generate()), 0o400), allow(path, 4), allow(folder, 5))
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o440 {
		t.Fatalf("the credential is %v, %v, want mode 0440", info, err)
	}
	s.serves(append(s.environ(path), "CREDENTIALS_DIRECTORY="+folder))
	s.check(s.environ(path)).failed(t, path, "CREDENTIALS_DIRECTORY")
}

// allow gives the service, and nobody else but root, a permission by an ACL.
func allow(path string, permission uint16) error {
	const version, userObject, user, groupObject, mask, other = 2, 0x01, 0x02, 0x04, 0x10, 0x20
	acl := endian.LittleEndian.AppendUint32(nil, version)
	for _, entry := range []struct {
		tag, permission uint16
		id              uint32
	}{
		{userObject, permission, 1<<32 - 1},
		{user, permission, serviceUser},
		{groupObject, 0, 1<<32 - 1},
		{mask, permission, 1<<32 - 1},
		{other, 0, 1<<32 - 1},
	} {
		acl = endian.LittleEndian.AppendUint16(acl, entry.tag)
		acl = endian.LittleEndian.AppendUint16(acl, entry.permission)
		acl = endian.LittleEndian.AppendUint32(acl, entry.id)
	}
	return syscall.Setxattr(path, "system.posix_acl_access", acl, 0)
}

// A secret of Docker and Swarm: everybody in the container can read it.
func TestDockerSecret(t *testing.T) {
	s := newService(t)
	if s == nil {
		return
	}
	path := filepath.Join(s.folder("elsewhere"), "issuer.secret")
	if err := errors.Join(os.WriteFile(path, []byte(secret.Generate()), 0o444), os.Chmod(path, 0o444)); err != nil {
		t.Fatal(err)
	}
	s.check(s.environ(path)).failed(t, path, "/run/secrets")
	if err := exec.Command("unshare", "--mount", "true").Run(); err != nil {
		t.Logf("no file system of its own can be made: %v", err)
		return
	}
	// A file system of its own, as in a container.
	cmd := command(t, s.dir, s.environ("/run/secrets/issuer.secret"))
	cmd.Path, cmd.Args = "/usr/bin/unshare", []string{
		"unshare", "--mount", "sh", "-euc",
		`mount -t tmpfs none /run && mkdir -m 755 /run/secrets && cp "$1" /run/secrets/ && chmod 444 /run/secrets/* &&
		exec setpriv --reuid "$2" --regid "$2" --clear-groups "$0" check`, s.binary, path, "61001",
	}
	if r := runCommand(t, cmd); r.code != 0 || strings.TrimSpace(r.stdout) != "ok" {
		t.Errorf("check: %+v", r)
	}
}

// A volume with an fsGroup: the file becomes 0660 and the folder 2775 between two starts.
func TestKubernetesVolume(t *testing.T) {
	s := newService(t)
	if s == nil {
		return
	}
	path := filepath.Join(s.folder("secret"), "issuer.secret")
	if err := errors.Join(os.WriteFile(path, []byte(secret.Generate()), 0o600), os.Chown(path, serviceUser, serviceUser)); err != nil {
		t.Fatal(err)
	}
	environ := s.environ(path)
	data := filepath.Join(s.dir, "issuer.db")
	s.serves(environ)
	for _, folder := range []fs.FileMode{0o775 | fs.ModeSetgid, 0o777} {
		if err := errors.Join(os.Chmod(data, 0o660), os.Chown(data, serviceUser, sharedGroup), os.Chmod(s.dir, folder)); err != nil {
			t.Fatal(err)
		}
		if r := s.check(environ); r.code != 0 || !strings.Contains(r.stdout, "the start will change a mode") {
			t.Errorf("%v: check: %+v", folder, r)
		}
		i := start(t, s.command(environ, "serve"))
		if text := i.Log().Text(); !strings.Contains(text, "changed a mode") || !strings.Contains(text, data) {
			t.Errorf("%v: the log does not say it:\n%s", folder, text)
		}
		i.stop()
		if info, err := os.Stat(data); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%v: the data file is %v, %v", folder, info, err)
		}
	}
	// The root of the volume is another user's, and everybody's.
	if err := errors.Join(os.Chown(s.dir, 0, 0), os.Chmod(s.dir, 0o777)); err != nil {
		t.Fatal(err)
	}
	s.check(environ).failed(t, "store.path", "chmod +t", filepath.Join(s.dir, "issuer", "issuer.db"))
	runCommand(t, s.command(environ, "serve")).failed(t, "chmod +t")
	s.serves(append(environ, "ISSUER_STORE_PATH="+filepath.Join(s.dir, "issuer", "issuer.db")))
	if err := os.Chmod(s.dir, 0o777|fs.ModeSticky); err != nil {
		t.Fatal(err)
	}
	s.serves(environ)
}
