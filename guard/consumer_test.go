package guard_test

import (
	"debug/buildinfo"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"issuer.example/guard"
	"issuer.example/guard/guardtest"
	"issuer.example/jwt"
)

// A service that imports guard depends on one third-party module: golang-jwt.
func TestConsumersBinary(t *testing.T) {
	t.Parallel()
	binary := filepath.Join(t.TempDir(), "service")
	build := exec.Command("go", "build", "-o", binary, ".")
	build.Dir = filepath.Join("..", "examples", "nethttp")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	info, err := buildinfo.ReadFile(binary)
	if err != nil {
		t.Fatal(err)
	}
	var modules []string
	for _, dep := range info.Deps {
		modules = append(modules, dep.Path)
	}
	slices.Sort(modules)
	if want := []string{"github.com/golang-jwt/jwt/v5", "issuer.example"}; !slices.Equal(modules, want) {
		t.Errorf("the binary has %q", modules)
	}
}

// The examples are separate modules, which no other test builds.
func TestExamples(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"nethttp", "echo"} {
		run := exec.Command("go", "test", "./...")
		run.Dir = filepath.Join("..", "examples", name)
		if out, err := run.CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}
}

// The service key may be replaced while the service runs.
func TestServiceKeyFile(t *testing.T) {
	t.Parallel()
	iss := guardtest.New(t, guardtest.Config{})
	file := filepath.Join(t.TempDir(), "key")
	write := func(text string) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	config := iss.Config()
	config.ServiceKey, config.ServiceKeyFile = "", file
	_ = fails(t, config) // there is no file
	write("sk_old")
	_ = fails(t, config)
	write(guardtest.ServiceKey + "\n")
	g := iss.Guard(t, func(c *guard.Config) { *c = config }, quiet)
	iss.Await(t, g)
	write("sk_old")
	iss.Cut()
	guardtest.Until(t, func() bool { return g.Stats().Feed.Err != nil })
	token := iss.Mint(t, jwt.Claims{})
	iss.Revoke(t, token)
	write(guardtest.ServiceKey)
	iss.Await(t, g)
	refused(t, g, token, guard.ErrRevoked)
}

// Printing a guard or its configuration does not print the service key.
func TestServiceKeyIsNotPrinted(t *testing.T) {
	iss := guardtest.New(t, guardtest.Config{})
	g := iss.Guard(t)
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "config", iss.Config())
	for _, text := range []string{
		fmt.Sprintf("%v %+v %#v %s", iss.Config(), iss.Config(), iss.Config(), iss.Config()),
		fmt.Sprintf("%v %+v %#v", g, g, g), log.String(),
	} {
		if strings.Contains(text, guardtest.ServiceKey) {
			t.Error(text)
		}
	}
}

// A token in the cache costs one allocation: the claims that are returned.
func TestSeenTokenAllocatesOnce(t *testing.T) {
	iss := guardtest.New(t, guardtest.Config{})
	g := iss.Guard(t)
	iss.RevokeUser("u9") // so that marks are looked up too
	iss.Await(t, g)
	token, ctx := iss.Mint(t, jwt.Claims{AMR: []string{"pwd"}}), t.Context()
	allocations := testing.AllocsPerRun(1000, func() {
		if _, err := g.Verify(ctx, token); err != nil {
			t.Fatal(err)
		}
	})
	if allocations > 1 {
		t.Errorf("%v allocations", allocations)
	}
}
