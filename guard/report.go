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
	minReportPause = time.Second      // between two reports
	maxReportPause = 60 * time.Second // after which the last one is repeated
)

// reporter tells the issuer what the guard has applied. It never delays the feed: of
// several reports that wait, the newest is sent.
type reporter struct {
	client    *client
	discovery *discovery
	name      string
	due       chan struct{} // has room for one; gets a value when there is a new report

	mu   sync.Mutex
	last report
}

type report struct {
	Verifier string `json:"verifier"`
	Seq      uint64 `json:"seq"`
	Delay    int64  `json:"delay_ms"`
}

func newReporter(c *client, d *discovery, name string) *reporter {
	return &reporter{client: c, discovery: d, name: name, due: make(chan struct{}, 1)}
}

// applied notes the number of the newest entry and the time from its revocation until it
// was applied.
func (r *reporter) applied(seq uint64, delay time.Duration) {
	r.mu.Lock()
	r.last = report{r.name, seq, delay.Milliseconds()}
	r.mu.Unlock()
	select {
	case r.due <- struct{}{}:
	default:
	}
}

// run sends reports until the context ends.
func (r *reporter) run(ctx context.Context) {
	repeat := time.NewTicker(maxReportPause)
	defer repeat.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-r.due:
		case <-repeat.C:
		}
		if r.send(ctx) != nil {
			// An issuer that refuses reports does not get one every second.
			if !pause(ctx, jitter(maxReportPause/2)) {
				return
			}
		}
		if !pause(ctx, minReportPause) {
			return
		}
	}
}

// send returns an error only if the issuer refused the report.
func (r *reporter) send(ctx context.Context) error {
	r.mu.Lock()
	last := r.last
	r.mu.Unlock()
	body, err := json.Marshal(last)
	if err != nil {
		return err
	}
	urls, err := r.discovery.endpoints(ctx)
	if err != nil {
		return nil //nolint:nilerr // the feed notices too
	}
	_, err = r.client.fetch(ctx, request{
		method: http.MethodPost, url: urls.applied, scope: scopeRevocations, body: string(body),
		want:   []int{http.StatusNoContent, http.StatusOK},
		header: map[string]string{"Content-Type": "application/json"},
	}, 4<<10)
	var status *statusError
	if errors.As(err, &status) || err == nil {
		return err
	}
	return nil // the connection failed, which the feed notices too
}
