package origin_test

import (
	"errors"
	"strings"
	"testing"

	"issuer.example/handlers/origin"
)

// TestCheck: entries that can be configured, and what is said of the others.
func TestCheck(t *testing.T) {
	for _, entry := range []string{
		"https://app.example.com", "http://localhost", "http://localhost:5173", "https://app.example.com:8443", "https://xn--bcher-kva.example",
		"http://127.0.0.1:3000", "http://[::1]:3000", "https://my_app.example.com", "https://app.example.com.",
		"capacitor://localhost", "ionic://localhost", "tauri://localhost", "http://tauri.localhost", "app://.", "app://obsidian.md", "myapp://",
		"com.example.app://", "exp://192.168.0.2:8081", "chrome-extension://abcdefghijklmnopabcdefghijklmnop",
		"moz-extension://2c127fa4-62c7-7e4f-90e5-472b45eecfdc", "safari-web-extension://2C127FA4-62C7-7E4F-90E5-472B45EECFDC",
		"vscode-webview://1ab2", "wails://wails:34115",
		"https://*.preview.example.com", "https://*.example.com", "https://*.example.com:8443", "https://*.xn--bcher-kva.example",
	} {
		if err := origin.Check(entry); err != nil {
			t.Errorf("%q: %v", entry, err)
		}
	}
	for entry, advice := range map[string]string{
		"HTTPS://app.example.com": "https://app.example.com", "https://App.Example.com": "https://app.example.com",
		"https://bücher.example": "https://xn--bcher-kva.example", "https://BÜCHER.example": "https://xn--bcher-kva.example",
		"https://straße.example": "https://xn--strae-oqa.example", "https://例え.テスト:8443": "https://xn--r8jz45g.xn--zckzah:8443",
		"https://app.example.com/": "https://app.example.com", "https://app.example.com/path?q#f": "https://app.example.com",
		"https://app.example.com:443": "https://app.example.com", "http://app.example.com:80": "http://app.example.com",
		"https://app.example.com:": "https://app.example.com", "https://app.example.com:08443": "https://app.example.com:8443",
		"http://[0:0:0:0:0:0:0:1]:3000": "http://[::1]:3000", "http://[::FFFF:127.0.0.1]": "http://[::ffff:7f00:1]",
		"Capacitor://localhost": "capacitor://localhost", "capacitor://localhost/": "capacitor://localhost",
		"myapp:///": "myapp://", "MyApp://": "myapp://", "app://bücher": "app://b%C3%BCcher",
		"HTTPS://*.Preview.Example.com": "https://*.preview.example.com", "https://*.bücher.example": "https://*.xn--bcher-kva.example",
		"https://*.example.com/": "https://*.example.com", "https://*.example.com:443": "https://*.example.com",
	} {
		if err := origin.Check(entry); err == nil || !strings.HasSuffix(err.Error(), " "+advice) {
			t.Errorf("%q: %v, want the advice %q", entry, err, advice)
		} else if err := origin.Check(advice); err != nil {
			t.Errorf("the advice %q is refused itself: %v", advice, err)
		}
	}
	for entry, want := range map[string]error{
		"": origin.ErrForm, "app.example.com": origin.ErrForm, "https://": origin.ErrForm, "https:app.example.com": origin.ErrForm,
		"//app.example.com": origin.ErrForm, "https://me@app.example.com": origin.ErrForm, "https://a b.example": origin.ErrForm,
		"https://a..example": origin.ErrForm, "https://a.example:70000": origin.ErrForm, "https://a.example:x": origin.ErrForm,
		"https://127.1": origin.ErrForm, "https://1.2.3.256": origin.ErrForm, "https://a.0x1": origin.ErrForm, "http://[::1": origin.ErrForm,
		"http://[::1%25eth0]": origin.ErrForm, "http://[1.2.3.4]": origin.ErrForm, "app://a b": origin.ErrForm, "1app://x": origin.ErrForm,
		"https://a\x00.example": origin.ErrForm, "https://%61.example": origin.ErrForm, "app://a\x7f": origin.ErrForm,

		"null": origin.ErrOpaque, "NULL": origin.ErrOpaque, "file://": origin.ErrOpaque, "file:///home/x": origin.ErrOpaque, "FILE://x": origin.ErrOpaque,
		"data:": origin.ErrOpaque, "data://x": origin.ErrOpaque, "data:text/html,x": origin.ErrOpaque, "javascript://x": origin.ErrOpaque,

		"*": origin.ErrWildcard, "https://*": origin.ErrWildcard, "https://*.": origin.ErrWildcard, "https://*.com": origin.ErrWildcard,
		"https://*.localhost": origin.ErrWildcard, "https://*.com.": origin.ErrWildcard, "http://*.example.com": origin.ErrWildcard,
		"https://*example.com": origin.ErrWildcard, "https://a*.example.com": origin.ErrWildcard, "https://a.*.example.com": origin.ErrWildcard,
		"https://*.*.example.com": origin.ErrWildcard, "https://**.example.com": origin.ErrWildcard, "*://a.example": origin.ErrWildcard,
		"https://a.example.com:*": origin.ErrWildcard, "app://*": origin.ErrWildcard, "chrome-extension://*": origin.ErrWildcard,
		"https://*.0.0.1": origin.ErrWildcard, "https://*.127.0.0.1": origin.ErrWildcard, "https://*..example.com": origin.ErrWildcard,
	} {
		if err := origin.Check(entry); !errors.Is(err, want) {
			t.Errorf("%q: %v, want %v", entry, err, want)
		}
	}
}

// TestContains: what a list allows.
func TestContains(t *testing.T) {
	list, err := origin.NewList([]string{
		"https://app.example.com", "capacitor://localhost", "myapp://", "https://*.preview.example.com", "https://*.dev.example.com:8443",
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, allowed := range []string{
		"https://app.example.com", "capacitor://localhost", "myapp://", "https://pr-7.preview.example.com", "https://a_b.preview.example.com",
		"https://xn--bcher-kva.preview.example.com", "https://a.dev.example.com:8443",
	} {
		if !list.Contains(allowed) {
			t.Errorf("%q is not allowed", allowed)
		}
	}
	for _, refused := range []string{
		"", "null", "https://", "*", "https://*.preview.example.com", "https://preview.example.com", "https://.preview.example.com",
		"https://a.b.preview.example.com", "http://pr-7.preview.example.com", "https://pr-7.preview.example.com:8443",
		"https://pr-7.preview.example.com.", "https://PR-7.preview.example.com", "https://pr-7.preview.example.com/",
		"https://pr-7.preview.example.com.evil.example", "https://evil-preview.example.com", "https://x@pr.preview.example.com",
		"https://evil.example/.preview.example.com", "https://evil.example#.preview.example.com", "https://a%2eb.preview.example.com",
		"https://a.dev.example.com", "https://a.dev.example.com:443", "capacitor://localhost:1", "capacitor://", "ionic://localhost",
		"https://localhost", "myapp:///", "myapp://x", "myapp:", "otherapp://", "https://app.example.com, https://evil.example",
		"https://" + strings.Repeat("a", 64) + ".preview.example.com",
	} {
		if list.Contains(refused) {
			t.Errorf("%q is allowed", refused)
		}
	}
	if _, err := origin.NewList([]string{"https://app.example.com", "null"}); !errors.Is(err, origin.ErrOpaque) {
		t.Errorf("a list with null: %v", err)
	}
}

// TestIsPublic: a wildcard where anybody can get a name.
func TestIsPublic(t *testing.T) {
	for entry, want := range map[string]bool{
		"https://*.vercel.app": true, "https://*.github.io": true, "https://*.co.uk": true, "https://*.co.uk:8443": true,
		"https://*.my-team.vercel.app": false, "https://*.preview.example.com": false, "https://*.example.com": false,
		"https://vercel.app": false, "https://*.preview.example.localhost": false, "https://*.corp.internal": false,
	} {
		if got := origin.IsPublic(entry); got != want {
			t.Errorf("%s: %v, want %v", entry, got, want)
		}
	}
}

func FuzzCheck(f *testing.F) {
	for _, seed := range []string{"https://app.example.com", "https://*.a.b", "HTTPS://BÜCHER.example:443/", "myapp:///", "http://[::1]:0", "null", "app://."} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if origin.Check(text) == nil {
			list, err := origin.NewList([]string{text})
			if err != nil {
				t.Fatal(err)
			}
			if _, wildcard := origin.Wildcard(text); list.Contains(text) == wildcard {
				t.Errorf("%q does not allow itself", text)
			}
		}
		// The canonical form is its own canonical form.
		if once, err := origin.Of(text); err == nil {
			if twice, err := origin.Of(once); err != nil || twice != once {
				t.Errorf("%q becomes %q, and that %q (%v)", text, once, twice, err)
			}
		}
	})
}
