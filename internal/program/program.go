// Package program builds the issuer as it ships and runs it, for tests of the whole program.
//
// [Build] makes a [Binary] and [Prepare] a folder to run it in. [Start] starts a [Process],
// whose log a test can wait for.
package program

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"issuer.example/client"
	"issuer.example/secret"
)

// Binary is the path of a built issuer.
type Binary string

// Build builds the issuer into dir. race adds the race detector.
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

// touchSources stats the files that the issuer is built from. The go command caches the result
// of a test together with the files that the test itself has opened or looked at, but it does
// not know what a build inside the test reads. So a change of the sources runs the test again.
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

// Command returns a command that runs the issuer in a folder. Its environment is PATH, HOME and
// environ. The end of ctx kills it.
func (b Binary) Command(ctx context.Context, dir string, environ []string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, string(b), args...) //nolint:gosec // it is the program that was built
	cmd.Dir = dir
	// A data race ends the program, so that no test can miss it. The race detector would also
	// sleep for a second at the exit.
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

// Prepare writes to dir the files that `issuer serve` needs, and returns a service key that it
// accepts. The issuer listens on free ports and keeps its data in data/issuer.db.
func Prepare(dir string) (serviceKey string, err error) {
	serviceKey = client.GenerateKey()
	text := fmt.Sprintf(config, client.HashKey(serviceKey))
	if err := os.WriteFile(filepath.Join(dir, "config.yaml"), []byte(text), 0o600); err != nil {
		return "", fmt.Errorf("preparing %s: %w", dir, err)
	}
	if err := os.WriteFile(filepath.Join(dir, "issuer.secret"), []byte(secret.Generate()+"\n"), 0o600); err != nil {
		return "", fmt.Errorf("preparing %s: %w", dir, err)
	}
	return serviceKey, nil
}
