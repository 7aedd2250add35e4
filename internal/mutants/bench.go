package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"time"
)

// goPackage is what `go list` says of a package.
type goPackage struct {
	Dir        string
	ImportPath string
	GoFiles    []string
}

func listPackages(ctx context.Context, patterns []string) ([]goPackage, error) {
	cmd := exec.CommandContext(ctx, "go", append([]string{"list", "-json=Dir,ImportPath,GoFiles"}, patterns...)...) //nolint:gosec // the developer chooses the packages
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	var packages []goPackage
	for decoder := json.NewDecoder(out); decoder.More(); {
		var p goPackage
		if err := decoder.Decode(&p); err != nil {
			return nil, errors.Join(err, cmd.Wait())
		}
		packages = append(packages, p)
	}
	if err := cmd.Wait(); err != nil {
		return nil, fmt.Errorf("listing the packages: %w", err)
	}
	return packages, nil
}

// outcome is what became of a mutant.
type outcome int

const (
	untried  outcome = iota // there was no time
	survived                // all tests passed
	noticed                 // a test failed
	timedOut                // the tests took much longer than without the breakage
	invalid                 // the copy did not compile
)

// bench compiles and runs the tests of one package, in a folder of its own.
type bench struct {
	pkg   goPackage
	dir   string
	tests string
	limit time.Duration // for one run of the tests
}

// newBench runs the tests once as they are. They must pass, and their time sets the limit.
func newBench(ctx context.Context, p goPackage, tests string) (_ *bench, err error) {
	dir, err := os.MkdirTemp("", "mutants")
	if err != nil {
		return nil, err
	}
	b := &bench{pkg: p, dir: dir, tests: tests, limit: 10 * time.Minute}
	defer func() {
		if err != nil {
			b.close()
		}
	}()
	began := time.Now()
	binary, err := b.compile(ctx, dir, nil)
	if err != nil {
		return nil, fmt.Errorf("compiling the tests: %w", err)
	}
	compiled := time.Now()
	if err := b.runTests(ctx, dir, binary); err != nil {
		return nil, fmt.Errorf("the tests fail without any breakage: %w", err)
	}
	b.limit = 5*time.Second + 3*time.Since(compiled)
	fmt.Fprintf(os.Stderr, "%s: %v to compile, %v to test\n", p.ImportPath,
		compiled.Sub(began).Round(time.Millisecond), time.Since(compiled).Round(time.Millisecond))
	return b, nil
}

func (b *bench) close() {
	if err := os.RemoveAll(b.dir); err != nil {
		fmt.Fprintln(os.Stderr, "mutants:", err)
	}
}

// tryAll tries the mutants in order until the deadline. The outcomes are in the same order.
func (b *bench) tryAll(ctx context.Context, mutants []mutant, workers int, deadline time.Time) []outcome {
	outcomes := make([]outcome, len(mutants))
	next := make(chan int)
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for i := range next {
				outcomes[i] = b.try(ctx, mutants[i])
			}
		})
	}
	for i := range mutants {
		if time.Now().After(deadline) || ctx.Err() != nil {
			break
		}
		next <- i
	}
	close(next)
	wg.Wait()
	return outcomes
}

// try runs the tests against one mutant.
func (b *bench) try(ctx context.Context, m mutant) outcome {
	dir, err := os.MkdirTemp(b.dir, "m")
	if err != nil {
		return untried
	}
	defer func() { _ = os.RemoveAll(dir) }() // close reports what stays
	binary, err := b.compile(ctx, dir, &m)
	if err != nil {
		return ifRunning(ctx, invalid)
	}
	limited, cancel := context.WithTimeout(ctx, b.limit)
	defer cancel()
	switch err := b.runTests(limited, dir, binary); {
	case err == nil:
		return survived
	case limited.Err() != nil:
		return ifRunning(ctx, timedOut)
	default:
		return ifRunning(ctx, noticed)
	}
}

// ifRunning returns the outcome, unless it may come from an interrupt.
func ifRunning(ctx context.Context, o outcome) outcome {
	if ctx.Err() != nil {
		return untried
	}
	return o
}

// compile builds the package's test binary, with the mutant in place of its file unless
// it is nil.
func (b *bench) compile(ctx context.Context, dir string, m *mutant) (string, error) {
	binary := filepath.Join(dir, "tests")
	args := []string{"test", "-c", "-vet=off", "-o", binary}
	if m != nil {
		overlay, err := m.overlay(dir)
		if err != nil {
			return "", err
		}
		args = append(args, "-overlay", overlay)
	}
	cmd := exec.CommandContext(ctx, "go", append(args, ".")...) //nolint:gosec // the arguments are made here
	cmd.Dir = b.pkg.Dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return binary, nil
}

// maxMemory bounds the address space of the tests in KiB: a breakage may turn a loop into
// one that allocates for ever.
const maxMemory = "4194304"

func (b *bench) runTests(ctx context.Context, dir, binary string) error {
	args := []string{
		"-c", "ulimit -v " + maxMemory + ` && exec "$@"`, "sh",
		binary, "-test.failfast", "-test.run", b.tests, "-test.timeout", b.limit.String(),
	}
	cmd := exec.CommandContext(ctx, "sh", args...) //nolint:gosec // the arguments are made here
	cmd.Dir = b.pkg.Dir
	cmd.Env = append(os.Environ(), "TMPDIR="+dir)
	cmd.WaitDelay = time.Second
	return cmd.Run()
}
