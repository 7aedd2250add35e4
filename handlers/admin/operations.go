package admin

import (
	"net/http"
	"net/http/pprof"
	"strings"
	"time"

	"issuer.example/fact"
	"issuer.example/handlers/exchange"
)

// metrics answers with what Prometheus scrapes. It needs no key, because it names no user.
func (h *Handlers) metrics(x *exchange.Exchange) error {
	if h.cfg.Metrics == nil {
		return exchange.NotFound()
	}
	h.cfg.Metrics.ServeHTTP(x.Writer(), x.Request())
	return nil
}

// backup streams a copy of the store. If it fails half-way the connection is cut, so that the answer is
// never taken for a whole copy.
func (h *Handlers) backup(x *exchange.Exchange) error {
	if h.cfg.Backup == nil {
		return &exchange.Refusal{
			Code: exchange.CodeNotFound, Detail: "The store of this issuer is a database. Back it up with pg_dump or point-in-time recovery.",
		}
	}
	if err := h.record(x, "backup"); err != nil {
		return err
	}
	w := &deadlineWriter{out: x.Writer(), control: x.Control()}
	return h.cfg.Backup(x.Context(), w)
}

// record writes to the journal that the service key of this request did something.
func (h *Handlers) record(x *exchange.Exchange, action string) error {
	if h.cfg.Facts == nil {
		return nil
	}
	return h.cfg.Facts.Record(x.Context(), fact.Fact{
		Kind: fact.Administered, At: h.cfg.Now(), What: action, By: x.Log.Client,
	})
}

// writeTimeout is how long one write of a backup may take. It replaces the server's WriteTimeout, which
// is for the whole answer.
const writeTimeout = 30 * time.Second

// deadlineWriter writes a file, with a deadline for each write. It sets the headers with the first bytes,
// so that a copy that fails at once can still be refused properly.
type deadlineWriter struct {
	out     http.ResponseWriter
	control *http.ResponseController
	started bool
}

func (w *deadlineWriter) Write(b []byte) (int, error) {
	if !w.started {
		w.started = true
		w.out.Header().Set("Content-Disposition", `attachment; filename="issuer-backup.db"`)
		w.out.Header().Set("Content-Type", "application/octet-stream")
	}
	if err := w.control.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil {
		return 0, err
	}
	return w.out.Write(b)
}

// profile answers with net/http/pprof.
func profile(x *exchange.Exchange) error {
	w, r := x.Writer(), x.Request()
	switch strings.TrimPrefix(r.URL.Path, "/debug/pprof/") {
	case "cmdline":
		return exchange.NotFound() // a command line can contain secrets
	case "profile":
		pprof.Profile(w, r)
	case "symbol":
		pprof.Symbol(w, r)
	case "trace":
		pprof.Trace(w, r)
	default:
		pprof.Index(w, r)
	}
	return nil
}
