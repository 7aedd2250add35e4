package session

// Outcomes lists every outcome that Observer.Refreshed can be called with: the rows of the
// redeem table, the refusal of a step-up binding, and the reasons why a session has ended.
func Outcomes() []Outcome {
	return []Outcome{
		OutcomeAdvanced, OutcomeRestored, OutcomeRepeated, OutcomeLateRetry, OutcomeSibling,
		OutcomeBehind, OutcomeUnchanged, OutcomeReused,
		Outcome(BindingStepUp),
		Outcome(ReasonSignOut), Outcome(ReasonUserRevoked), Outcome(ReasonUserRevokedAll),
		Outcome(ReasonServiceRevoked), Outcome(ReasonAdminRevoked), Outcome(ReasonTokenRevoked),
		Outcome(ReasonRefreshReuse), Outcome(ReasonLimit), Outcome(ReasonExpired), Outcome(ReasonIdle),
		Outcome(ReasonBindingMismatch), Outcome(ReasonKeyRevoked), Outcome(ReasonClientRevoked),
	}
}
