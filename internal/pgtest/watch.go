package pgtest

import (
	"io"
	"os/exec"
	"syscall"
)

// watcher waits for the end of its standard input, which is the end of the test program, and cleans up after it.
const watcher = `
cat >/dev/null
for pid in "$1"/*/data/postmaster.pid; do
  [ -e "$pid" ] && kill -QUIT "$(head -n 1 "$pid")"
done
for n in $(seq 100); do
  ls "$1"/*/data/postmaster.pid || break
  sleep 0.1
done
for pid in "$1"/*/data/postmaster.pid; do # of servers that were killed
  ipcrm -m "$(sed -n '7s/.* //p' "$pid")"
done
rm -rf "$1"
`

// watch starts the watcher of a folder.
func watch(folder string) error {
	cmd := exec.Command("/bin/sh", "-c", watcher, "pgtest-watcher", folder)
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	alive, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	watched = alive
	return nil
}

// watched is open as long as this program runs.
var watched io.Closer
