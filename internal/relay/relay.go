package relay

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// The addresses of a feed.
const (
	jwksPath     = "/.well-known/jwks.json"
	feedKeysPath = "/v1/revocations/keys"
	snapshotPath = "/v1/revocations"
	streamPath   = "/v1/revocations/stream"
	// countsPath is an address of the relay itself: its [Counts] as JSON.
	countsPath = "/relay/counts"

	flapPeriod = 3 * time.Second
)

// Relay is the proxy of one row. It is safe for concurrent use.
type Relay struct {
	row    Row
	issuer *url.URL
	next   http.RoundTripper
	began  time.Time
	log    log

	mu    sync.Mutex
	kept  map[string]*answer // good answers, by path or URL
	alive []byte             // the first alive of all streams
}

// answer is a whole answer of the issuer.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// New makes the relay of a row. It forwards requests to the issuer's address through next.
func New(row Row, issuer *url.URL, next http.RoundTripper) *Relay {
	return &Relay{
		row: row, issuer: issuer, next: next, began: time.Now(),
		log: log{times: map[string][]time.Time{}}, kept: map[string]*answer{},
	}
}

// Counts returns how many requests have come.
func (r *Relay) Counts() Counts { return r.log.counts() }

func (r *Relay) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	before := r.log.note(req.URL.Path)
	switch req.URL.Path {
	case countsPath:
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(r.Counts())
	case streamPath:
		r.serveStream(w, req)
	case snapshotPath:
		r.serve(w, req, r.row.Snapshot, before)
	case jwksPath, feedKeysPath:
		behaviour := r.row.Keys
		if only := behaviour.Only; only == "jwks" && req.URL.Path != jwksPath || only == "feed" && req.URL.Path != feedKeysPath {
			behaviour = Behaviour{}
		}
		r.serve(w, req, behaviour, before)
	default:
		r.serve(w, req, Behaviour{}, before)
	}
}

// serve answers a request for anything but the stream. before is how many requests for the
// same came before.
func (r *Relay) serve(w http.ResponseWriter, req *http.Request, b Behaviour, before int) {
	if b.Do == "status" || b.Do == "alternate" && before%2 == 1 || b.Do == "flap" && r.flapped() {
		refuse(w, b)
		return
	}
	a, err := r.answer(req, b, before)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	if b.Do == "delay" && !wait(req, time.Duration(b.Delay)*time.Second) {
		return
	}
	if b.Do == "stall" && before%2 == 1 {
		stall(w, req, a)
		return
	}
	body := a.body
	maps.Copy(w.Header(), a.header)
	w.Header().Del("Content-Length")
	if b.Do == "compress" && acceptsGzip(req) {
		var buffer bytes.Buffer
		zip := gzip.NewWriter(&buffer)
		_, _ = zip.Write(body)
		_ = zip.Close()
		body = buffer.Bytes()
		w.Header().Set("Content-Encoding", "gzip")
	}
	w.WriteHeader(a.status)
	_, _ = w.Write(body)
}

// answer returns the answer of the issuer, or one that was kept.
func (r *Relay) answer(req *http.Request, b Behaviour, before int) (*answer, error) {
	key := req.URL.Path
	if b.Do == "cache" {
		key = req.URL.RequestURI()
	}
	if a := r.keptAnswer(key); a != nil && (b.Do == "repeat" || b.Do == "cache" || b.Do == "echo" && before%2 == 1) {
		return a, nil
	}
	a, err := r.fetch(req)
	if err == nil && a.status == http.StatusOK {
		r.keep(key, a, b.Do == "echo")
	}
	return a, err
}

func (r *Relay) keptAnswer(key string) *answer {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.kept[key]
}

func (r *Relay) keep(key string, a *answer, newest bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.kept[key] == nil || newest {
		r.kept[key] = a
	}
}

// flapped reports whether this is a period in which everything is refused.
func (r *Relay) flapped() bool { return time.Since(r.began)/flapPeriod%2 == 1 }

// stall sends half of an answer, and then a byte from time to time until the client leaves.
func stall(w http.ResponseWriter, req *http.Request, a *answer) {
	maps.Copy(w.Header(), a.header)
	body := bytes.NewReader(a.body)
	_, err := io.CopyN(w, body, body.Size()/2)
	for err == nil && http.NewResponseController(w).Flush() == nil && wait(req, time.Second) {
		_, err = io.CopyN(w, body, 1)
	}
}

// fetch forwards a request and reads the whole answer.
func (r *Relay) fetch(req *http.Request) (*answer, error) {
	res, err := r.forward(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	return &answer{res.StatusCode, res.Header, body}, err
}

// forward sends a request to the issuer, without compression.
func (r *Relay) forward(req *http.Request) (*http.Response, error) {
	out := req.Clone(req.Context())
	out.URL.Scheme, out.URL.Host, out.RequestURI = r.issuer.Scheme, r.issuer.Host, ""
	out.Header.Set("Accept-Encoding", "identity")
	if r.row.Keys.Do == "repeat" {
		out.Header.Del("If-None-Match") // a cache asks for the whole
	}
	return r.next.RoundTrip(out)
}

func refuse(w http.ResponseWriter, b Behaviour) {
	switch b.RetryAfter {
	case "":
	case "date":
		w.Header().Set("Retry-After", time.Now().Add(time.Hour).UTC().Format(http.TimeFormat))
	default:
		w.Header().Set("Retry-After", b.RetryAfter)
	}
	if b.Status >= 300 && b.Status < 400 {
		w.Header().Set("Location", "/elsewhere")
	}
	w.WriteHeader(b.Status)
}

func acceptsGzip(req *http.Request) bool {
	return strings.Contains(req.Header.Get("Accept-Encoding"), "gzip")
}

// wait waits for d. It reports false if the client left before.
func wait(req *http.Request, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-req.Context().Done():
		return false
	}
}
