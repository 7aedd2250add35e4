package handlers

import (
	"errors"
	"log/slog"
	"strings"
	"unicode"

	"issuer.example/jwt"
)

// maxLogged bounds a value of the log that comes from outside.
const maxLogged = 256

// finish tells the observer and the log of a request. Neither sees a token, a cookie, a
// query or an Authorization header.
func (l *listener) finish(x *exchange) {
	status, took := x.Response().Status, l.server.cfg.Now().Sub(x.began)
	if x.route != nil {
		x.route.observe(status, took)
	} else {
		l.unknown(status, took)
	}
	logger, ctx := l.server.cfg.Logger, x.Request().Context()
	if !logger.Enabled(ctx, slog.LevelInfo) {
		return
	}
	attrs := make([]slog.Attr, 0, 12)
	attrs = append(attrs,
		slog.String("method", printable(x.Request().Method, 16)),
		slog.String("route", x.pattern()),
		slog.Int("status", status),
		slog.Float64("took_ms", float64(took.Microseconds())/1000),
		slog.Int64("bytes", x.Response().Size),
		slog.String("request_id", x.id),
		slog.String("ip", x.from.String()),
	)
	if x.sid != "" {
		attrs = append(attrs, slog.String("sid", x.sid))
	}
	if x.client != "" {
		attrs = append(attrs, slog.String("client", x.client))
	}
	if x.cause != nil {
		attrs = append(attrs, slog.String("refused", l.server.word(x.cause)))
	}
	if agent := x.Request().UserAgent(); agent != "" {
		attrs = append(attrs, slog.String("user_agent", printable(agent, maxLogged)))
	}
	logger.LogAttrs(ctx, slog.LevelInfo, "request", attrs...)
}

func (x *exchange) pattern() string {
	if x.route == nil {
		return ""
	}
	return x.route.path
}

// word names what was refused: the code, and for a token the cause.
func (s *Server) word(err error) string {
	word := string(s.refuse(err).code)
	if cause := jwt.Cause(err); cause != "" {
		word += " [" + cause + "]"
	}
	return word
}

// logFailure logs what the client is not told.
func (s *Server) logFailure(x *exchange, r *refusal) {
	ctx := x.Request().Context()
	if p, ok := errors.AsType[*panicError](r.err); ok {
		s.cfg.Logger.ErrorContext(ctx, "panic", "request_id", x.id, "route", x.pattern(),
			"kind", p.kind, "stack", string(p.stack))
		return
	}
	s.cfg.Logger.ErrorContext(ctx, "request failed", "request_id", x.id, "route", x.pattern(), "error", r.err)
}

// printable makes outside text fit for one line of a log.
func printable(s string, limit int) string {
	clean := len(s) <= limit
	for i := 0; clean && i < len(s); i++ {
		clean = s[i] >= 0x20 && s[i] < 0x7f
	}
	if clean {
		return s
	}
	s = strings.ToValidUTF8(s[:min(len(s), limit)], "?")
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, s)
}
