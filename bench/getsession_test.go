package bench_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"testing"

	"issuer.example/jwt"
)

// BenchmarkGetSession measures GET /api/auth/get-session, and in each round the same request
// to the original better-auth server on SQLite. Run it with
// `make bench-betterauth`, which installs that server.
func BenchmarkGetSession(b *testing.B) {
	program := build(b)
	data := fill(b, 1000)
	p := serve(b, program, data, jwt.ES256)
	for _, mode := range []string{"database", "cache"} {
		b.Run(mode, func(b *testing.B) {
			original, cookies := serveOriginal(b, mode)
			ours, theirs := make([]result, 0, rounds), make([]result, 0, rounds)
			b.ResetTimer()
			for range b.N * rounds {
				theirs = append(theirs, getSessions(b, original.address, func(int) string { return cookies }))
				ours = append(ours, getSessions(b, p.address, func(i int) string {
					return "better-auth.session_token=" + string(data.tokens[i])
				}))
			}
			ratios := make([]float64, len(ours))
			for i := range ours {
				ratios[i] = ours[i].rate / theirs[i].rate
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(medianRate(ours), "requests/s")
			b.ReportMetric(medianRate(theirs), "original/s")
			b.ReportMetric(median(ratios), "x-original")
		})
	}
}

// getSessions sends get-session requests over many connections.
func getSessions(t testing.TB, address string, cookies func(i int) string) result {
	t.Helper()
	return storm(t, connections, roundTime/2, func(i int) (*conn, func() error) {
		c := dialFor(t, address, fmt.Sprintf("GET /api/auth/get-session HTTP/1.1\r\nHost: localhost:8080\r\n"+
			"User-Agent: %s\r\nCookie: %s\r\n\r\n", userAgent, cookies(i)))
		return c, func() error {
			body, err := c.send()
			if err == nil && !bytes.Contains(body, []byte(`"Ada Lovelace"`)) {
				return errors.New("nobody is signed in")
			}
			return err
		}
	})
}

// serveOriginal starts the original server and signs a user in.
func serveOriginal(t testing.TB, mode string) (p *process, cookies string) {
	t.Helper()
	cmd := exec.Command("node", "betterauth/server.mjs", t.TempDir(), mode)
	cmd.Env = append(cmd.Environ(), "NODE_ENV=production")
	var complaint bytes.Buffer
	cmd.Stderr = &complaint
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p = &process{cmd: cmd}
	t.Cleanup(func() { p.stop(t) })
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("starting the original server (make bench-betterauth installs it): %v\n%s", err, complaint.String())
	}
	p.address, cookies, _ = strings.Cut(strings.TrimSpace(line), " ")
	return p, cookies
}

func medianRate(results []result) float64 {
	rates := make([]float64, len(results))
	for i, r := range results {
		rates[i] = r.rate
	}
	return median(rates)
}
