package adminapi_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"issuer.example/cmd/issuer/internal/adminapi"
)

const key = "sk_CANARYcanaryCANARYcanaryCANARYcanaryCANARY12"

// serve is a client of a server that answers with h.
func serve(t *testing.T, h http.HandlerFunc) *adminapi.Client {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return client(t, s.URL)
}

func client(t *testing.T, url string) *adminapi.Client {
	t.Helper()
	c, err := adminapi.New(url, key)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestCallSendsKeyAndBody(t *testing.T) {
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got := []string{r.Method, r.URL.RequestURI(), r.Header.Get("Authorization"), r.Header.Get("Content-Type"), string(body)}
		want := []string{"POST", "/a?b=c", "Bearer " + key, "application/json", `{"everything":true}`}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("request (-want +got):\n%s", diff)
		}
		_, _ = io.WriteString(w, `{"revoked": 2}`)
	})
	got, err := c.Call(t.Context(), "POST", "/a?b=c", map[string]bool{"everything": true})
	if err != nil || string(got) != `{"revoked": 2}` {
		t.Errorf("Call = %s, %v", got, err)
	}
}

func TestRefusals(t *testing.T) {
	for _, c := range []struct {
		name, body string
		status     int
		want       string
	}{
		{"a problem", `{"title": "Not found", "code": "not_found", "detail": "No such session."}`, 404, "No such session. (not_found)"},
		{"without a detail", `{"title": "Not found", "code": "not_found"}`, 404, "Not found (not_found)"},
		{"a fault of the issuer", `{"title": "Failed", "code": "internal", "request_id": "r1"}`, 500, "Failed (internal), request r1"},
		{"of something else", "<html>", 502, "the issuer answered 502 Bad Gateway"},
		{"an answer that is no JSON", "hello", 200, "does not answer in JSON"},
		{"too much", strings.Repeat(" ", 33<<20), 200, "larger than"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(c.status)
				_, _ = io.WriteString(w, c.body)
			}).Call(t.Context(), "GET", "/", nil)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
			var problem *adminapi.Problem
			if errors.As(err, &problem) && problem.Status != c.status {
				t.Errorf("status %d, want %d", problem.Status, c.status)
			}
		})
	}
}

// The key goes to the address that was given, and to no other.
func TestRedirectIsNotFollowed(t *testing.T) {
	var elsewhere atomic.Int32
	thief := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere.Add(1) }))
	defer thief.Close()
	_, err := serve(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, thief.URL, http.StatusTemporaryRedirect)
	}).Call(t.Context(), "GET", "/", nil)
	if err == nil || elsewhere.Load() != 0 {
		t.Errorf("got %v, and %d requests elsewhere", err, elsewhere.Load())
	}
}

// A backup that broke off is no backup.
func TestDownloadThatIsCut(t *testing.T) {
	for name, headers := range map[string]string{"of known length": "100", "of unknown length": ""} {
		t.Run(name, func(t *testing.T) {
			var got bytes.Buffer
			_, err := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				if headers != "" {
					w.Header().Set("Content-Length", headers)
				}
				_, _ = io.WriteString(w, "half")
				_ = http.NewResponseController(w).Flush()
				panic(http.ErrAbortHandler)
			}).Download(t.Context(), "/", &got)
			if err == nil {
				t.Errorf("Download of %q: no error", got.String())
			}
		})
	}
}

func TestUnreachable(t *testing.T) {
	s := httptest.NewServer(nil)
	s.Close()
	_, err := client(t, s.URL).Call(t.Context(), "GET", "/admin/v1/sessions?user_id=somebody", nil)
	if !errors.Is(err, adminapi.ErrUnreachable) || !strings.Contains(err.Error(), s.URL) {
		t.Errorf("got %v, want ErrUnreachable and the address", err)
	}
	if strings.Contains(err.Error(), "CANARY") || strings.Contains(err.Error(), "somebody") {
		t.Errorf("the error says too much: %v", err)
	}
}

func TestNewRefuses(t *testing.T) {
	for _, url := range []string{"", "127.0.0.1:9090", "ftp://a", "http://", "http://me:pw@a", "http://a?b", "http://%zz"} {
		if _, err := adminapi.New(url, key); err == nil {
			t.Errorf("New(%q): no error", url)
		}
	}
}
