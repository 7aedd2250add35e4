package keyfile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// entry is a file, or a link if it has a target, or a folder if its name ends in a slash.
type entry struct {
	name, target string
	mode         fs.FileMode
	user, group  int // who owns it; only root can make one for others
}

// Ids of users and groups that no process of the tests has.
const (
	service  = 61001
	shared   = 61002
	stranger = 61003
)

// build makes the entries in a new folder.
func build(t *testing.T, entries []entry) string {
	t.Helper()
	root, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		path := filepath.Join(root, e.name)
		switch {
		case e.target != "":
			err = os.Symlink(strings.ReplaceAll(e.target, "ROOT", root), path)
		case strings.HasSuffix(e.name, "/"):
			err = os.MkdirAll(path, 0o700)
		default:
			err = os.WriteFile(path, []byte("key"), 0o600)
		}
		if os.Geteuid() == 0 {
			err = errors.Join(err, os.Lchown(path, e.user, e.group))
		}
		if e.target == "" {
			err = errors.Join(err, os.Chmod(path, e.mode))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// mounted is a volume of Kubernetes with one Secret: the key is a link to a link to a file in a
// folder with a time stamp.
func mounted(volume fs.FileMode, file entry) []entry {
	file.name = "..2026_11_23/key"
	return []entry{
		{name: "./", mode: volume, group: file.group},
		{name: "..2026_11_23/", mode: 0o755 | fs.ModeSetgid, group: file.group},
		file,
		{name: "..data", target: "..2026_11_23", group: file.group},
		{name: "key", target: "..data/key", group: file.group},
	}
}

const sticky = fs.ModeSticky | 0o777

// Which files a service that is not root reads. Root makes them, in the folders of others too.
func TestMountedKeys(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Log("only root can make the files of others: TestOwnKeys alone tells")
		return
	}
	for name, c := range map[string]struct {
		entries []entry
		want    error // nil: it is read
	}{
		"Kubernetes, fsGroup":         {entries: mounted(sticky|fs.ModeSetgid, entry{mode: 0o440, group: shared})},
		"Kubernetes, fsGroup 0640":    {entries: mounted(0o755, entry{mode: 0o640, group: shared})},
		"Kubernetes, the user's own":  {entries: mounted(sticky, entry{mode: 0o400, user: service})},
		"Kubernetes, another group":   {mounted(sticky, entry{mode: 0o440, group: stranger}), ErrPermissions},
		"Kubernetes, the default 644": {mounted(sticky, entry{mode: 0o644, group: shared}), ErrPermissions},
		"Kubernetes, group writes":    {mounted(sticky, entry{mode: 0o660, group: shared}), ErrPermissions},
		"a volume without sticky bit": {mounted(0o777, entry{mode: 0o440, group: shared}), ErrPermissions},
		"a volume of its group":       {mounted(0o775, entry{mode: 0o440, group: shared}), ErrPermissions},
		"a link of another user in a sticky folder": {[]entry{
			{name: "./", mode: sticky},
			{name: "real", mode: 0o600, user: service},
			{name: "key", target: "real", user: stranger},
		}, ErrPermissions},
		"a link in a folder of another user": {[]entry{
			{name: "./", mode: 0o755, user: stranger},
			{name: "real", mode: 0o600, user: service},
			{name: "key", target: "real"},
		}, ErrPermissions},
		"a folder that is a link of another user": {[]entry{
			{name: "./", mode: sticky},
			{name: "real/", mode: 0o700, user: service},
			{name: "real/key", mode: 0o600, user: service},
			{name: "folder", target: "real", user: stranger},
			{name: "key", target: "folder/key", user: service},
		}, ErrPermissions},
		"a group's file of another user": {[]entry{{name: "./", mode: 0o755}, {name: "key", mode: 0o440, user: stranger, group: shared}}, ErrPermissions},
		"a group's file that another user can replace": {[]entry{
			{name: "./", mode: 0o777}, {name: "key", mode: 0o440, group: shared},
		}, ErrPermissions},
		"systemd, by ACL": {entries: []entry{
			{name: "./", mode: 0o755}, {name: "credentials/", mode: 0o550}, {name: "credentials/file", mode: 0o440}, {name: "key", target: "credentials/file"},
		}},
		"Docker":           {entries: []entry{{name: "./", mode: 0o755}, {name: "secrets/", mode: 0o755}, {name: "secrets/file", mode: 0o444}, {name: "key", target: "ROOT/secrets/file"}}},
		"Docker Compose":   {entries: []entry{{name: "./", mode: 0o755}, {name: "secrets/", mode: 0o755}, {name: "secrets/file", mode: 0o644, user: stranger, group: stranger}, {name: "key", target: "secrets/file"}}},
		"Docker, writable": {[]entry{{name: "./", mode: 0o755}, {name: "secrets/", mode: 0o755}, {name: "secrets/file", mode: 0o646}, {name: "key", target: "secrets/file"}}, ErrPermissions},
		"a secrets folder of everybody": {[]entry{
			{name: "./", mode: 0o755}, {name: "secrets/", mode: 0o777}, {name: "secrets/file", mode: 0o444}, {name: "key", target: "secrets/file"},
		}, ErrPermissions},
		"a neighbour of the secrets": {[]entry{
			{name: "./", mode: 0o755}, {name: "secrets/", mode: 0o755}, {name: "secrets2/", mode: 0o755}, {name: "secrets2/file", mode: 0o444}, {name: "key", target: "secrets2/file"},
		}, ErrPermissions},
	} {
		t.Run(name, func(t *testing.T) {
			root := build(t, c.entries)
			r := rule{user: service, groups: []int{service, shared}, folders: []string{root + "/secrets", root + "/credentials", root + "/none"}}
			text, err := r.read(root+"/key", 16)
			if !errors.Is(err, c.want) || c.want == nil && string(text) != "key" {
				t.Errorf("read %q, %v, want %v", text, err, c.want)
			}
			if err != nil && !strings.Contains(err.Error(), root+"/key") {
				t.Errorf("%v does not name the path", err)
			}
		})
	}
}

// What holds for the files of this user and this group.
func TestOwnKeys(t *testing.T) {
	user, group := os.Geteuid(), os.Getegid()
	for name, c := range map[string]struct {
		entries []entry
		want    error
	}{
		"private":            {[]entry{{name: "key", mode: 0o600, user: user, group: group}}, nil},
		"read-only":          {[]entry{{name: "key", mode: 0o400, user: user, group: group}}, nil},
		"of the group":       {[]entry{{name: "key", mode: 0o440, user: user, group: group}}, nil},
		"of everybody":       {[]entry{{name: "key", mode: 0o444, user: user, group: group}}, ErrPermissions},
		"writable by others": {[]entry{{name: "key", mode: 0o602, user: user, group: group}}, ErrPermissions},
		"executable":         {[]entry{{name: "key", mode: 0o610, user: user, group: group}}, ErrPermissions},
		"a folder":           {[]entry{{name: "key/", mode: 0o700, user: user, group: group}}, ErrNotRegular},
		"absent":             {nil, fs.ErrNotExist},
		"a dangling link":    {[]entry{{name: "key", target: "none", user: user, group: group}}, fs.ErrNotExist},
		"a circle":           {[]entry{{name: "key", target: "key", user: user, group: group}}, errTooManyLinks},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(build(t, c.entries), "key")
			if _, err := Read(path, 16); !errors.Is(err, c.want) || err != nil && !strings.Contains(err.Error(), path) {
				t.Errorf("Read is %v, want %v with the path", err, c.want)
			}
		})
	}
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Read(pipe, 16); !errors.Is(err, ErrNotRegular) {
		t.Errorf("a pipe: %v", err)
	}
}

// The refusal names every way that there is.
func TestRefusalNamesWays(t *testing.T) {
	path := filepath.Join(build(t, []entry{{name: "key", mode: 0o644, user: os.Geteuid(), group: os.Getegid()}}), "key")
	_, err := Read(path, 16)
	for _, way := range []string{"chmod 600", "0440", "defaultMode", "fsGroup", "CREDENTIALS_DIRECTORY", "/run/secrets"} {
		if err == nil || !strings.Contains(err.Error(), way) {
			t.Errorf("%v does not name %s", err, way)
		}
	}
}

// The folder of systemd's credentials is that of the environment.
func TestCredentialsDirectory(t *testing.T) {
	root := build(t, []entry{{name: "key", mode: 0o444, user: os.Geteuid(), group: os.Getegid()}})
	t.Setenv(credentialsVariable, root)
	if text, err := Read(root+"/key", 2); err != nil || string(text) != "ke" {
		t.Errorf("Read is %q, %v", text, err)
	}
	t.Setenv(credentialsVariable, ".") // not absolute: it is not systemd's
	t.Chdir(root)
	if _, err := Read("key", 16); !errors.Is(err, ErrPermissions) {
		t.Errorf("a relative folder: %v", err)
	}
}
