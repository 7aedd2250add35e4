package admin

import (
	"net/http"
	"time"

	"issuer.example/feed"
	"issuer.example/handlers/exchange"
)

// verifierList says how much of the feed the verifiers have applied, at whichever issuer on the store.
type verifierList struct {
	Seq       uint64          `json:"seq"`     // the newest number of the log
	Streams   int             `json:"streams"` // open now
	Verifiers []verifierState `json:"verifiers"`
}

type verifierState struct {
	Verifier   string    `json:"verifier"`
	Client     string    `json:"client"` // the name of its service key
	Connected  bool      `json:"connected"`
	Seq        uint64    `json:"seq"`
	Behind     uint64    `json:"behind"`
	Delay      int64     `json:"delay_ms"`
	ReportedAt time.Time `json:"reported_at,omitzero"`
}

// verifiers answers with what each verifier has applied.
func (h *Handlers) verifiers(x *exchange.Exchange) error {
	hub := h.cfg.Feed
	if hub == nil {
		return exchange.NotFound()
	}
	all, err := hub.Followers(x.Context())
	if err != nil {
		return err
	}
	out := verifierList{Seq: hub.Head(), Streams: all.Streams, Verifiers: []verifierState{}}
	for _, v := range all.Verifiers {
		out.Verifiers = append(out.Verifiers, stateOf(v, out.Seq))
	}
	return x.JSON(http.StatusOK, out)
}

func stateOf(v feed.Verifier, head uint64) verifierState {
	return verifierState{
		Verifier: v.Name, Client: v.Key, Connected: v.Streams > 0,
		Seq: v.Seq, Behind: max(head, v.Seq) - v.Seq,
		Delay: v.Delay.Milliseconds(), ReportedAt: v.ReportedAt.UTC().Truncate(time.Millisecond),
	}
}
