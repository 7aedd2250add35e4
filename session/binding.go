package session

import (
	"net/netip"
	"slices"

	"github.com/mileusna/useragent"

	"issuer.example/session/refresh"
)

// BindingMode says what happens when a session is used from elsewhere than where it began.
type BindingMode string

// The binding modes.
const (
	BindingOff     BindingMode = "off"     // not compared
	BindingLog     BindingMode = "log"     // logged, and accepted
	BindingStepUp  BindingMode = "step_up" // refused with ErrNotFresh until the user authenticates again there
	BindingEnforce BindingMode = "enforce" // the session ends
)

// BindingPolicy is what a session is bound to, and how strictly. It is judged at refresh.
// An address or a user agent that is unknown is not judged. A policy that refuses needs one to
// compare with: where the sign-in has none, that of the first use is taken, which is the claim of
// a hand-off or the first refresh.
type BindingPolicy struct {
	IP        BindingMode // by network: /24 of IPv4, /56 of IPv6. "" is BindingOff.
	UserAgent BindingMode // by family of browser and system, not version. "" is BindingOff.
}

// The bits of an address that name its network: providers commonly give such a range to one
// customer and change addresses within it.
const (
	prefix4 = 24
	prefix6 = 56
)

// bind refuses a redemption that the binding policy does not accept.
func (s *Service) bind(r *redemption) {
	verdict := BindingOff
	sess, from := r.before.Session, r.from
	if !sameNetwork(sess.IP, from.IP) {
		verdict = stricter(verdict, s.cfg.Binding.IP)
		r.networkChanged = verdict != BindingOff
	}
	if !sameFamily(sess.UserAgent, from.UserAgent) {
		verdict = stricter(verdict, s.cfg.Binding.UserAgent)
		r.browserChanged = stricter(BindingOff, s.cfg.Binding.UserAgent) != BindingOff
	}
	r.needsLog = r.browserChanged || r.networkChanged && !sameNetwork(r.before.State.LastFrom.IP, from.IP)
	switch verdict {
	case BindingStepUp:
		r.refusal, r.Outcome = ErrNotFresh, refresh.Outcome(BindingStepUp)
	case BindingEnforce:
		r.refusal, r.Outcome, r.ends = ErrBindingMismatch, refresh.Outcome(ReasonBindingMismatch), ReasonBindingMismatch
	case BindingOff, BindingLog:
	}
}

// bound is the record of a session that is used from there. If the policy refuses other
// addresses or browsers and the sign-in's is unknown, the session is bound to this one.
func (s *Service) bound(sess Session, from Device) Session {
	if s.cfg.Binding.IP.refuses() && !sess.IP.IsValid() {
		sess.IP = from.IP
	}
	if s.cfg.Binding.UserAgent.refuses() && sess.UserAgent == "" {
		sess.UserAgent = from.UserAgent
	}
	return sess
}

// isBound reports whether a use has bound its session to where it came from.
func isBound(before, after Session) bool {
	return after.IP != before.IP || after.UserAgent != before.UserAgent
}

// refuses reports whether the mode refuses what does not match.
func (m BindingMode) refuses() bool { return m == BindingStepUp || m == BindingEnforce }

// stricter is the stricter of two modes; "" is BindingOff.
func stricter(a, b BindingMode) BindingMode {
	order := [...]BindingMode{BindingOff, BindingLog, BindingStepUp, BindingEnforce}
	return order[max(slices.Index(order[:], a), slices.Index(order[:], b))]
}

// elsewhere reports whether two requests certainly came from different places: their networks
// are known and differ, or their browsers are.
func elsewhere(a, b Device) bool {
	return !sameNetwork(a.IP, b.IP) || !sameFamily(a.UserAgent, b.UserAgent)
}

// sameNetwork reports whether two addresses are of one network, as far as it is known.
func sameNetwork(a, b netip.Addr) bool {
	if !a.IsValid() || !b.IsValid() {
		return true
	}
	a, b = a.Unmap().WithZone(""), b.Unmap().WithZone("")
	if a.Is4() != b.Is4() {
		return false
	}
	bits := prefix6
	if a.Is4() {
		bits = prefix4
	}
	network, err := a.Prefix(bits)
	return err == nil && network.Contains(b)
}

// sameFamily reports whether two user agents are the same browser on the same system,
// whatever their versions, as far as it is known.
func sameFamily(a, b string) bool {
	if a == b || a == "" || b == "" {
		return true
	}
	x, y := useragent.Parse(a), useragent.Parse(b)
	return x.Name == y.Name && x.OS == y.OS && x.Mobile == y.Mobile && x.Tablet == y.Tablet
}
