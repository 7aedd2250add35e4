// Package adminapi is the client of an issuer's admin listener, for the commands that
// act on a running issuer.
package adminapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"time"
)

// timeout bounds every call except a download.
const timeout = 30 * time.Second

// maxAnswer bounds the size of an answer in bytes, except of a download.
const maxAnswer = 32 << 20

// ErrUnreachable means that nothing answers at the address.
var ErrUnreachable = errors.New("no issuer answers")

// Problem is a refusal by the issuer (RFC 9457).
type Problem struct {
	Status    int    `json:"status"`
	Title     string `json:"title"`
	Code      string `json:"code"`
	Detail    string `json:"detail"`
	RequestID string `json:"request_id"`
}

// Error returns the refusal on one line.
func (p *Problem) Error() string {
	text := p.Detail
	if text == "" {
		text = p.Title
	}
	if text == "" {
		text = http.StatusText(p.Status)
	}
	if p.Code != "" {
		text += " (" + p.Code + ")"
	}
	if p.Status >= http.StatusInternalServerError && p.RequestID != "" {
		text += ", request " + p.RequestID
	}
	return text
}

// Client calls one issuer with one key.
type Client struct {
	base string
	key  string
	http *http.Client
}

// New returns a client of the admin listener at base, an http or https URL. Its key goes
// into one header of each request and nowhere else; "" is no key, for what everyone may ask.
func New(base, key string) (*Client, error) {
	u, err := url.Parse(base)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.User != nil || u.RawQuery != "" {
		return nil, errors.New("the address of the admin listener must be a URL such as http://127.0.0.1:9090")
	}
	// No proxy: only the issuer may see the key.
	transport := &http.Transport{
		DialContext:           (&net.Dialer{Timeout: 5 * time.Second}).DialContext,
		TLSHandshakeTimeout:   5 * time.Second,
		ResponseHeaderTimeout: timeout,
		DisableKeepAlives:     true,
	}
	return &Client{base: strings.TrimSuffix(base, "/"), key: key, http: &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

// Call sends a request with an optional JSON body and returns the JSON of the answer, nil when
// that is empty. When the issuer refuses, the error is a [*Problem].
func (c *Client) Call(ctx context.Context, method, path string, body any) (json.RawMessage, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	res, err := c.send(ctx, method, path, body)
	if err != nil {
		return nil, err
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("reading the answer: %w", err)
	case len(text) > maxAnswer:
		return nil, fmt.Errorf("reading the answer: it is larger than %d bytes", maxAnswer)
	case len(text) == 0:
		return nil, nil
	case !json.Valid(text):
		return nil, fmt.Errorf("reading the answer: %s does not answer in JSON; is it the admin listener?", c.base)
	}
	return text, nil
}

// Download copies the answer to w and returns its size. It takes as long as ctx allows. An
// answer that ends early is an error.
func (c *Client) Download(ctx context.Context, path string, w io.Writer) (int64, error) {
	res, err := c.send(ctx, http.MethodGet, path, nil)
	if err != nil {
		return 0, err
	}
	defer func() { _ = res.Body.Close() }()
	n, err := io.Copy(w, res.Body)
	if err != nil {
		return n, fmt.Errorf("reading the answer: %w", err)
	}
	return n, nil
}

// send sends a request and returns a successful answer, whose body the caller must close.
func (c *Client) send(ctx context.Context, method, path string, body any) (*http.Response, error) {
	var payload io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return nil, fmt.Errorf("building the request: %w", err)
		}
		payload = strings.NewReader(string(text))
	}
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, payload)
	if err != nil {
		return nil, fmt.Errorf("building the request: %w", err)
	}
	if c.key != "" {
		req.Header.Set("Authorization", "Bearer "+c.key)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := c.http.Do(req)
	if err != nil {
		return nil, c.unreachable(err)
	}
	if res.StatusCode/100 != 2 {
		defer func() { _ = res.Body.Close() }()
		return nil, problem(res)
	}
	return res, nil
}

// unreachable returns the error for a request that got no answer.
func (c *Client) unreachable(err error) error {
	switch {
	case errors.Is(err, context.Canceled):
		return context.Canceled
	case errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("%w at %s: connection refused", ErrUnreachable, c.base)
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("%w at %s in time", ErrUnreachable, c.base)
	}
	// url.Error repeats the URL, which may hold a user id, so only its cause is kept.
	var outer *url.Error
	if errors.As(err, &outer) {
		err = outer.Err
	}
	return fmt.Errorf("%w at %s: %w", ErrUnreachable, c.base, err)
}

// problem returns the error for an answer that is a refusal.
func problem(res *http.Response) error {
	p := &Problem{}
	text, err := io.ReadAll(io.LimitReader(res.Body, 64<<10))
	if err != nil || json.Unmarshal(text, p) != nil || p.Code == "" {
		return fmt.Errorf("the issuer answered %s", res.Status)
	}
	p.Status = res.StatusCode
	return p
}
