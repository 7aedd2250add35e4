package account

import (
	"cmp"
	"net/http"
	"net/netip"
	"slices"

	"issuer.example/handlers/credential"
	"issuer.example/handlers/exchange"
	"issuer.example/session"
	"issuer.example/sid"
	"issuer.example/web"
)

// devices shows the user's live sessions, the one that was used last first.
func (h *Handlers) devices(x *exchange.Exchange) error {
	caller, returnTo, err := h.viewer(x)
	if err != nil {
		return err
	}
	views, err := h.sessions.ListOwn(x.Context(), caller.Holder)
	if err != nil {
		return err
	}
	current := &caller.Holder.View
	page := &web.Account{View: web.ViewDevices, Title: "Your devices", User: displayName(&current.User), ReturnTo: returnTo}
	for i := range views {
		page.Devices = append(page.Devices, deviceOf(&views[i], current.ID))
	}
	slices.SortStableFunc(page.Devices, func(a, b web.Device) int { return b.LastSeen.Compare(a.LastSeen) })
	return h.writePage(x, http.StatusOK, page)
}

// confirmRevokeAll asks whether to sign out everywhere.
func (h *Handlers) confirmRevokeAll(x *exchange.Exchange) error {
	caller, returnTo, err := h.viewer(x)
	if err != nil {
		return err
	}
	return h.writePage(x, http.StatusOK, &web.Account{
		View: web.ViewConfirm, Title: "Sign out everywhere?", User: displayName(&caller.Holder.View.User), ReturnTo: returnTo,
	})
}

// viewer returns the user who looks at a page, and the target of its link back.
func (h *Handlers) viewer(x *exchange.Exchange) (caller credential.Caller, returnTo string, err error) {
	if returnTo, err = h.returnTo(x); err != nil {
		return credential.Caller{}, "", err
	}
	caller, err = h.auth.Member(x, h.sessions.Read)
	return caller, returnTo, err
}

// returnTo returns the return address of the query; "" if there is none.
func (h *Handlers) returnTo(x *exchange.Exchange) (string, error) {
	returnTo, _, err := x.Query("return_to")
	if err != nil {
		return "", err
	}
	return returnTo, h.checkReturnTo(returnTo)
}

// checkReturnTo refuses a return address that does not lead to a trusted origin.
func (h *Handlers) checkReturnTo(returnTo string) error {
	if returnTo != "" && !h.auth.Origins.TrustsLink(returnTo) {
		return exchange.InvalidField("return_to", "The return_to must be a URL of a trusted origin.")
	}
	return nil
}

func deviceOf(v *session.View, current sid.ID) web.Device {
	return web.Device{
		ID: v.ID.String(), Label: v.Label,
		Name: session.DeviceName(v.UserAgent), IP: addressText(v.IP),
		LastName: session.DeviceName(v.LastFrom.UserAgent), LastIP: addressText(v.LastFrom.IP),
		LastSeen: v.LastSeenAt, SignedIn: v.CreatedAt, Current: v.ID == current,
	}
}

// addressText is "" for an address that is unknown.
func addressText(ip netip.Addr) string {
	if !ip.IsValid() {
		return ""
	}
	return ip.String()
}

// displayName is the name by which people know a user.
func displayName(u *session.User) string { return cmp.Or(u.Email, u.Name, u.ID) }

func (h *Handlers) writePage(x *exchange.Exchange, status int, page *web.Account) error {
	body, err := h.pages.Account(page)
	if err != nil {
		return err
	}
	header := x.Header()
	header.Set("Content-Security-Policy", web.Policy)
	header.Set("Referrer-Policy", "same-origin") // forms still send their origin
	header.Set("Cross-Origin-Opener-Policy", "same-origin")
	return x.Blob(status, "text/html; charset=UTF-8", body)
}

// writeRefusal shows a page that says what is wrong.
func (h *Handlers) writeRefusal(x *exchange.Exchange, r *exchange.Refusal, m exchange.Meaning) error {
	page := &web.Account{View: web.ViewMessage, Title: m.Title, Message: cmp.Or(r.Detail, "Please try again.")}
	if returnTo, err := h.returnTo(x); err == nil {
		page.ReturnTo = returnTo
	}
	if r.Code.SignedOut() {
		page.Title, page.Message = "You are not signed in", "Sign in to the application to see your devices."
	}
	return h.writePage(x, m.Status, page)
}
