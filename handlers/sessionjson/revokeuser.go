package sessionjson

import (
	"issuer.example/handlers/exchange"
	"issuer.example/session"
	"issuer.example/sid"
)

// revokeUserBody is the schema RevokeUserRequest of openapi.yaml.
type revokeUserBody struct {
	UserID string `json:"user_id"`
	Except string `json:"except"`
	Reason string `json:"reason"`
	DryRun bool   `json:"dry_run"`
}

// RevokeUserOfPath reads a request to end the sessions of the user whom the path names. The body may be
// left out.
func RevokeUserOfPath(x *exchange.Exchange, cause session.Cause) (session.RevokeUserRequest, error) {
	userID, err := exchange.UserIDParam(x)
	if err != nil {
		return session.RevokeUserRequest{}, err
	}
	var body revokeUserBody
	if err := x.DecodeOptionalJSON(&body); err != nil {
		return session.RevokeUserRequest{}, err
	}
	if body.UserID != "" {
		return session.RevokeUserRequest{}, exchange.InvalidField("user_id", "The user_id is in the path already.")
	}
	body.UserID = userID
	return body.request(cause)
}

// RevokeUserOfBody reads the same request for a user whom the body names: for ids that do not survive a
// path, such as ".." and those with a slash.
func RevokeUserOfBody(x *exchange.Exchange, cause session.Cause) (session.RevokeUserRequest, error) {
	var body revokeUserBody
	if err := x.DecodeJSON(&body); err != nil {
		return session.RevokeUserRequest{}, err
	}
	if err := exchange.CheckUserID(body.UserID); err != nil {
		return session.RevokeUserRequest{}, err
	}
	return body.request(cause)
}

func (b revokeUserBody) request(cause session.Cause) (session.RevokeUserRequest, error) {
	req := session.RevokeUserRequest{UserID: b.UserID, Cause: cause, Note: b.Reason, DryRun: b.DryRun}
	if b.Except == "" {
		return req, nil
	}
	id, err := sid.Parse(b.Except)
	if err != nil {
		return req, exchange.InvalidField("except", "The except must be the id of a session.")
	}
	req.Except = id
	return req, nil
}
