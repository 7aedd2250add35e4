// Package program builds the issuer as it ships and runs it, for tests that drive it from
// outside.
//
// [Build] makes a [Binary], [Prepare] a folder to run it in, and [Start] a [Process] whose
// log the test can wait on.
package program

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Binary is the path of a built issuer.
type Binary string

// Build builds the issuer into dir, with the race detector if race is set.
func Build(ctx context.Context, dir string, race bool) (Binary, error) {
	if err := touchSources(ctx); err != nil {
		return "", err
	}
	path := filepath.Join(dir, "issuer")
	args := []string{"build", "-o", path}
	if race {
		args = append(args, "-race")
	}
	cmd := exec.CommandContext(ctx, "go", append(args, "issuer.example/cmd/issuer")...) //nolint:gosec // the arguments are these
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building the issuer: %w\n%s", err, out)
	}
	return Binary(path), nil
}

// touchSources looks at the files that the issuer is built from. The go command remembers
// what a test looks at, and runs it again when that has changed; what the build reads it
// would not know of.
func touchSources(ctx context.Context) error {
	const files = `{{if .Module}}{{if .Module.Main}}{{$dir := .Dir}}` +
		`{{range .GoFiles}}{{$dir}}/{{.}}{{"\n"}}{{end}}{{range .EmbedFiles}}{{$dir}}/{{.}}{{"\n"}}{{end}}` +
		`{{.Module.GoMod}}{{end}}{{end}}`
	out, err := exec.CommandContext(ctx, "go", "list", "-deps", "-f", files, "issuer.example/cmd/issuer").Output()
	if err != nil {
		return fmt.Errorf("listing the sources of the issuer: %w", err)
	}
	for _, path := range strings.Fields(string(out)) {
		if _, err := os.Stat(path); err != nil {
			return fmt.Errorf("listing the sources of the issuer: %w", err)
		}
	}
	return nil
}

// Command is the issuer with arguments, in a folder. Of the test's environment it sees
// nothing but PATH. The end of ctx kills it.
func (b Binary) Command(ctx context.Context, dir string, environ []string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, string(b), args...) //nolint:gosec // it is the program that was built
	cmd.Dir = dir
	// A data race ends the program, so that no test can miss it. And the race detector's
	// own second of sleep at the exit is left out.
	race := "GORACE=halt_on_error=1 atexit_sleep_ms=0"
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, race}, environ...)
	return cmd
}

const config = `issuer: http://localhost:8080
listen: 127.0.0.1:0
admin: {listen: 127.0.0.1:0}
store: {path: data/issuer.db}
secrets: [issuer.secret]
service_keys:
  - {name: backend, sha256: %s, scopes: [sessions:mint, sessions:read, sessions:revoke, tokens:introspect, revocations:read]}
`

// Prepare makes dir a folder that `issuer serve` runs in, on free ports, with its data in
// data/issuer.db, and returns the service key that it accepts.
func Prepare(dir string) (serviceKey string, err error) {
	serviceKey = "sk_" + random()
	sum := sha256.Sum256([]byte(serviceKey))
	text := fmt.Sprintf(config, hex.EncodeToString(sum[:]))
	if err := os.WriteFile(filepath.Join(dir, "config.yaml"), []byte(text), 0o600); err != nil {
		return "", fmt.Errorf("preparing %s: %w", dir, err)
	}
	if err := os.WriteFile(filepath.Join(dir, "issuer.secret"), []byte(random()+"\n"), 0o600); err != nil {
		return "", fmt.Errorf("preparing %s: %w", dir, err)
	}
	return serviceKey, nil
}

// random is 32 random bytes as base64url.
func random() string {
	var raw [32]byte
	_, _ = rand.Read(raw[:]) // never fails: crypto/rand ends the program instead
	return base64.RawURLEncoding.EncodeToString(raw[:])
}
