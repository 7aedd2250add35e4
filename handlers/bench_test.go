package handlers_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"issuer.example/session"
)

// BenchmarkRefresh repeats a refresh, which writes nothing. "service" is what the refresh
// itself costs, "http" the same through the handler: the difference is what this package
// costs.
func BenchmarkRefresh(b *testing.B) {
	var (
		sessions *session.Service
		public   http.Handler
	)
	f := newFixture(b, func(s *settings) {
		public = newServer(b, s).Public()
		sessions = s.http.Sessions
	})
	b.Run("service", func(b *testing.B) {
		b.ReportAllocs()
		token := f.mint(b, "u1").refresh
		for b.Loop() {
			_, err := sessions.Refresh(b.Context(), token, session.Device{})
			must(b, err)
		}
	})
	b.Run("http", func(b *testing.B) {
		b.ReportAllocs()
		body := []byte(`{"refresh_token":"` + f.mint(b, "u1").refresh + `"}`)
		r := httptest.NewRequest("POST", "http://localhost:8080/v1/session/refresh", bytes.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")
		for b.Loop() {
			r.Body = io.NopCloser(bytes.NewReader(body))
			w := &quickWriter{header: http.Header{}}
			public.ServeHTTP(w, r)
			if w.status != http.StatusOK {
				b.Fatal(w.status)
			}
		}
	})
}

// quickWriter discards an answer.
type quickWriter struct {
	header http.Header
	status int
}

func (w *quickWriter) Header() http.Header         { return w.header }
func (w *quickWriter) WriteHeader(status int)      { w.status = status }
func (w *quickWriter) Write(p []byte) (int, error) { return len(p), nil }
