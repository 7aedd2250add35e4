package account

import (
	"net/http"
	"net/url"

	"issuer.example/handlers/credential"
	"issuer.example/handlers/exchange"
	"issuer.example/sid"
)

// revoke ends one session. It is a success if the session has ended meanwhile.
func (h *Handlers) revoke(x *exchange.Exchange) error {
	caller, form, err := h.submitter(x)
	if err != nil {
		return err
	}
	id, err := sid.Parse(form.Get("id"))
	if err != nil {
		return exchange.NotFound()
	}
	if err := h.sessions.RevokeOwn(x.Context(), caller.Holder, id); err != nil {
		return err
	}
	if id == caller.Holder.View.ID {
		h.auth.Jar.Clear(x)
	}
	return h.redirectToDevices(x, form)
}

// revokeOthers ends the user's sessions except this one.
func (h *Handlers) revokeOthers(x *exchange.Exchange) error {
	caller, form, err := h.submitter(x)
	if err != nil {
		return err
	}
	if _, err := h.sessions.RevokeOthers(x.Context(), caller.Holder); err != nil {
		return err
	}
	return h.redirectToDevices(x, form)
}

// revokeAll ends all of the user's sessions.
func (h *Handlers) revokeAll(x *exchange.Exchange) error {
	caller, form, err := h.submitter(x)
	if err != nil {
		return err
	}
	if _, err := h.sessions.RevokeAll(x.Context(), caller.Holder); err != nil {
		return err
	}
	h.auth.Jar.Clear(x)
	return h.redirectToDevices(x, form)
}

// submitter returns the user who sends a form from one of the pages, and the form.
func (h *Handlers) submitter(x *exchange.Exchange) (credential.Caller, url.Values, error) {
	if err := h.auth.Origins.CheckChange(x); err != nil {
		return credential.Caller{}, nil, err
	}
	form, err := x.Form()
	if err != nil {
		return credential.Caller{}, nil, err
	}
	if err := h.checkReturnTo(form.Get("return_to")); err != nil {
		return credential.Caller{}, nil, err
	}
	caller, err := h.auth.Member(x, h.sessions.Read)
	return caller, form, err
}

// redirectToDevices shows the list again, by a GET.
func (h *Handlers) redirectToDevices(x *exchange.Exchange, form url.Values) error {
	target := h.prefix + basePath
	if returnTo := form.Get("return_to"); returnTo != "" {
		target += "?" + url.Values{"return_to": {returnTo}}.Encode()
	}
	return x.Redirect(http.StatusSeeOther, target)
}
