package session

// What facts of kind Changed say in [fact.Fact.What]. The words are stored.
const (
	factClaimed         = "claimed"         // the session's hand-off code was claimed
	factReauthenticated = "reauthenticated" // the session's user has authenticated again
)
