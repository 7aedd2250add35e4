package handlers

import (
	"net/http"
	"net/netip"

	"github.com/go-json-experiment/json/jsontext"

	"issuer.example/session"
)

// transportCookie asks for tokens in cookies instead of the body.
const transportCookie = "cookie"

// mintBody is the body of POST /v1/sessions.
type mintBody struct {
	User struct {
		ID    string `json:"id"`
		Email string `json:"email"`
		Name  string `json:"name"`
		Image string `json:"image"`
	} `json:"user"`
	Claims    jsontext.Value `json:"claims"`
	Audience  []string       `json:"audience"`
	Scope     string         `json:"scope"`
	AMR       []string       `json:"amr"`
	ACR       string         `json:"acr"`
	IP        string         `json:"ip_address"`
	UserAgent string         `json:"user_agent"`
	Label     string         `json:"label"`
	Transport string         `json:"transport"`

	Handoff       bool   `json:"handoff"`
	HandoffOrigin string `json:"handoff_origin"`
}

// mint begins a session for a user whom the backend has authenticated.
func (s *Server) mint(x *exchange) error {
	if err := s.service(x, ScopeMint); err != nil {
		return err
	}
	var body mintBody
	if err := decode(x, &body); err != nil {
		return err
	}
	cookie, err := byCookie(x, body.Transport)
	if err != nil {
		return err
	}
	from, err := device(body.IP, body.UserAgent)
	if err != nil {
		return err
	}
	req := session.MintRequest{
		User: session.User(body.User), ClientID: x.client, Claims: []byte(body.Claims),
		Audience: body.Audience, Scope: body.Scope, AMR: body.AMR, ACR: body.ACR, Label: body.Label, From: from,
	}
	if body.Handoff {
		return s.handoff(x, req, &body, cookie)
	}
	if body.HandoffOrigin != "" {
		return &refusal{code: codeInvalidRequest, field: "handoff_origin", detail: "The handoff_origin needs handoff."}
	}
	g, err := s.cfg.Sessions.Mint(x.Request().Context(), req)
	if err != nil {
		return err
	}
	return s.grant(x, http.StatusCreated, g, cookie)
}

// reauthBody is the body of POST /v1/sessions/{id}/reauthenticate.
type reauthBody struct {
	AMR       []string `json:"amr"`
	ACR       string   `json:"acr"`
	IP        string   `json:"ip_address"`
	UserAgent string   `json:"user_agent"`
	Transport string   `json:"transport"`
}

// reauthenticate records that the user of a session has proved who they are again.
func (s *Server) reauthenticate(x *exchange) error {
	if err := s.service(x, ScopeMint); err != nil {
		return err
	}
	id, err := x.sessionID()
	if err != nil {
		return err
	}
	var body reauthBody
	if err := decodeOptional(x, &body); err != nil {
		return err
	}
	cookie, err := byCookie(x, body.Transport)
	if err != nil {
		return err
	}
	from, err := device(body.IP, body.UserAgent)
	if err != nil {
		return err
	}
	g, err := s.cfg.Sessions.Reauthenticate(x.Request().Context(), id,
		session.ReauthRequest{By: x.client, AMR: body.AMR, ACR: body.ACR, From: from})
	if err != nil {
		return err
	}
	return s.grant(x, http.StatusOK, g, cookie)
}

// grant answers a backend: with the tokens in the body, or in cookies for it to pass on.
func (s *Server) grant(x *exchange, status int, g session.Grant, cookie bool) error {
	x.sid = g.View.ID.String()
	now := s.cfg.Now()
	if cookie {
		s.jar.set(x, g, now)
		g.AccessToken, g.RefreshToken = "", ""
	}
	return answerGrant(x, status, &g, now)
}

// byCookie reports whether the query or the body asks for cookies.
func byCookie(x *exchange, transport string) (bool, error) {
	query, given, err := x.query("transport")
	if err != nil {
		return false, err
	}
	if !given {
		query = transport
	}
	if query != "" && query != transportCookie || transport != "" && transport != query {
		return false, &refusal{code: codeInvalidRequest, field: "transport", detail: "The transport must be cookie, or left out."}
	}
	return query == transportCookie, nil
}

// device is the user's device as the backend describes it. What it leaves out is unknown:
// the backend's own address says nothing.
func device(ip, userAgent string) (session.Client, error) {
	c := session.Client{UserAgent: userAgent}
	if ip == "" {
		return c, nil
	}
	addr, err := netip.ParseAddr(ip)
	if err != nil || addr.Zone() != "" {
		return c, &refusal{code: codeInvalidRequest, field: "ip_address", detail: "The ip_address must be an IPv4 or IPv6 address."}
	}
	c.IP = addr
	return c, nil
}
