package guard

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"sync"
	"time"
)

const (
	reportEvery = time.Second      // at most
	reportAgain = 60 * time.Second // at least
)

// reporter tells the issuer what has been applied. It never holds up what it reports on:
// a report that could not be sent is forgotten for the next one.
type reporter struct {
	client *client
	url    string
	name   string
	news   chan struct{}

	mu   sync.Mutex
	last report
}

type report struct {
	Verifier string `json:"verifier"`
	Seq      uint64 `json:"seq"`
	Delay    int64  `json:"delay_ms"`
}

func newReporter(c *client, url, name string) *reporter {
	return &reporter{client: c, url: url, name: name, news: make(chan struct{}, 1)}
}

// applied notes the newest number and how long it took.
func (r *reporter) applied(seq uint64, delay time.Duration) {
	r.mu.Lock()
	r.last = report{r.name, seq, delay.Milliseconds()}
	r.mu.Unlock()
	select {
	case r.news <- struct{}{}:
	default:
	}
}

// run sends reports until the context ends.
func (r *reporter) run(ctx context.Context) {
	again := time.NewTicker(reportAgain)
	defer again.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-r.news:
		case <-again.C:
		}
		if r.send(ctx) != nil {
			// The issuer that takes no reports is not asked again in every second.
			if !pause(ctx, jitter(reportAgain/2)) {
				return
			}
		}
		if !pause(ctx, reportEvery) {
			return
		}
	}
}

func (r *reporter) send(ctx context.Context) error {
	r.mu.Lock()
	last := r.last
	r.mu.Unlock()
	body, err := json.Marshal(last)
	if err != nil {
		return err
	}
	_, err = r.client.fetch(ctx, request{
		method: http.MethodPost, url: r.url, scope: scopeRevocations, body: string(body),
		want:   []int{http.StatusNoContent, http.StatusOK},
		header: map[string]string{"Content-Type": "application/json"},
	}, 4<<10)
	var status *statusError
	if errors.As(err, &status) || err == nil {
		return err
	}
	return nil // the connection: the feed notices that too
}
