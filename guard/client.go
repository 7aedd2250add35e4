package guard

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"
)

const (
	requestTimeout = 10 * time.Second
	maxServiceKey  = 4 << 10

	scopeRevocations = "revocations:read"
	scopeIntrospect  = "tokens:introspect"
)

// client makes requests to the issuer. It follows no redirect, keeps no cookie, and asks
// for answers as they are, uncompressed.
type client struct {
	http    http.Client
	key     string
	keyFile string
	now     func() time.Time
}

func newClient(c Config) *client {
	own := *c.HTTPClient
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	own.Jar, own.Timeout = nil, 0
	return &client{http: own, key: c.ServiceKey, keyFile: c.ServiceKeyFile, now: c.Now}
}

// statusError is an answer other than the one that was hoped for.
type statusError struct {
	status int
	scope  string        // of the request
	retry  time.Duration // of Retry-After
}

func (e *statusError) Error() string {
	text := ErrStatus.Error() + ": " + strconv.Itoa(e.status)
	switch {
	case e.scope == "":
	case e.status == http.StatusUnauthorized:
		text += ", as to a service key that it does not know"
	case e.status == http.StatusForbidden:
		text += ", as to a service key without the scope " + e.scope
	}
	return text
}

func (e *statusError) Unwrap() error { return ErrStatus }

// request is what is sent.
type request struct {
	method, url string
	header      map[string]string
	body        string
	scope       string // that the service key needs; none is sent where it is empty
	want        []int
}

// do returns an answer of one of the wanted statuses, 200 if there are none; the caller
// closes its body.
func (c *client) do(ctx context.Context, r request) (*http.Response, error) {
	method := r.method
	if method == "" {
		method = http.MethodGet
	}
	req, err := http.NewRequestWithContext(ctx, method, r.url, strings.NewReader(r.body))
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
	res, err := c.http.Do(req)
	if err != nil {
		return nil, err
	}
	if res.StatusCode == http.StatusOK && len(r.want) == 0 {
		return res, nil
	}
	for _, status := range r.want {
		if res.StatusCode == status {
			return res, nil
		}
	}
	defer closeBody(res)
	if res.StatusCode >= 300 && res.StatusCode < 400 && res.StatusCode != http.StatusNotModified {
		return nil, ErrRedirect
	}
	return nil, &statusError{res.StatusCode, r.scope, c.retryAfter(res.Header)}
}

// reply is an answer that was read to its end.
type reply struct {
	status int
	header http.Header
	body   []byte
}

// fetch reads a whole answer of at most limit bytes.
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

// closeBody gives the connection back if little is left to be read.
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
		return "", fmt.Errorf("reading the service key: %w", err)
	}
	defer func() { _ = file.Close() }()
	text, err := io.ReadAll(io.LimitReader(file, maxServiceKey))
	if err != nil {
		return "", fmt.Errorf("reading the service key: %w", err)
	}
	return strings.TrimSpace(string(text)), nil
}

// retryAfter reads Retry-After (RFC 9110 §10.2.3), at most 30 s.
func (c *client) retryAfter(h http.Header) time.Duration {
	text := h.Get("Retry-After")
	if text == "" {
		return 0
	}
	const most = 30 * time.Second
	if seconds, err := strconv.Atoi(text); err == nil {
		return min(time.Duration(min(max(seconds, 0), 30))*time.Second, most)
	}
	if at, err := http.ParseTime(text); err == nil {
		return min(max(at.Sub(c.now()), 0), most)
	}
	return 0
}

// loopback reports whether a host is this machine.
func loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}
