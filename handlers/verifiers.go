package handlers

import (
	"net/http"
	"time"

	"issuer.example/feed"
)

const (
	// maxSeq is the largest number of an event: the largest integer of JSON readers.
	maxSeq = 1<<53 - 1
	// maxDelay bounds the delay that a verifier reports.
	maxDelay = 24 * time.Hour

	verifierForm = "The verifier must be 1 to 64 characters of A-Z a-z 0-9 . _ -."
)

// applied takes a verifier's report of what it has applied.
func (s *Server) applied(x *exchange) error {
	if err := s.follower(x); err != nil {
		return err
	}
	var body struct {
		Verifier string `json:"verifier"`
		Seq      *int64 `json:"seq"`
		Delay    int64  `json:"delay_ms"`
	}
	if err := decode(x, &body); err != nil {
		return err
	}
	switch {
	case !verifierName(body.Verifier):
		return &refusal{code: codeInvalidRequest, field: "verifier", detail: verifierForm}
	case body.Seq == nil || *body.Seq < 0 || *body.Seq > maxSeq:
		return &refusal{code: codeInvalidRequest, field: "seq", detail: "The seq must be the number of an event, or 0."}
	case body.Delay < 0 || body.Delay > maxDelay.Milliseconds():
		return &refusal{code: codeInvalidRequest, field: "delay_ms", detail: "The delay_ms must be from 0 to a day."}
	}
	s.cfg.Feed.Report(x.client, body.Verifier, uint64(*body.Seq), time.Duration(body.Delay)*time.Millisecond)
	return x.NoContent(http.StatusNoContent)
}

// verifierName reports whether text can name a verifier.
func verifierName(text string) bool {
	for i := range len(text) {
		c := text[i]
		if (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && c != '-' && c != '_' && c != '.' {
			return false
		}
	}
	return text != "" && len(text) <= maxVerifierName
}

// verifierList says how far the verifiers are.
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

// adminVerifiers answers with what each verifier has applied.
func (s *Server) adminVerifiers(x *exchange) error {
	if s.cfg.Feed == nil {
		return notFound()
	}
	out := verifierList{Seq: s.cfg.Feed.Head(), Streams: s.cfg.Feed.Readers(), Verifiers: []verifierState{}}
	for _, v := range s.cfg.Feed.Verifiers() {
		out.Verifiers = append(out.Verifiers, stateOf(v, out.Seq))
	}
	return writeJSON(x, http.StatusOK, out)
}

func stateOf(v feed.Verifier, head uint64) verifierState {
	return verifierState{
		Verifier: v.Name, Client: v.Key, Connected: v.Streams > 0,
		Seq: v.Seq, Behind: max(head, v.Seq) - v.Seq,
		Delay: v.Delay.Milliseconds(), ReportedAt: v.ReportedAt.UTC().Truncate(time.Millisecond),
	}
}
