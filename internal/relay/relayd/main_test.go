package main

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"issuer.example/internal/relay"
)

// The program prints its address, does what its row says, and counts.
func TestRun(t *testing.T) {
	issuer := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.URL.Path)
	}))
	t.Cleanup(issuer.Close)
	ctx, cancel := context.WithCancel(t.Context())
	read, write := io.Pipe()
	done := make(chan error, 1)
	go func() {
		done <- run(ctx, []string{
			"-issuer", issuer.URL, "-table", "../../../testdata/relays.json", "-row", "refuses the stream with 429 and an hour",
		}, write)
	}()
	line, err := bufio.NewReader(read).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	base := strings.TrimSpace(line)
	get := func(path string) *http.Response {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, base+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = res.Body.Close() })
		return res
	}
	if res := get("/v1/revocations/stream"); res.StatusCode != http.StatusTooManyRequests || res.Header.Get("Retry-After") != "3600" {
		t.Errorf("the stream: %s, Retry-After %s", res.Status, res.Header.Get("Retry-After"))
	}
	if text, err := io.ReadAll(get("/v1/revocations").Body); string(text) != "/v1/revocations" {
		t.Errorf("the snapshot: %s, %v", text, err)
	}
	var counts relay.Counts
	if err := json.NewDecoder(get("/relay/counts").Body).Decode(&counts); err != nil || counts.Streams != 1 || counts.Snapshots != 1 {
		t.Errorf("%+v, %v", counts, err)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestRunRefuses(t *testing.T) {
	for name, args := range map[string][]string{
		"no row":    {"-issuer", "http://127.0.0.1:1", "-table", "../../../testdata/relays.json", "-row", "x"},
		"no table":  {"-issuer", "http://127.0.0.1:1", "-table", "none.json"},
		"no issuer": {"-table", "../../../testdata/relays.json", "-row", "passes everything"},
		"a flag":    {"-x"},
	} {
		if err := run(t.Context(), args, io.Discard); err == nil {
			t.Errorf("%s: it runs", name)
		}
	}
}
