package exchange

import (
	"errors"
	"log/slog"
	"strings"
	"unicode"

	"issuer.example/jwt"
)

// maxLogged bounds a value of the log that comes from the request, in bytes.
const maxLogged = 256

// logAccess reports a finished request to the observer and to the log. Probes come every few seconds,
// so they are logged at level debug only.
func logAccess(x *Exchange) {
	l := x.listener
	status, took := x.echo.Response().Status, l.cfg.Now().Sub(x.began)
	if x.route != nil {
		x.route.observe(status, took)
	} else {
		l.unmatched(status, took)
	}
	level := slog.LevelInfo
	if x.isProbe() {
		level = slog.LevelDebug
	}
	if !l.cfg.Logger.Enabled(x.ctx, level) {
		return
	}
	attrs := make([]slog.Attr, 0, 13)
	attrs = append(attrs,
		slog.String("method", printable(x.Request().Method, 16)),
		slog.String("route", pattern(x)),
		slog.Int("status", status),
		slog.Float64("took_ms", float64(took.Microseconds())/1000),
		slog.Int64("bytes", x.echo.Response().Size),
		slog.String("request_id", x.ID),
		slog.String("ip", x.client.String()),
	)
	if x.Log.SessionID != "" {
		attrs = append(attrs, slog.String("sid", x.Log.SessionID))
	}
	if x.Log.Outcome != "" {
		attrs = append(attrs, slog.String("outcome", x.Log.Outcome))
	}
	if x.Log.Client != "" {
		attrs = append(attrs, slog.String("client", x.Log.Client))
	}
	if x.Log.Refused != nil {
		attrs = append(attrs, slog.String("refused", cause(x.Log.Refused)))
	}
	if agent := x.Request().UserAgent(); agent != "" {
		attrs = append(attrs, slog.String("user_agent", printable(agent, maxLogged)))
	}
	l.cfg.Logger.LogAttrs(x.ctx, level, "request", attrs...)
}

// pattern is the path of the route with its parameters' names, or "".
func pattern(x *Exchange) string {
	if x.route == nil {
		return ""
	}
	return x.route.Path
}

// cause names why a request was refused: the code, and for an access token what is wrong with
// it.
func cause(err error) string {
	text := string(RefusalFor(err).Code)
	if cause := jwt.Cause(err); cause != "" {
		text += " [" + cause + "]"
	}
	return text
}

// logFailure logs the error that the client is not told.
func logFailure(x *Exchange, r *Refusal) {
	logger := x.listener.cfg.Logger
	if p, ok := errors.AsType[*panicError](r.Err); ok {
		logger.ErrorContext(x.ctx, "panic", "request_id", x.ID, "route", pattern(x),
			"kind", p.kind, "stack", string(p.stack))
		return
	}
	logger.ErrorContext(x.ctx, "request failed", "request_id", x.ID, "route", pattern(x), "error", r.Err)
}

// printable makes text from a request fit for one line of a log: at most limit bytes, other
// characters than printable ones replaced.
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
