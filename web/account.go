// Package web is the pages that the issuer shows to people: templates and styles, embedded.
//
// The pages work without JavaScript and hold no inline style, so that a strict
// Content-Security-Policy ([Policy]) can forbid both. [Account] renders the page of a
// user's own devices.
package web

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"html/template"
	"time"
)

// Policy is the Content-Security-Policy of every page.
const Policy = "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"

//go:embed assets/account.html
var accountHTML string

//go:embed assets/account.css
var accountCSS []byte

// Style is the style sheet of the pages.
func Style() []byte { return accountCSS }

// StyleName is the file name of the style sheet. It changes with its content, so that the
// sheet can be kept for ever.
func StyleName() string {
	sum := sha256.Sum256(accountCSS)
	return "account." + hex.EncodeToString(sum[:6]) + ".css"
}

// Device is one live session of the user.
type Device struct {
	ID       string
	Name     string // browser and system; "" is unknown
	Label    string // what the backend called it; may be ""
	IP       string // "" is unknown
	LastSeen time.Time
	SignedIn    time.Time
	Current  bool
}

// Account is what the pages of one's own devices show.
type Account struct {
	// View is which page: ViewDevices, ViewConfirm or ViewMessage.
	View     string
	Title    string
	Message  string // for ViewMessage
	User     string // whom it is about, as people know them
	Devices  []Device
	ReturnTo string // where the link back leads; "" shows none. The caller has validated it.
}

// The pages.
const (
	ViewDevices = "devices" // the list
	ViewConfirm = "confirm" // asks whether to sign out everywhere
	ViewMessage = "message" // says why there is nothing to see
)

// Pages renders pages. It is safe for concurrent use.
type Pages struct{ account *template.Template }

// New parses the templates.
func New() (*Pages, error) {
	t, err := template.New("account").Funcs(template.FuncMap{
		"style":   func() string { return StyleName() },
		"day":     func(t time.Time) string { return t.UTC().Format("2 Jan 2006, 15:04 UTC") },
		"machine": func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
	}).Parse(accountHTML)
	if err != nil {
		return nil, err
	}
	return &Pages{account: t}, nil
}

// Account renders a page of the account.
func (p *Pages) Account(a *Account) ([]byte, error) {
	var b bytes.Buffer
	err := p.account.Execute(&b, a)
	return b.Bytes(), err
}
