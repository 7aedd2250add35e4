package handlers

import (
	"net/http"
	"net/http/pprof"
	"strings"
	"time"

	"github.com/labstack/echo/v4"
)

// metrics answers with what Prometheus reads. It needs no key: it names no user.
func (s *Server) metrics(x *exchange) error {
	if s.cfg.Metrics == nil {
		return notFound()
	}
	s.cfg.Metrics.ServeHTTP(x.Response(), x.Request())
	return nil
}

// writeWithin is how long one write of a long answer may take. It stands in for the
// server's WriteTimeout, which is for the whole answer.
const writeWithin = 30 * time.Second

// adminBackup streams a copy of the store. An answer that breaks off is cut, so that it is
// never taken for a whole one.
func (s *Server) adminBackup(x *exchange) error {
	if s.cfg.Backup == nil {
		return notFound()
	}
	w := &patient{out: x.Response(), deadline: http.NewResponseController(x.Response())}
	return s.cfg.Backup(x.Request().Context(), w)
}

// patient writes a file for as long as the reader keeps reading. Its headers come with the
// first bytes, so that a copy that fails at once can still be refused properly.
type patient struct {
	out      *echo.Response
	deadline *http.ResponseController
}

func (p *patient) Write(b []byte) (int, error) {
	if !p.out.Committed {
		p.out.Header().Set(echo.HeaderContentDisposition, `attachment; filename="issuer-backup.db"`)
		p.out.Header().Set(echo.HeaderContentType, echo.MIMEOctetStream)
	}
	if err := p.deadline.SetWriteDeadline(time.Now().Add(writeWithin)); err != nil {
		return 0, err
	}
	return p.out.Write(b)
}

// adminProfile is net/http/pprof.
func (s *Server) adminProfile(x *exchange) error {
	w, r := x.Response(), x.Request()
	switch strings.TrimPrefix(r.URL.Path, "/debug/pprof/") {
	case "cmdline":
		return notFound() // a command line can hold what nobody should see
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
