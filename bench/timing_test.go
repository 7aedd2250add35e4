package bench_test

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"issuer.example/jwt"
)

// samples is how many times each of two requests is timed.
const samples = 10_000

// maxT is the value of Welch's t above which two distributions count as different, as is
// usual in the search for timing leaks.
const maxT = 4.5

// BenchmarkEnumeration is row O08: the time until a refusal does not reveal whether a
// session or a user exists. `make timing` runs it.
func BenchmarkEnumeration(b *testing.B) {
	key := "sk_" + strings.Repeat("t", 43)
	sum := sha256.Sum256([]byte(key))
	d := fill(b, 10_000)
	p := serveFor(b, build(b), d, jwt.ES256, fmt.Sprintf(
		`{name: app, sha256: "%s", scopes: [sessions:mint, sessions:read, sessions:revoke, tokens:introspect]}`, hex.EncodeToString(sum[:])),
		"log: {level: error}\n")
	c := newCaller(b, p.address)
	_, user := c.mint(b, key, "user-of-the-caller")
	foreign, _ := c.mint(b, key, "another-user")
	const unknown = "01900000-0000-7000-8000-000000000000"
	// A user who is in the store, but without a live session.
	_, ended := c.mint(b, key, "signed-out-user")
	if status := c.call(b, request("DELETE", "/v1/session", ended, "")); status != http.StatusNoContent {
		b.Fatalf("sign-out: %d", status)
	}
	for _, pair := range []struct{ name, known, unknown string }{
		{"show", request("GET", "/v1/sessions/"+foreign, user, ""), request("GET", "/v1/sessions/"+unknown, user, "")},
		{"revoke", request("DELETE", "/v1/sessions/"+foreign, user, ""), request("DELETE", "/v1/sessions/"+unknown, user, "")},
		{
			"better-auth revoke",
			request("POST", "/api/auth/revoke-session", user, `{"id":"`+foreign+`"}`),
			request("POST", "/api/auth/revoke-session", user, `{"id":"`+unknown+`"}`),
		},
		{"list", request("GET", "/v1/sessions?user_id=signed-out-user", key, ""), request("GET", "/v1/sessions?user_id=unheard-of-user", key, "")},
		{
			"revoke user",
			request("POST", "/v1/users/signed-out-user/revoke-sessions", key, ""),
			request("POST", "/v1/users/unheard-of-user/revoke-sessions", key, ""),
		},
	} {
		b.Run(pair.name, func(b *testing.B) {
			for b.Loop() {
				known, unknown := c.compare(b, pair.known, pair.unknown)
				t, difference := welch(known, unknown)
				b.ReportMetric(t, "welch-t")
				b.ReportMetric(difference, "ns-apart")
				if math.Abs(t) >= maxT {
					b.Errorf("Welch t is %.1f: the two can be told apart by %.0f ns", t, difference)
				}
			}
		})
	}
}

// request is the bytes of a request.
func request(method, path, bearer, body string) string {
	return fmt.Sprintf("%s %s HTTP/1.1\r\nHost: localhost\r\nOrigin: http://localhost:8080\r\nAuthorization: Bearer %s\r\n"+
		"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", method, path, bearer, len(body), body)
}

// caller sends requests over one connection.
type caller struct {
	net.Conn
	in *bufio.Reader
}

func newCaller(b *testing.B, address string) *caller {
	b.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = conn.Close() })
	return &caller{conn, bufio.NewReader(conn)}
}

func (c *caller) call(b *testing.B, request string) int {
	status, _ := c.answer(b, request)
	return status
}

func (c *caller) answer(b *testing.B, request string) (int, []byte) {
	if _, err := io.WriteString(c, request); err != nil {
		b.Fatal(err)
	}
	res, err := http.ReadResponse(c.in, nil)
	if err != nil {
		b.Fatal(err)
	}
	body, err := io.ReadAll(res.Body)
	if err != nil {
		b.Fatal(err)
	}
	return res.StatusCode, body
}

// mint creates a session and returns its id and its access token.
func (c *caller) mint(b *testing.B, key, user string) (id, access string) {
	b.Helper()
	status, text := c.answer(b, request("POST", "/v1/sessions", key, `{"user":{"id":"`+user+`"}}`))
	var grant struct {
		Session struct {
			ID string `json:"id"`
		} `json:"session"`
		Access string `json:"access_token"`
	}
	if err := json.Unmarshal(text, &grant); err != nil || status != http.StatusCreated {
		b.Fatalf("mint: %d %s", status, text)
	}
	return grant.Session.ID, grant.Access
}

// compare times two requests, in random order, and returns how long each took in ns.
func (c *caller) compare(b *testing.B, known, unknown string) (one, other []float64) {
	b.Helper()
	first, second := c.call(b, known), c.call(b, unknown)
	if first != second {
		b.Fatalf("answers %d and %d", first, second)
	}
	for len(one) < samples || len(other) < samples {
		which, request := &one, known
		if rand.IntN(2) == 0 {
			which, request = &other, unknown
		}
		began := time.Now()
		c.call(b, request)
		*which = append(*which, float64(time.Since(began)))
	}
	return one, other
}

// welch returns the t of Welch's test and the difference of the means. It leaves out the
// slowest hundredth of the samples, which depends on the machine more than on the program.
func welch(a, b []float64) (t, difference float64) {
	all := slices.Sorted(slices.Values(append(slices.Clone(a), b...)))
	limit := all[len(all)*99/100]
	over := func(v float64) bool { return v > limit }
	ma, va := moments(slices.DeleteFunc(a, over))
	mb, vb := moments(slices.DeleteFunc(b, over))
	return (ma - mb) / math.Sqrt(va+vb), ma - mb
}

// moments returns the mean, and the variance of the mean.
func moments(x []float64) (mean, variance float64) {
	for _, v := range x {
		mean += v / float64(len(x))
	}
	for _, v := range x {
		variance += (v - mean) * (v - mean) / float64(len(x)-1)
	}
	return mean, variance / float64(len(x))
}
