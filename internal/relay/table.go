package relay

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
)

// Table is testdata/relays.json.
type Table struct {
	About        string            `json:"about"`
	MaxStaleness int               `json:"max_staleness_s"` // of the readers
	Observe      int               `json:"observe_s"`       // how long a reader is observed
	Meanings     map[string]string `json:"must"`            // what the members of Must mean
	Rows         []Row             `json:"rows"`
}

// Row is one relay, and what must hold for a reader behind it.
type Row struct {
	Name     string    `json:"name"`
	Stream   Behaviour `json:"stream"`
	Snapshot Behaviour `json:"snapshot"`
	Keys     Behaviour `json:"keys"`
	Must     Must      `json:"must"`
}

// Behaviour is what a relay does to the requests for one address.
type Behaviour struct {
	// Do names it. Empty means pass. For every address: pass, status, repeat (the first
	// good answer, for ever), delay, compress (for those who accept it), flap (refuse
	// everything in every second period of 3 s). For all but the stream also cache (the
	// first good answer for the same URL, for ever), alternate (refuse every second
	// request), stall (stop within every second answer) and echo (give every second answer
	// again). For the stream: hold, hold_headers, page, reset, cut, comments, add, drop,
	// repeat_alive, bytes, but not repeat.
	Do string `json:"do"`
	// Status and RetryAfter are the answer of status, alternate and flap. "date" stands for
	// a date in an hour.
	Status     int    `json:"status"`
	RetryAfter string `json:"retry_after"`
	// Frame is what add adds after each alive.
	Frame string `json:"frame"`
	// Delay is how late delay is, in seconds.
	Delay int `json:"delay_s"`
	// Only limits the behaviour of keys to the JWKS ("jwks") or the keys of the feed
	// ("feed"). Empty means both.
	Only string `json:"only"`
}

// Must is what must hold for a reader. Its members are explained in the table.
type Must struct {
	FreshWithin        *float64 `json:"fresh_within_s"`
	RevokedWithin      *float64 `json:"revoked_within_s"`
	SnapshotsPerSecond int      `json:"snapshots_per_s"`
	Snapshots          int      `json:"snapshots"`
	StreamsPerSecond   int      `json:"streams_per_s"`
}

// Load reads a table.
func Load(path string) (*Table, error) {
	text, err := os.ReadFile(path) //nolint:gosec // of a developer
	if err != nil {
		return nil, err
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	var table Table
	if err := decoder.Decode(&table); err != nil {
		return nil, fmt.Errorf("reading %s: %w", path, err)
	}
	return &table, nil
}

// Row returns the row with that name.
func (t *Table) Row(name string) (Row, bool) {
	for _, row := range t.Rows {
		if row.Name == name {
			return row, true
		}
	}
	return Row{}, false
}
