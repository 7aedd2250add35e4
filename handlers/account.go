package handlers

import (
	"net/http"
	"net/url"
	"slices"

	"github.com/labstack/echo/v4"

	"issuer.example/session"
	"issuer.example/sid"
	"issuer.example/web"
)

// accountPath is the page of a user's own devices.
const accountPath = "/account/sessions"

// accountRoutes are the pages for people. They need no script: what they change, forms do.
func (s *Server) accountRoutes() []route {
	return []route{
		{method: "GET", path: accountPath, serve: s.accountDevices, page: true},
		{method: "GET", path: accountPath + "/revoke-all", serve: s.accountConfirm, page: true},
		{method: "POST", path: accountPath + "/revoke", serve: s.accountRevoke, page: true},
		{method: "POST", path: accountPath + "/revoke-others", serve: s.accountRevokeOthers, page: true},
		{method: "POST", path: accountPath + "/revoke-all", serve: s.accountRevokeAll, page: true},
		{method: "GET", path: "/account/assets/{name}", serve: s.accountStyle},
	}
}

func (s *Server) accountDevices(x *exchange) error {
	m, back, err := s.accountReader(x)
	if err != nil {
		return err
	}
	views, err := s.cfg.Sessions.ListOwn(x.Request().Context(), m.holder)
	if err != nil {
		return err
	}
	page := &web.Account{View: web.ViewDevices, Title: "Your devices", User: called(&m.holder.View.User), ReturnTo: back}
	for i := range views {
		page.Devices = append(page.Devices, deviceOf(&views[i], m.holder.View.ID))
	}
	slices.SortStableFunc(page.Devices, func(a, b web.Device) int { return b.LastSeen.Compare(a.LastSeen) })
	return s.writePage(x, http.StatusOK, page)
}

func (s *Server) accountConfirm(x *exchange) error {
	m, back, err := s.accountReader(x)
	if err != nil {
		return err
	}
	return s.writePage(x, http.StatusOK, &web.Account{
		View: web.ViewConfirm, Title: "Sign out everywhere?", User: called(&m.holder.View.User), ReturnTo: back,
	})
}

// accountRevoke ends one session. One that has gone meanwhile is not worth a word.
func (s *Server) accountRevoke(x *exchange) error {
	m, values, err := s.accountChanger(x)
	if err != nil {
		return err
	}
	id, err := sid.Parse(values.Get("id"))
	if err != nil {
		return notFound()
	}
	if err := s.cfg.Sessions.RevokeOwn(x.Request().Context(), m.holder, id); err != nil {
		return err
	}
	if id == m.holder.View.ID {
		s.jar.clear(x)
	}
	return backToDevices(x, values)
}

func (s *Server) accountRevokeOthers(x *exchange) error {
	m, values, err := s.accountChanger(x)
	if err != nil {
		return err
	}
	if _, err := s.cfg.Sessions.RevokeOthers(x.Request().Context(), m.holder); err != nil {
		return err
	}
	return backToDevices(x, values)
}

func (s *Server) accountRevokeAll(x *exchange) error {
	m, values, err := s.accountChanger(x)
	if err != nil {
		return err
	}
	if _, err := s.cfg.Sessions.RevokeAll(x.Request().Context(), m.holder); err != nil {
		return err
	}
	s.jar.clear(x)
	return backToDevices(x, values)
}

// accountReader is who looks at a page, and where its link back leads.
func (s *Server) accountReader(x *exchange) (m *member, back string, err error) {
	back, err = s.returnTo(x)
	if err != nil {
		return nil, "", err
	}
	m, err = s.member(x, s.cfg.Sessions.Read)
	return m, back, err
}

// accountChanger is who sends a form from one of the pages.
func (s *Server) accountChanger(x *exchange) (*member, url.Values, error) {
	if err := s.origins.verify(x); err != nil {
		return nil, nil, err
	}
	values, err := form(x)
	if err != nil {
		return nil, nil, err
	}
	if back := values.Get("return_to"); back != "" && !s.origins.leadsHome(back) {
		return nil, nil, elsewhere()
	}
	m, err := s.member(x, s.cfg.Sessions.Read)
	return m, values, err
}

// backToDevices shows the list again, by a GET.
func backToDevices(x *exchange, values url.Values) error {
	target := accountPath
	if back := values.Get("return_to"); back != "" {
		target += "?" + url.Values{"return_to": {back}}.Encode()
	}
	return x.Redirect(http.StatusSeeOther, target)
}

// returnTo is the return address of the query; "" if there is none.
func (s *Server) returnTo(x *exchange) (string, error) {
	back, _, err := x.query("return_to")
	if err == nil && back != "" && !s.origins.leadsHome(back) {
		return "", elsewhere()
	}
	return back, err
}

func elsewhere() error {
	return &refusal{code: codeInvalidRequest, field: "return_to", detail: "The return_to must be a URL of a trusted origin."}
}

// leadsHome reports whether a link leads to a trusted origin: exactly, so that it can be
// shown to people who trust the issuer.
func (o *origins) leadsHome(link string) bool {
	u, err := url.Parse(link)
	return err == nil && u.User == nil && u.Opaque == "" && o.trusted[u.Scheme+"://"+u.Host]
}

func deviceOf(v *session.View, current sid.ID) web.Device {
	d := web.Device{
		ID: v.ID.String(), Name: session.Device(v.UserAgent), Label: v.Label,
		LastSeen: v.LastSeenAt, Began: v.CreatedAt, Current: v.ID == current,
	}
	if v.IP.IsValid() {
		d.IP = v.IP.String()
	}
	return d
}

// called is the user as people know them.
func called(u *session.User) string {
	for _, name := range []string{u.Email, u.Name} {
		if name != "" {
			return name
		}
	}
	return u.ID
}

// accountStyle answers with the style sheet, under the name that goes with its content.
func (s *Server) accountStyle(x *exchange) error {
	name, err := x.segment("name")
	if err != nil || name != web.StyleName() {
		return notFound()
	}
	x.header().Set(echo.HeaderCacheControl, "public, max-age=31536000, immutable")
	return x.Blob(http.StatusOK, "text/css; charset=utf-8", web.Style())
}

func (s *Server) writePage(x *exchange, status int, page *web.Account) error {
	body, err := s.pages.Account(page)
	if err != nil {
		return err
	}
	h := x.header()
	h.Set(echo.HeaderContentSecurityPolicy, web.Policy)
	h.Set("Referrer-Policy", "same-origin") // forms still say their origin
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	return x.Blob(status, echo.MIMETextHTMLCharsetUTF8, body)
}

// writePageRefusal tells a person what is wrong.
func (s *Server) writePageRefusal(x *exchange, r *refusal, m meaning) error {
	page := &web.Account{View: web.ViewMessage, Title: m.title, Message: r.detail}
	if back, err := s.returnTo(x); err == nil {
		page.ReturnTo = back
	}
	if m.status == http.StatusUnauthorized && r.code != codeNotFresh {
		page.Title, page.Message = "You are not signed in", "Sign in to the application to see your devices."
	}
	if page.Message == "" {
		page.Message = "Please try again."
	}
	return s.writePage(x, m.status, page)
}
