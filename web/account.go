// Package web holds the pages that the issuer shows to people: embedded templates and styles.
//
// The pages work without JavaScript and have no inline style, so that a strict
// Content-Security-Policy ([Policy]) can forbid both. [New] parses the templates, and
// [Pages.Account] renders the pages on which users see and end their own sessions.
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

// Style returns the style sheet of the pages.
func Style() []byte { return accountCSS }

// StyleName returns the file name of the style sheet. It changes with the content, so that
// browsers may cache the sheet for ever.
func StyleName() string {
	sum := sha256.Sum256(accountCSS)
	return "account." + hex.EncodeToString(sum[:6]) + ".css"
}

// Device is one live session of the user.
type Device struct {
	ID       string
	Name     string // browser and system of the sign-in; "" if unknown
	Label    string // the name that the backend gave it; may be ""
	IP       string // of the sign-in; "" if unknown
	LastName string // browser and system of the last use; "" if unknown
	LastIP   string // of the last use; "" if unknown
	LastSeen time.Time
	SignedIn time.Time
	Current  bool
}

// Account is the content of a page of the account.
type Account struct {
	// View selects the page: ViewDevices, ViewConfirm or ViewMessage.
	View     string
	Title    string
	Message  string // for ViewMessage
	User     string // the user's name for people
	Devices  []Device
	ReturnTo string // target of the link back to the application; "" shows none. The caller has validated it.
}

// The pages.
const (
	ViewDevices = "devices" // the list of devices
	ViewConfirm = "confirm" // asks whether to sign out everywhere
	ViewMessage = "message" // says why the request was refused
)

// Pages renders pages. It is safe for concurrent use.
type Pages struct{ account *template.Template }

// New parses the templates. base is the path of the issuer's URL, under which browsers find the
// pages; "" if it has none.
func New(base string) (*Pages, error) {
	t, err := template.New("account").Funcs(template.FuncMap{
		"style": func() string { return StyleName() },
		"at":    func(path string) string { return base + path },
		// html/template knows the schemes of the web only, and an app may have its own.
		"link":    func(validated string) template.URL { return template.URL(validated) }, //nolint:gosec // see Account.ReturnTo
		"day":     func(t time.Time) string { return t.UTC().Format("2 Jan 2006, 15:04 UTC") },
		"machine": func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
	}).Parse(accountHTML)
	if err != nil {
		return nil, err
	}
	return &Pages{account: t}, nil
}

// Account renders a page of the account as HTML.
func (p *Pages) Account(a *Account) ([]byte, error) {
	var b bytes.Buffer
	err := p.account.Execute(&b, a)
	return b.Bytes(), err
}
