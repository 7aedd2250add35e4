package metrics_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"net/http/httptest"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"issuer.example/feed"
	"issuer.example/keys"
	"issuer.example/metrics"
	"issuer.example/session"
	"issuer.example/session/refresh"
)

// scrape returns what Prometheus would read.
func scrape(t *testing.T, m *metrics.Metrics) string {
	t.Helper()
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	if w.Code != 200 {
		t.Fatalf("status %d: %s", w.Code, w.Body)
	}
	return w.Body.String()
}

func TestCounts(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	m := metrics.New(metrics.Config{
		Live: func() int64 { return 42 },
		Keys: func() []keys.Key {
			return []keys.Key{
				{ID: "a", Algorithm: "ES256", State: keys.Active, ActivatedAt: now.Add(-time.Hour)},
				{ID: "p", Algorithm: "ES256", State: keys.Pending, PublishedAt: now.Add(-time.Minute)},
				{ID: "r", Algorithm: "EdDSA", State: keys.Retiring, RetiringAt: now.Add(-time.Second)},
				{ID: "g", Algorithm: "ES256", State: keys.Gone, GoneAt: now},
			}
		},
		Streams:    func() int { return 7 },
		LogDropped: func() int64 { return 9 },
		Now:        func() time.Time { return now },
	})
	m.Refreshed(string(refresh.Advanced))
	m.Refreshed("something new")
	m.Committed(17, 300*time.Microsecond)
	m.FeedSent(5)
	m.FeedEnded(feed.EndSlow)
	m.FeedEnded("something new")
	m.FeedApplied(18 * time.Millisecond)
	count := m.Route("GET", "/v1/session")
	count(200, time.Millisecond)
	count(204, time.Millisecond)
	count(503, time.Second)
	count(0, 0)
	count(999, 0)

	text := scrape(t, m)
	for _, want := range []string{
		"issuer_sessions_live 42",
		`issuer_refreshes_total{outcome="advanced"} 1`,
		`issuer_refreshes_total{outcome="reused"} 0`,
		`issuer_refreshes_total{outcome="other"} 1`,
		`issuer_commit_batch_size_sum 17`,
		`issuer_feed_streams 7`,
		`issuer_log_lines_dropped_total 9`,
		`issuer_feed_frames_sent_total 5`,
		`issuer_feed_streams_ended_total{reason="slow"} 1`,
		`issuer_feed_streams_ended_total{reason="life"} 0`,
		`issuer_feed_applied_delay_seconds_sum 0.018`,
		`issuer_commit_duration_seconds_count 1`,
		`issuer_http_requests_total{method="GET",route="/v1/session",status="2xx"} 2`,
		`issuer_http_requests_total{method="GET",route="/v1/session",status="5xx"} 1`,
		`issuer_http_requests_total{method="GET",route="/v1/session",status="other"} 2`,
		`issuer_http_request_duration_seconds_count{method="GET",route="/v1/session"} 5`,
		`issuer_signing_key_age_seconds{alg="ES256",kid="a",state="active"} 3600`,
		`issuer_signing_key_age_seconds{alg="ES256",kid="p",state="pending"} 60`,
		`issuer_signing_key_age_seconds{alg="EdDSA",kid="r",state="retiring"} 1`,
	} {
		if !strings.Contains(text, want+"\n") {
			t.Errorf("no line %s", want)
		}
	}
	if strings.Contains(text, `kid="g"`) {
		t.Error("a key that is gone is shown")
	}
}

// TestEveryOutcomeIsNamed reads the constants of the packages session and session/refresh: none
// of them may be counted as "other".
func TestEveryOutcomeIsNamed(t *testing.T) {
	m := metrics.New(metrics.Config{})
	outcomes := append(constants(t, "../session/refresh", "Outcome"), constants(t, "../session", "Reason")...)
	outcomes = append(outcomes, string(session.BindingStepUp))
	if len(outcomes) < 20 {
		t.Fatalf("only %d outcomes found", len(outcomes))
	}
	for _, outcome := range outcomes {
		m.Refreshed(outcome)
	}
	text := scrape(t, m)
	for _, outcome := range outcomes {
		if line := `issuer_refreshes_total{outcome="` + outcome + `"} 1`; !strings.Contains(text, line+"\n") {
			t.Errorf("no line %s", line)
		}
	}
	if !strings.Contains(text, `issuer_refreshes_total{outcome="other"} 0`+"\n") {
		t.Error("an outcome is counted as other")
	}
}

// constants returns the values of the constants of a string type of the package in a folder.
func constants(t *testing.T, folder, typeName string) []string {
	t.Helper()
	files, err := filepath.Glob(folder + "/*.go")
	if err != nil {
		t.Fatal(err)
	}
	var values []string
	for _, path := range files {
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok {
				return true
			}
			if name, ok := spec.Type.(*ast.Ident); !ok || name.Name != typeName {
				return true
			}
			for _, value := range spec.Values {
				if literal, ok := value.(*ast.BasicLit); ok {
					text, err := strconv.Unquote(literal.Value)
					if err != nil {
						t.Fatal(err)
					}
					values = append(values, text)
				}
			}
			return true
		})
	}
	return values
}

// Without sources the metrics of the process are there.
func TestEmpty(t *testing.T) {
	text := scrape(t, metrics.New(metrics.Config{}))
	if !strings.Contains(text, "go_goroutines") || strings.Contains(text, "issuer_sessions_live") {
		t.Errorf("metrics: %.200s", text)
	}
}

// The race detector checks this.
func TestConcurrent(t *testing.T) {
	m := metrics.New(metrics.Config{})
	count := m.Route("GET", "/")
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 100 {
				m.Refreshed("advanced")
				m.Committed(1, time.Millisecond)
				count(200, time.Millisecond)
			}
		})
		all.Go(func() { _ = scrape(t, m) })
	}
	all.Wait()
	if text := scrape(t, m); !strings.Contains(text, `issuer_refreshes_total{outcome="advanced"} 800`+"\n") {
		t.Error("some were not counted")
	}
}
