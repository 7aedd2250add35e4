package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
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
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("listing the packages: %w", err)
	}
	var packages []goPackage
	for decoder := json.NewDecoder(strings.NewReader(string(out))); decoder.More(); {
		var p goPackage
		if err := decoder.Decode(&p); err != nil {
			return nil, err
		}
		packages = append(packages, p)
	}
	return packages, nil
}

// outcome is what became of a mutant.
type outcome int

const (
	untried  outcome = iota // there was no time
	unrun                   // no test runs the code
	survived                // all tests passed
	noticed                 // a test failed
	timedOut                // the tests took much longer than without the breakage
)

// bench runs the tests of one package against its mutants.
type bench struct {
	pkg     goPackage
	dir     string // a temporary folder
	tests   string
	binary  string // the tests of the instrumented package
	mutants []mutant
	reached map[int]bool
	limit   time.Duration // for one run of the tests
}

// newBench compiles the instrumented tests, and runs them once without a breakage. They
// must pass, and their time sets the limit.
func newBench(ctx context.Context, p goPackage, tests string) (_ *bench, err error) {
	dir, err := os.MkdirTemp("", "mutants")
	if err != nil {
		return nil, err
	}
	b := &bench{pkg: p, dir: dir, tests: tests, binary: filepath.Join(dir, "tests"), limit: 10 * time.Minute}
	defer func() {
		if err != nil {
			b.close()
		}
	}()
	if err := b.build(ctx); err != nil {
		return nil, fmt.Errorf("compiling the tests: %w", err)
	}
	began, reached := time.Now(), filepath.Join(dir, "reached")
	if err := b.runTests(ctx, "MUTANT_REACHED="+reached); err != nil {
		return nil, fmt.Errorf("the tests fail without any breakage: %w", err)
	}
	b.limit = 5*time.Second + 3*time.Since(began)
	b.reached, err = readNumbers(reached)
	return b, err
}

func (b *bench) close() {
	if err := os.RemoveAll(b.dir); err != nil {
		fmt.Fprintln(os.Stderr, "mutants:", err)
	}
}

func readNumbers(path string) (map[int]bool, error) {
	numbers := map[int]bool{}
	text, err := os.ReadFile(path) //nolint:gosec // a file of our own folder
	if errors.Is(err, os.ErrNotExist) {
		return numbers, nil
	}
	for line := range strings.Lines(string(text)) {
		n, err := strconv.Atoi(strings.TrimSpace(line))
		if err != nil {
			return nil, err
		}
		numbers[n] = true
	}
	return numbers, err
}

// compilerError matches the position of an error of the compiler.
var compilerError = regexp.MustCompile(`(?m)([^/\s]+\.go:\d+):\d+: `)

// maxBuilds bounds the builds, each without the lines that failed in the one before.
const maxBuilds = 20

// build compiles the tests with a switch for every mutant. A mutant that does not compile,
// such as the difference of two strings, is left out with its line.
func (b *bench) build(ctx context.Context) error {
	except := map[string]bool{}
	for range maxBuilds {
		in, err := instrument(b.pkg, except)
		if err != nil {
			return err
		}
		out, err := b.compile(ctx, in)
		if err == nil {
			b.mutants = in.mutants
			return nil
		}
		before := len(except)
		for _, match := range compilerError.FindAllStringSubmatch(out, -1) {
			except[match[1]] = true
		}
		if len(except) == before {
			return fmt.Errorf("%w: %s", err, out)
		}
	}
	return errors.New("too many lines do not compile")
}

func (b *bench) compile(ctx context.Context, in *instrumented) (output string, err error) {
	replace := map[string]string{}
	for path, text := range in.files {
		copied := filepath.Join(b.dir, filepath.Base(path))
		if err := os.WriteFile(copied, text, 0o600); err != nil {
			return "", err
		}
		replace[path] = copied
	}
	text, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	overlay := filepath.Join(b.dir, "overlay.json")
	if err := os.WriteFile(overlay, text, 0o600); err != nil {
		return "", err
	}
	cmd := exec.CommandContext(ctx, "go", "test", "-c", "-vet=off", "-gcflags=-e", "-overlay", overlay, "-o", b.binary, ".") //nolint:gosec // the arguments are made here
	cmd.Dir = b.pkg.Dir
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// tryAll tries the mutants in order until the deadline. The outcomes are in the same order.
func (b *bench) tryAll(ctx context.Context, workers int, deadline time.Time) []outcome {
	outcomes := make([]outcome, len(b.mutants))
	next := make(chan int)
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for i := range next {
				outcomes[i] = b.try(ctx, b.mutants[i])
			}
		})
	}
	for i := range b.mutants {
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
	if !b.reached[m.number] {
		return unrun
	}
	limited, cancel := context.WithTimeout(ctx, b.limit)
	defer cancel()
	err := b.runTests(limited, "MUTANT="+strconv.Itoa(m.number))
	switch {
	case err == nil:
		return survived
	case ctx.Err() != nil: // an interrupt
		return untried
	case limited.Err() != nil:
		return timedOut
	default:
		return noticed
	}
}

// maxMemory bounds the memory that the tests may allocate, in KiB: a breakage may turn a
// loop into one that allocates for ever. Mapped files do not count.
const maxMemory = "4194304"

// runTests runs the compiled tests with a variable in the environment.
func (b *bench) runTests(ctx context.Context, variable string) error {
	temp, err := os.MkdirTemp(b.dir, "run")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(temp) }()                                                 // close reports what stays
	cmd := exec.CommandContext(ctx, "sh", "-c", "ulimit -d "+maxMemory+` && exec "$@"`, "sh", //nolint:gosec // the arguments are made here
		b.binary, "-test.failfast", "-test.run", b.tests, "-test.timeout", b.limit.String())
	cmd.Dir = b.pkg.Dir
	cmd.Env = append(os.Environ(), "TMPDIR="+temp, variable)
	cmd.WaitDelay = time.Second
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	return nil
}
