package session

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"issuer.example/jwt"
)

// The limits of what a request may bring, in bytes of UTF-8 or in items.
const (
	maxEmail     = 320
	maxName      = 256
	maxImage     = 2048
	maxLabel     = 128
	maxAudiences = 16
	maxAudience  = 255
	maxAMR       = 16
	maxAMRValue  = 64
	maxACR       = 255
	maxUserAgent = 512
	// maxInToken bounds what goes into every access token, as JSON, so that the token
	// stays below the 8 KiB that a verifier accepts.
	maxInToken = 4608
)

// check refuses what cannot be stored or what a strict verifier would refuse, and brings the
// rest into the form that is stored.
func (r *MintRequest) check() error {
	if err := jwt.ValidSubject(r.User.ID); err != nil {
		return &FieldError{"user.id", "must be 1 to 255 bytes of UTF-8 without control characters and characters that set the direction of text"}
	}
	for _, f := range []struct {
		name, value string
		limit       int
	}{
		{"user.email", r.User.Email, maxEmail},
		{"user.name", r.User.Name, maxName},
		{"user.image", r.User.Image, maxImage},
		{"label", r.Label, maxLabel},
		{"acr", r.ACR, maxACR},
	} {
		if err := checkText(f.name, f.value, f.limit); err != nil {
			return err
		}
	}
	if err := checkList("audience", r.Audience, maxAudiences, maxAudience); err != nil {
		return err
	}
	if err := checkList("amr", r.AMR, maxAMR, maxAMRValue); err != nil {
		return err
	}
	if r.Scope != "" && jwt.ValidScope(r.Scope) != nil {
		return &FieldError{"scope", fmt.Sprintf(
			"must be scope tokens (RFC 6749) with one space between them, at most %d bytes", jwt.MaxScopeSize)}
	}
	if err := r.checkClaims(); err != nil {
		return err
	}
	r.From = r.From.clean()
	return checkSize(Session{
		User: r.User, Audience: r.Audience, Scope: r.Scope, AMR: r.AMR, ACR: r.ACR, Claims: r.Claims,
	})
}

func (r *MintRequest) checkClaims() error {
	if r.Claims == nil {
		return nil
	}
	claims, err := shortestJSON(r.Claims)
	if err != nil {
		return &FieldError{"claims", "must be a JSON object"}
	}
	if err := jwt.CheckExtra(claims); err != nil {
		return &FieldError{"claims", "cannot be accepted: " + strings.TrimPrefix(err.Error(), "jwt: ")}
	}
	r.Claims = claims
	return nil
}

// checkSize refuses a session whose access tokens a verifier would refuse for their size.
func checkSize(s Session) error {
	var inToken bytes.Buffer
	encoder := json.NewEncoder(&inToken)
	encoder.SetEscapeHTML(false) // tokens have <, > and & as they are
	if err := encoder.Encode([]any{s.User.ID, s.Audience, s.AMR, s.ACR, s.Scope, s.Claims}); err != nil {
		return fmt.Errorf("measuring claims: %w", err)
	}
	if inToken.Len()-len("\n") > maxInToken {
		return &FieldError{"claims", fmt.Sprintf("and audience, scope, amr and acr must be at most %d bytes together", maxInToken)}
	}
	return nil
}

func (r *ReauthRequest) check() error {
	if err := checkText("acr", r.ACR, maxACR); err != nil {
		return err
	}
	r.From = r.From.clean()
	return checkList("amr", r.AMR, maxAMR, maxAMRValue)
}

func checkText(field, s string, limit int) error {
	if len(s) > limit || !utf8.ValidString(s) || strings.ContainsFunc(s, changesLayout) {
		return &FieldError{field, fmt.Sprintf(
			"must be at most %d bytes of UTF-8 without control characters, line separators and characters that set the direction of text", limit)}
	}
	return nil
}

// changesLayout reports whether a character changes how the text around it is shown: a control character,
// a line or paragraph separator, or one that sets the direction of text, with which a name can read like
// another one.
func changesLayout(r rune) bool {
	return unicode.IsControl(r) || unicode.In(r, unicode.Bidi_Control, unicode.Zl, unicode.Zp)
}

func checkList(field string, list []string, items, limit int) error {
	if list != nil && len(list) == 0 || len(list) > items {
		return &FieldError{field, fmt.Sprintf("must have 1 to %d items", items)}
	}
	for _, s := range list {
		if s == "" {
			return &FieldError{field, "must not have an empty item"}
		}
		if err := checkText(field, s, limit); err != nil {
			return err
		}
	}
	return nil
}

// clean returns the device in a form that can be stored and shown. A user agent is repaired,
// not refused, because the one who sends the request cannot correct it.
func (d Device) clean() Device {
	d.IP = d.IP.Unmap().WithZone("")
	d.UserAgent = strings.Map(func(r rune) rune {
		if r == utf8.RuneError || changesLayout(r) {
			return -1
		}
		return r
	}, d.UserAgent)
	if len(d.UserAgent) > maxUserAgent {
		cut := d.UserAgent[:maxUserAgent]
		for !utf8.ValidString(cut) {
			cut = cut[:len(cut)-1]
		}
		d.UserAgent = cut
	}
	return d
}
