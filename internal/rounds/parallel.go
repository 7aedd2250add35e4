package rounds

import (
	"flag"
	"strconv"
)

// Parallel lets up to n parallel tests of a package run at once in a quick run, for tests
// that wait more than they compute. A number on the command line, as -parallel=2, has
// precedence. Call it from TestMain.
func Parallel(n int) {
	flag.Parse()
	if Full() {
		return
	}
	set := false
	flag.Visit(func(f *flag.Flag) { set = set || f.Name == "test.parallel" })
	if !set {
		_ = flag.Set("test.parallel", strconv.Itoa(n)) // fails only outside of a test
	}
}
