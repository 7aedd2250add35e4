package guard

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	requestTimeout = 10 * time.Second
	maxServiceKey  = 4 << 10 // bytes of the file

	scopeRevocations = "revocations:read"
	scopeIntrospect  = "tokens:introspect"
)

// errServiceKey means that the file with the service key cannot be read.
var errServiceKey = errors.New("guard: reading the service key")

// client makes requests to the issuer. It follows no redirects, keeps no cookies, and asks
// for uncompressed answers.
type client struct {
	http    http.Client
	key     string
	keyFile string
	now     func() time.Time
	// maxRetryAfter bounds what an answer can ask for: less than after which the list is
	// stale.
	maxRetryAfter time.Duration
}

func newClient(c Config) *client {
	strict := *c.HTTPClient
	strict.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	strict.Jar, strict.Timeout = nil, 0 // a stream has no timeout; other requests have requestTimeout
	return &client{
		http: strict, key: c.ServiceKey, keyFile: c.ServiceKeyFile, now: c.Now, maxRetryAfter: c.MaxStaleness / 3,
	}
}

// statusError is an answer with an unexpected status. It wraps [ErrStatus].
type statusError struct {
	status     int
	scope      string        // that the request needs
	retryAfter time.Duration // 0 if the answer does not say
}

func (e *statusError) Error() string {
	text := ErrStatus.Error() + ": " + strconv.Itoa(e.status)
	switch {
	case e.scope == "":
	case e.status == http.StatusUnauthorized:
		text += ": it does not know the service key"
	case e.status == http.StatusForbidden:
		text += ": the service key lacks the scope " + e.scope
	}
	return text
}

func (e *statusError) Unwrap() error { return ErrStatus }

// request is a request to the issuer.
type request struct {
	method string // GET if empty
	url    string
	header map[string]string
	body   string
	scope  string // that the service key must have; if empty, no key is sent
	want   []int  // the statuses that are no error; 200 if empty
}

// do sends a request and returns the answer, whose body the caller closes.
func (c *client) do(ctx context.Context, r request) (*http.Response, error) {
	req, err := c.newRequest(ctx, r)
	if err != nil {
		return nil, err
	}
	res, err := c.http.Do(req)
	if err != nil {
		return nil, err
	}
	if slices.Contains(r.want, res.StatusCode) || len(r.want) == 0 && res.StatusCode == http.StatusOK {
		return res, nil
	}
	defer closeBody(res)
	if res.StatusCode >= 300 && res.StatusCode < 400 && res.StatusCode != http.StatusNotModified {
		return nil, ErrRedirect
	}
	return nil, &statusError{res.StatusCode, r.scope, c.retryAfter(res.Header)}
}

// unique completes a query so that the URL has not been requested before: not even a cache
// that ignores Cache-Control has an answer for it.
func unique(query string) string { return query + "nonce=" + rand.Text() }

func (c *client) newRequest(ctx context.Context, r request) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, cmp.Or(r.method, http.MethodGet), r.url, strings.NewReader(r.body))
	if err != nil {
		return nil, err
	}
	for name, value := range r.header {
		req.Header.Set(name, value)
	}
	req.Header.Set("Accept-Encoding", "identity")
	if r.scope != "" {
		key, err := c.serviceKey()
		if err != nil {
			return nil, err
		}
		req.Header.Set("Authorization", "Bearer "+key)
	}
	return req, nil
}

// reply is an answer with its whole body.
type reply struct {
	status int
	header http.Header
	body   []byte
}

// fetch sends a request and reads the answer, which has at most limit bytes.
func (c *client) fetch(ctx context.Context, r request, limit int) (reply, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	res, err := c.do(ctx, r)
	if err != nil {
		return reply{}, err
	}
	defer closeBody(res)
	body, err := io.ReadAll(io.LimitReader(res.Body, int64(limit)+1))
	if err != nil {
		return reply{}, err
	}
	if len(body) > limit {
		return reply{}, fmt.Errorf("%w: more than %d bytes", ErrTooLarge, limit)
	}
	return reply{res.StatusCode, res.Header, body}, nil
}

// closeBody closes the body. The connection can be used again if little of it was unread.
func closeBody(res *http.Response) {
	_, _ = io.CopyN(io.Discard, res.Body, 4<<10)
	_ = res.Body.Close()
}

func (c *client) serviceKey() (string, error) {
	if c.keyFile == "" {
		return c.key, nil
	}
	file, err := os.Open(c.keyFile)
	if err != nil {
		return "", fmt.Errorf("%w: %w", errServiceKey, err)
	}
	defer func() { _ = file.Close() }()
	text, err := io.ReadAll(io.LimitReader(file, maxServiceKey))
	if err != nil {
		return "", fmt.Errorf("%w: %w", errServiceKey, err)
	}
	return strings.TrimSpace(string(text)), nil
}

// retryAfter reads Retry-After (RFC 9110 §10.2.3): from 0, which is also for one that is
// missing or malformed, to maxRetryAfter.
func (c *client) retryAfter(h http.Header) time.Duration {
	text := h.Get("Retry-After")
	if seconds, err := strconv.Atoi(text); err == nil {
		return min(time.Duration(min(max(seconds, 0), 1<<20))*time.Second, c.maxRetryAfter)
	}
	if at, err := http.ParseTime(text); err == nil {
		return min(max(at.Sub(c.now()), 0), c.maxRetryAfter)
	}
	return 0
}
