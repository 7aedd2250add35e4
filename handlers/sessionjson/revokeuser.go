package sessionjson

import (
	"issuer.example/handlers/exchange"
	"issuer.example/session"
	"issuer.example/sid"
)

// revokeUserBody is the schema RevokeUserRequest of openapi.yaml.
type revokeUserBody struct {
	UserID *string `json:"user_id"`
	Except *string `json:"except"` // an empty one is refused: a caller who has lost the id means to spare a session
	Reason string  `json:"reason"`
	DryRun bool    `json:"dry_run"`
}

// RevokeUserOfPath reads a request to end the sessions of the user whom the path names. The body may be
// left out.
func RevokeUserOfPath(x *exchange.Exchange, cause session.Cause) (session.RevokeUserRequest, error) {
	userID, err := exchange.UserIDParam(x)
	if err != nil {
		return session.RevokeUserRequest{}, err
	}
	var body revokeUserBody
	if err := refuseMembersInQuery(x); err != nil {
		return session.RevokeUserRequest{}, err
	}
	if err := x.DecodeOptionalJSON(&body); err != nil {
		return session.RevokeUserRequest{}, err
	}
	if body.UserID != nil {
		return session.RevokeUserRequest{}, exchange.InvalidField("user_id", "The user_id is in the path already.")
	}
	return body.request(userID, cause)
}

// RevokeUserOfBody reads the same request for a user whom the body names: for ids that do not survive a
// path, such as ".." and those with a slash.
func RevokeUserOfBody(x *exchange.Exchange, cause session.Cause) (session.RevokeUserRequest, error) {
	var body revokeUserBody
	if err := refuseMembersInQuery(x); err != nil {
		return session.RevokeUserRequest{}, err
	}
	if err := x.DecodeJSON(&body); err != nil {
		return session.RevokeUserRequest{}, err
	}
	var userID string
	if body.UserID != nil {
		userID = *body.UserID
	}
	if err := exchange.CheckUserID(userID); err != nil {
		return session.RevokeUserRequest{}, err
	}
	return body.request(userID, cause)
}

// refuseMembersInQuery refuses a query that has what belongs into the body. It would be ignored there, and
// a request that was to spare a session, or only to count, would end everything.
func refuseMembersInQuery(x *exchange.Exchange) error {
	for _, name := range []string{"user_id", "except", "reason", "dry_run"} {
		if _, given, err := x.Query(name); err != nil {
			return err
		} else if given {
			return exchange.InvalidField(name, "The "+name+" belongs into the body.")
		}
	}
	return nil
}

func (b revokeUserBody) request(userID string, cause session.Cause) (session.RevokeUserRequest, error) {
	req := session.RevokeUserRequest{UserID: userID, Cause: cause, Note: b.Reason, DryRun: b.DryRun}
	if b.Except == nil {
		return req, nil
	}
	id, err := sid.Parse(*b.Except)
	if err != nil {
		return req, exchange.InvalidField("except", "The except must be the id of a session.")
	}
	req.Except = id
	return req, nil
}
