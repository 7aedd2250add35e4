package handlers_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"

	"issuer.example/internal/rounds"
)

// contract checks every answer against openapi.yaml.
type contract struct {
	t    testing.TB
	doc  *openapi3.T
	next http.RoundTripper
	// adminHost is where the admin listener is.
	adminHost string
}

// forOtherListener reports whether the path is described for the other listener.
func (c *contract) forOtherListener(r *http.Request) bool {
	ops := strings.HasPrefix(r.URL.Path, "/admin/") || strings.HasPrefix(r.URL.Path, "/debug/") || r.URL.Path == "/metrics"
	both := r.URL.Path == "/healthz" || r.URL.Path == "/readyz"
	return !both && ops != (r.URL.Host == c.adminHost)
}

var loadOpenAPI = sync.OnceValues(func() (*openapi3.T, error) {
	for _, text := range []string{"application/jwt", "text/event-stream", "text/html", "text/css"} {
		openapi3filter.RegisterBodyDecoder(text, openapi3filter.PlainBodyDecoder)
	}
	text, err := os.ReadFile("openapi.yaml")
	if err != nil {
		return nil, err
	}
	doc, err := openapi3.NewLoader().LoadFromData(text)
	if err != nil {
		return nil, err
	}
	return doc, doc.Validate(context.Background())
})

func openAPI(tb testing.TB) *openapi3.T {
	tb.Helper()
	doc, err := loadOpenAPI()
	must(tb, err)
	return doc
}

// checkedForms counts the answers of each form that conform. A quick run checks one answer of a form
// and a full run a few, because the library compiles the schema anew for every answer.
var checkedForms sync.Map // [sha256.Size]byte → *atomic.Int32

// answerForm returns a hash of the request line and the answer without what differs between
// answers of one form: numbers, identifiers and tokens.
func (c *contract) answerForm(r *http.Request, response *http.Response, body []byte) [sha256.Size]byte {
	var text bytes.Buffer
	fmt.Fprintf(&text, "%s %s admin=%t\n", r.Method, r.URL.EscapedPath(), r.URL.Host == c.adminHost)
	_ = response.Header.Write(&text) // to a buffer
	text.Write(body)
	form := append([]byte(response.Proto), byte(response.StatusCode), byte(response.StatusCode>>8))
	word := make([]byte, 0, 64)
	for _, b := range append(text.Bytes(), 0) {
		if b == '-' || b == '_' || b >= '0' && b <= '9' || b >= 'A' && b <= 'Z' || b >= 'a' && b <= 'z' {
			word = append(word, b)
			continue
		}
		if len(word) >= 20 || bytes.ContainsAny(word, "0123456789") {
			word = append(word[:0], '0')
		}
		form, word = append(append(form, word...), b), word[:0]
	}
	return sha256.Sum256(form)
}

func (c *contract) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := c.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(response.Body)
	_ = response.Body.Close()
	if err != nil {
		return nil, err
	}
	response.Body = io.NopCloser(bytes.NewReader(body))
	form := c.answerForm(r, response, body)
	count, _ := checkedForms.LoadOrStore(form, new(atomic.Int32))
	checked, ok := count.(*atomic.Int32)
	enough := int32(1)
	if rounds.Full() {
		enough = 5
	}
	if !ok || checked.Load() >= enough {
		return response, nil
	}
	if err := c.check(r, response, body); err == nil {
		checked.Add(1)
	} else {
		why, _, _ := strings.Cut(err.Error(), "\nSchema:")
		c.t.Errorf("%s %s: %d breaks openapi.yaml: %s\n%.500s", r.Method, r.URL, response.StatusCode, why, body)
	}
	return response, nil
}

// check validates one answer. A request without an operation must be refused with a problem document.
func (c *contract) check(r *http.Request, response *http.Response, body []byte) error {
	path, item := c.find(r.URL.EscapedPath())
	method := r.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	var operation *openapi3.Operation
	if item != nil && !c.forOtherListener(r) {
		operation = item.GetOperation(method)
	}
	if operation == nil {
		return c.checkUnknown(r, response, body)
	}
	input := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{
			Request: r,
			Route:   &routers.Route{Spec: c.doc, Path: path, PathItem: item, Method: method, Operation: operation},
		},
		Status: response.StatusCode, Header: response.Header,
		Options: &openapi3filter.Options{IncludeResponseStatus: true},
	}
	input.SetBodyBytes(body)
	return openapi3filter.ValidateResponse(r.Context(), input)
}

func (c *contract) checkUnknown(r *http.Request, response *http.Response, body []byte) error {
	if response.StatusCode == http.StatusNoContent && r.Method == http.MethodOptions {
		return nil
	}
	if response.StatusCode < 400 || response.StatusCode >= 500 {
		return fmt.Errorf("it answers %d, but no operation is described", response.StatusCode)
	}
	if r.Method == http.MethodHead || !strings.HasPrefix(response.Header.Get("Content-Type"), "application/") {
		return nil
	}
	if !bytes.Contains(body, []byte(`"code":`)) {
		return fmt.Errorf("not a problem document: %s", body)
	}
	return nil
}

// find returns the described path that matches the path of a request, literal paths first.
func (c *contract) find(path string) (string, *openapi3.PathItem) {
	if item := c.doc.Paths.Value(path); item != nil {
		return path, item
	}
	given := strings.Split(path, "/")
	for pattern, item := range c.doc.Paths.Map() {
		parts := strings.Split(pattern, "/")
		same := len(parts) == len(given) && strings.Contains(pattern, "{")
		for i := range parts {
			same = same && (parts[i] == given[i] || strings.HasPrefix(parts[i], "{"))
		}
		if same {
			return pattern, item
		}
	}
	return "", nil
}
