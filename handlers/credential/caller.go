package credential

import (
	"issuer.example/client"
	"issuer.example/session"
)

// Kind is what a caller has proved to be.
type Kind int

// The kinds of callers.
const (
	KindHolder Kind = iota + 1 // of an access token
	KindMember                 // of a refresh token in the session cookie
	KindClient                 // of a service key
)

// Caller is who calls.
type Caller struct {
	Kind Kind
	// Holder is the session of a holder or a member. A member has no Claims.
	Holder session.Holder
	// AccessToken is what a holder presented.
	AccessToken string
	// Reading is what the refresh token of a member is good for.
	Reading session.Reading
	// Client is the service key of a client.
	Client client.Key
}
