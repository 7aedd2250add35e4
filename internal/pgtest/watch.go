package pgtest

import (
	"io"
	"os/exec"
	"syscall"
)

// watcher waits for the end of its standard input, which is the end of the test program, and cleans up after it.
const watcher = `
cat >/dev/null
for pid in "$1"/*/data/postmaster.pid "$1"/*/pgbouncer.pid; do
  [ -e "$pid" ] && kill -QUIT "$(head -n 1 "$pid")"
done
for n in $(seq 100); do
  ls "$1"/*/data/postmaster.pid || break
  sleep 0.1
done
for pid in "$1"/*/data/postmaster.pid; do # of servers that were killed
  ipcrm -m "$(sed -n '7s/.* //p' "$pid")"
done
umount -l "$1"/*/data
rm -rf "$1"
`

// watch starts the watcher of a folder. It waits until what is returned is closed, and that is left to the system.
func watch(folder string) (alive io.Closer, err error) {
	cmd := exec.Command("/bin/sh", "-c", watcher, "pgtest-watcher", folder)
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if alive, err = cmd.StdinPipe(); err != nil {
		return nil, err
	}
	return alive, cmd.Start()
}
