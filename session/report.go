package session

import (
	"cmp"
	"context"
	"log/slog"
	"net/netip"
	"time"

	"issuer.example/session/refresh"
)

// report tells the metrics and the log of a redemption, once it is durable.
func (s *Service) report(r redemption) {
	s.cfg.Observer.Refreshed(string(r.Outcome))
	id := slog.String("sid", r.before.Session.ID.String())
	if r.Outcome == refresh.Reused {
		s.cfg.Logger.LogAttrs(context.Background(), slog.LevelWarn, "refresh token reused: session ended",
			append(r.places(), id, slog.String("sub", r.before.Session.User.ID))...)
	}
	if r.Outcome == refresh.Apart && r.after.State != r.before.State { // once in a generation
		s.cfg.Logger.LogAttrs(context.Background(), slog.LevelInfo, "refresh token used apart: the session may end if it happens again",
			append(r.places(), id)...)
	}
	if r.Outcome == refresh.Restored { // warn once: after a restore it happens in many sessions
		level := slog.LevelInfo
		if s.restored.CompareAndSwap(false, true) {
			level = slog.LevelWarn
		}
		s.cfg.Logger.LogAttrs(context.Background(), level, "refresh token is newer than the store: was a backup restored?", id)
	}
	s.reportBound(r.before.Session, r.after.Session)
	s.reportMove(r)
}

// reportBound logs that a use has bound its session to where it came from.
func (s *Service) reportBound(before, after Session) {
	if isBound(before, after) {
		s.cfg.Logger.Info("sign-in had no address or browser: session bound to those of its first use", slog.String("sid", after.ID.String()),
			slog.String("ip", addressText(after.IP)), slog.String("browser", browserText(after.UserAgent)))
	}
}

// places says of two uses of a session's tokens, this one and the last advance, where they came
// from and which generation they presented.
func (r *redemption) places() []slog.Attr {
	st := r.before.State
	return []slog.Attr{
		slog.Uint64("generation", uint64(r.presented.Generation)),
		slog.String("ip", addressText(r.from.IP)),
		slog.String("browser", browserText(r.from.UserAgent)),
		slog.Uint64("last_generation", uint64(st.Generation)),
		slog.String("last_ip", addressText(st.RedeemedFrom.IP)),
		slog.String("last_browser", browserText(st.RedeemedFrom.UserAgent)),
		slog.String("last_at", st.RedeemedAt.Format(time.RFC3339Nano)),
	}
}

// browserText names a user agent in the log: its browser and system, or the beginning of its text.
func browserText(userAgent string) string {
	const limit = 64
	return cmp.Or(DeviceName(userAgent), Device{UserAgent: userAgent[:min(len(userAgent), limit)]}.clean().UserAgent, "unknown")
}

func addressText(ip netip.Addr) string {
	if !ip.IsValid() {
		return "unknown"
	}
	return ip.String()
}

// reportMove logs that a session was used from elsewhere. Where that is allowed it is logged
// once for each network, because people travel, and for another browser whenever it
// refreshes.
func (s *Service) reportMove(r redemption) {
	level := slog.LevelInfo
	switch {
	case r.ends == ReasonBindingMismatch:
		level = slog.LevelWarn
	case !r.networkChanged && !r.browserChanged, r.refusal == nil && !r.needsLog:
		return
	}
	s.cfg.Logger.LogAttrs(context.Background(), level, "session used from elsewhere",
		slog.String("sid", r.before.Session.ID.String()), slog.Bool("refused", r.refusal != nil), slog.Bool("ended", r.ends != ""),
		slog.Bool("network", r.networkChanged), slog.Bool("browser", r.browserChanged))
}
