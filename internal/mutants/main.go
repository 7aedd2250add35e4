// Command mutants looks for code that the tests do not check. It breaks a package in many
// small ways, one at a time, runs the package's tests against each broken copy, and lists
// the breakages that no test noticed: the survivors.
//
//	go run ./internal/mutants -time 10m ./jwt ./keys
//
// The breakages are conditions that are always true or always false, operands of && and
// || that count no more, boundaries that are off by one, + in place of -, errors that are
// not returned, and statements that are left out. The sources are not touched: each copy
// is compiled with `go test -overlay`. A survivor is not always a fault: some breakages
// change nothing that anybody can see.
//
// The time is divided among the packages. The breakages are tried in random order, so
// that those for which there was time are a fair sample; the order depends on -seed only.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/signal"
	"slices"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "mutants:", err)
		os.Exit(1)
	}
}

// options are the flags.
type options struct {
	time    time.Duration
	workers int
	seed    uint64
	tests   string
}

func run(ctx context.Context, args []string, stdout io.Writer) error {
	var o options
	flags := flag.NewFlagSet("mutants", flag.ContinueOnError)
	flags.DurationVar(&o.time, "time", 10*time.Minute, "stop after this `duration`")
	flags.IntVar(&o.workers, "workers", 2, "how many breakages to try at once")
	flags.Uint64Var(&o.seed, "seed", 1, "seed of the order")
	flags.StringVar(&o.tests, "run", "", "run only the tests that match this `regexp`")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if o.workers < 1 {
		return fmt.Errorf("-workers is %d, at least 1 is needed", o.workers)
	}
	packages, err := listPackages(ctx, flags.Args())
	if err != nil {
		return err
	}
	end := time.Now().Add(o.time)
	for i, p := range packages {
		share := time.Until(end) / time.Duration(len(packages)-i)
		if err := tryPackage(ctx, p, o, share, stdout); err != nil {
			return fmt.Errorf("%s: %w", p.ImportPath, err)
		}
	}
	return nil
}

// tryPackage tries the breakages of one package for a time, and prints the survivors and
// a line of totals.
func tryPackage(ctx context.Context, p goPackage, o options, share time.Duration, stdout io.Writer) error {
	began := time.Now()
	mutants, err := p.mutants()
	if err != nil || len(mutants) == 0 {
		return err
	}
	rand.New(rand.NewPCG(o.seed, 0)).Shuffle(len(mutants), func(i, j int) { //nolint:gosec // nothing secret depends on the order
		mutants[i], mutants[j] = mutants[j], mutants[i]
	})
	bench, err := newBench(ctx, p, o.tests)
	if err != nil {
		return err
	}
	defer bench.close()
	outcomes := bench.tryAll(ctx, mutants, o.workers, began.Add(share))

	count := map[outcome]int{}
	var survivors []mutant
	for i, outcome := range outcomes {
		count[outcome]++
		if outcome == survived {
			survivors = append(survivors, mutants[i])
		}
	}
	slices.SortFunc(survivors, mutant.compare)
	for _, m := range survivors {
		fmt.Fprintln(stdout, m)
	}
	_, err = fmt.Fprintf(stdout, "%s: %d breakages, %d tried in %v: %d survived, %d noticed, %d ended by the time limit, %d did not compile\n",
		p.ImportPath, len(mutants), len(mutants)-count[untried], time.Since(began).Round(time.Second),
		count[survived], count[noticed], count[timedOut], count[invalid])
	return err
}
