package bench_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

const (
	benchRows = 10_000

	// What pgbench does: one statement, of one row by primary key.
	updateScript = "\\set id random(1, 10000)\nUPDATE bench SET n = n + 1 WHERE id = :id RETURNING n;\n"
	selectScript = "\\set id random(1, 10000)\nSELECT n, filler FROM bench WHERE id = :id;\n"
)

// pgbench runs a script over as many connections as the load has, as long as a round, with prepared statements.
func (db *database) pgbench(t testing.TB, script string) result {
	t.Helper()
	dir := t.TempDir()
	path := filepath.Join(dir, "script.sql")
	if err := os.WriteFile(path, []byte(script), 0o600); err != nil {
		t.Fatal(err)
	}
	seconds := strconv.Itoa(int(roundTime.Seconds()))
	cmd := exec.Command("pgbench", "-n", "-M", "prepared", "-c", strconv.Itoa(connections), "-j", "2", "-T", seconds,
		"-f", path, "-l", "--log-prefix", filepath.Join(dir, "log"), db.dsn)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("pgbench: %v\n%s", err, out)
	}
	return result{rate: tps(t, string(out)), p99: tail(t, dir)}
}

// tps reads the rate from what pgbench prints.
func tps(t testing.TB, out string) (rate float64) {
	t.Helper()
	_, after, _ := strings.Cut(out, "tps = ")
	if _, err := fmt.Sscan(after, &rate); err != nil {
		t.Fatalf("pgbench printed no rate: %v\n%s", err, out)
	}
	return rate
}

// tail is the 99th percentile of the times in the logs of pgbench, one for each of its threads. The third field of
// a line is the time of a transaction in microseconds.
func tail(t testing.TB, dir string) time.Duration {
	t.Helper()
	logs, err := filepath.Glob(filepath.Join(dir, "log.*"))
	if err != nil || len(logs) == 0 {
		t.Fatalf("pgbench wrote no log: %v", err)
	}
	var all []int64
	for _, path := range logs {
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		for lines := bufio.NewScanner(f); lines.Scan(); {
			fields := strings.Fields(lines.Text())
			us, err := strconv.ParseInt(fields[2], 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, us)
		}
		_ = f.Close()
	}
	slices.Sort(all)
	return time.Duration(all[len(all)*99/100]) * time.Microsecond
}
