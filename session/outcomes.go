package session

import "issuer.example/session/refresh"

// Outcomes lists every outcome that [Observer] can be called with: the rows of the
// redeem table, the refusal of a step-up binding, and the reasons why a session has ended.
func Outcomes() []refresh.Outcome {
	return []refresh.Outcome{
		refresh.Advanced, refresh.Restored, refresh.Repeated, refresh.Late, refresh.Sibling,
		refresh.Behind, refresh.Elsewhere, refresh.Apart, refresh.Unchanged, refresh.Reused,
		refresh.Outcome(BindingStepUp),
		refresh.Outcome(ReasonSignOut), refresh.Outcome(ReasonUserRevoked), refresh.Outcome(ReasonUserRevokedAll),
		refresh.Outcome(ReasonServiceRevoked), refresh.Outcome(ReasonAdminRevoked), refresh.Outcome(ReasonTokenRevoked),
		refresh.Outcome(ReasonRefreshReuse), refresh.Outcome(ReasonLimit), refresh.Outcome(ReasonExpired), refresh.Outcome(ReasonIdle),
		refresh.Outcome(ReasonBindingMismatch), refresh.Outcome(ReasonKeyRevoked), refresh.Outcome(ReasonClientRevoked),
		refresh.Outcome(ReasonReplaced), refresh.Outcome(ReasonHandoffReuse),
	}
}
