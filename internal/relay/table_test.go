package relay_test

import (
	"slices"
	"testing"

	"issuer.example/internal/relay"
)

// Every row of the table has a name of its own and behaviours that a relay knows.
func TestTable(t *testing.T) {
	table, err := relay.Load("../../testdata/relays.json")
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	answers := []string{"", "pass", "status", "repeat", "delay", "compress", "flap", "cache", "alternate", "stall", "echo"}
	streams := []string{
		"", "pass", "status", "delay", "compress", "flap", "hold", "hold_headers", "page", "reset", "cut", "comments", "add", "drop", "repeat_alive", "bytes",
	}
	for _, row := range table.Rows {
		if names[row.Name] {
			t.Errorf("two rows have the name %s", row.Name)
		}
		names[row.Name] = true
		if !slices.Contains(streams, row.Stream.Do) || !slices.Contains(answers, row.Snapshot.Do) || !slices.Contains(answers, row.Keys.Do) {
			t.Errorf("%s: no relay does this: %+v", row.Name, row)
		}
		if row.Must.SnapshotsPerSecond == 0 || row.Must.Snapshots == 0 || row.Must.StreamsPerSecond == 0 {
			t.Errorf("%s: the rate is not bounded", row.Name)
		}
	}
}
