package bench_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"issuer.example/jwt"
)

const (
	connections = 64
	rounds      = 5
	roundTime   = 4 * time.Second
)

// BenchmarkRefresh measures durable refreshes a second over HTTP, with a thousand and with a
// million live sessions, and in each round a bare Echo. Run it with -benchtime=1x.
func BenchmarkRefresh(b *testing.B) {
	program := build(b)
	bare := serveBare(b)
	for _, c := range []struct {
		algorithm jwt.Algorithm
		sessions  int
	}{{jwt.ES256, 1_000}, {jwt.EdDSA, 1_000}, {jwt.ES256, 1_000_000}} {
		algorithm, n := c.algorithm, c.sessions
		b.Run(fmt.Sprintf("%s/sessions=%d", algorithm, n), func(b *testing.B) {
			data := fill(b, n)
			p := serve(b, program, data, algorithm)
			echoTokens := slices.Clone(data.tokens[:min(n, 1000)])
			load(b, p.address, data.tokens, connections, time.Second) // warm up
			var rates, limits, ratios, tails []float64
			b.ResetTimer()
			for range b.N * rounds {
				limit := load(b, bare.address, echoTokens, connections, roundTime/2)
				got := load(b, p.address, data.tokens, connections, roundTime)
				rates = append(rates, got.rate)
				limits = append(limits, limit.rate)
				ratios = append(ratios, got.rate/limit.rate)
				tails = append(tails, got.p99.Seconds()*1000)
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(median(rates), "refreshes/s")
			b.ReportMetric(median(limits), "bare/s")
			b.ReportMetric(median(ratios), "x-bare")
			b.ReportMetric(median(tails), "p99-ms")
			b.ReportMetric(p.anonymous(b)/1e6, "anon-MB")
			b.ReportMetric(float64(data.bytes)/float64(n), "disk-B/session")
			p.stop(b)
			again := serve(b, program, data, algorithm)
			b.ReportMetric(again.ready.Seconds()*1000, "start-ms")
		})
	}
}

func median(x []float64) float64 {
	slices.Sort(x)
	return x[len(x)/2]
}
