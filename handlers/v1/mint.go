package v1

import (
	"net/http"
	"net/netip"

	"issuer.example/client"
	"issuer.example/handlers/exchange"
	"issuer.example/handlers/sessionjson"
	"issuer.example/session"
	"issuer.example/sid"
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
	Claims    exchange.RawJSON `json:"claims"`
	Audience  []string         `json:"audience"`
	Scope     string           `json:"scope"`
	AMR       []string         `json:"amr"`
	ACR       string           `json:"acr"`
	IP        string           `json:"ip_address"`
	UserAgent string           `json:"user_agent"`
	Label     string           `json:"label"`
	Replaces  *string          `json:"replaces"`
	Transport string           `json:"transport"`

	Handoff       bool    `json:"handoff"`
	HandoffOrigin *string `json:"handoff_origin"` // an empty one is refused: it would bind the code to no origin
}

// mint creates a session for a user whom the backend has authenticated.
func (h *Handlers) mint(x *exchange.Exchange) error {
	caller, err := h.auth.Clients.Require(x, client.ScopeMint)
	if err != nil {
		return err
	}
	var body mintBody
	if err := x.DecodeJSON(&body); err != nil {
		return err
	}
	byCookie, err := wantsCookies(x, body.Transport)
	if err != nil {
		return err
	}
	device, err := parseDevice(body.IP, body.UserAgent)
	if err != nil {
		return err
	}
	replaces, err := parseReplaces(body.Replaces)
	if err != nil {
		return err
	}
	req := session.MintRequest{
		User: session.User(body.User), ClientID: caller.Client.Name, Claims: []byte(body.Claims),
		Audience: body.Audience, Scope: body.Scope, AMR: body.AMR, ACR: body.ACR, Label: body.Label, From: device,
		Replaces: replaces,
	}
	if byCookie || body.Handoff {
		req.MaxAccessToken = h.auth.Jar.MaxAccessToken()
	}
	if body.Handoff {
		return h.handOff(x, req, body.HandoffOrigin, byCookie)
	}
	if body.HandoffOrigin != nil {
		return exchange.InvalidField("handoff_origin", "The handoff_origin needs handoff.")
	}
	g, err := h.sessions.Mint(x.Context(), req)
	if err != nil {
		return err
	}
	return h.answerGrant(x, http.StatusCreated, g, byCookie)
}

// reauthenticate records that the user of a session has been authenticated again.
func (h *Handlers) reauthenticate(x *exchange.Exchange) error {
	caller, err := h.auth.Clients.Require(x, client.ScopeMint)
	if err != nil {
		return err
	}
	id, err := exchange.SessionIDParam(x)
	if err != nil {
		return err
	}
	var body struct {
		AMR       []string `json:"amr"`
		ACR       string   `json:"acr"`
		IP        string   `json:"ip_address"`
		UserAgent string   `json:"user_agent"`
		Transport string   `json:"transport"`
	}
	if err := x.DecodeOptionalJSON(&body); err != nil {
		return err
	}
	byCookie, err := wantsCookies(x, body.Transport)
	if err != nil {
		return err
	}
	device, err := parseDevice(body.IP, body.UserAgent)
	if err != nil {
		return err
	}
	g, err := h.sessions.Reauthenticate(x.Context(), id,
		session.ReauthRequest{By: caller.Client.Name, AMR: body.AMR, ACR: body.ACR, From: device})
	if err != nil {
		return err
	}
	return h.answerGrant(x, http.StatusOK, g, byCookie)
}

// answerGrant answers a backend with the tokens in the body, or in cookies that it passes on. An access
// token that is too large for a cookie is in the body nevertheless.
func (h *Handlers) answerGrant(x *exchange.Exchange, status int, g session.Grant, byCookie bool) error {
	x.Log.SessionID = g.View.ID.String()
	now := h.now()
	if byCookie {
		if h.auth.Jar.Set(x, g, now) {
			g.AccessToken = ""
		}
		g.RefreshToken = ""
	}
	return sessionjson.AnswerGrant(x, status, &g, now)
}

// wantsCookies reports whether the query or the body asks for tokens in cookies.
func wantsCookies(x *exchange.Exchange, inBody string) (bool, error) {
	transport, given, err := x.Query("transport")
	if err != nil {
		return false, err
	}
	if !given {
		transport = inBody
	}
	if transport != "" && transport != transportCookie || inBody != "" && inBody != transport {
		return false, exchange.InvalidField("transport", "The transport must be cookie, or left out.")
	}
	return transport == transportCookie, nil
}

// parseReplaces reads the id of a session that the new one replaces; zero if there is none.
func parseReplaces(text *string) (id sid.ID, err error) {
	if text == nil {
		return id, nil
	}
	if id, err = sid.Parse(*text); err != nil {
		return id, exchange.InvalidField("replaces", "The replaces must be the id of a session.")
	}
	return id, nil
}

// parseDevice reads the device of the user as the backend describes it. What the backend leaves out is
// unknown: its own address says nothing about the user.
func parseDevice(ip, userAgent string) (session.Device, error) {
	device := session.Device{UserAgent: userAgent}
	if ip == "" {
		return device, nil
	}
	addr, err := netip.ParseAddr(ip)
	if err != nil || addr.Zone() != "" {
		return device, exchange.InvalidField("ip_address", "The ip_address must be an IPv4 or IPv6 address.")
	}
	device.IP = addr
	return device, nil
}
