package e2e_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"
)

// An issuer whose URL has a path works behind nginx that strips the path and behind nginx that passes
// it on: metadata, mint, refresh by cookie, and the account page with its style, forms and redirects.
func TestIssuerWithPathThroughNginx(t *testing.T) {
	const host, path = "http://auth.example.localhost", "/id/auth"
	i := startDev(t, t.TempDir(), "ISSUER_ISSUER="+host+path, "ISSUER_TRUSTED_PROXIES=127.0.0.1")
	upstream := strings.TrimPrefix(i.public, "http://")
	const headers = "proxy_set_header Host $host; proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;"
	for name, proxyPass := range map[string]string{"strips": "http://" + upstream + "/", "passes on": "http://" + upstream} {
		t.Run(name, func(t *testing.T) {
			location := fmt.Sprintf(`location %[1]s/ { proxy_pass %[2]s; %[3]s }
  location = /.well-known/oauth-authorization-server%[1]s { proxy_pass http://%[4]s; %[3]s }
  location = /.well-known/openid-configuration%[1]s { proxy_pass http://%[4]s; %[3]s }`, path, proxyPass, headers, upstream)
			jar, err := cookiejar.New(nil)
			if err != nil {
				t.Fatal(err)
			}
			b := &visitor{t: t, client: &http.Client{Transport: startNginx(t, location)["HTTP/1.1"], Jar: jar, Timeout: testTimeout}}
			for _, document := range []string{
				path + "/.well-known/openid-configuration", "/.well-known/openid-configuration" + path, "/.well-known/oauth-authorization-server" + path,
			} {
				var metadata struct {
					Issuer string `json:"issuer"`
					JWKS   string `json:"jwks_uri"`
				}
				if err := json.Unmarshal([]byte(b.get(host+document, http.StatusOK)), &metadata); err != nil || metadata.Issuer != host+path {
					t.Errorf("%s: %+v, %v", document, metadata, err)
				}
				b.get(metadata.JWKS, http.StatusOK)
			}
			g := i.mint("u1")
			other := i.mint("u1")
			site, err := url.Parse(host)
			if err != nil {
				t.Fatal(err)
			}
			jar.SetCookies(site, []*http.Cookie{{Name: "better-auth.session_token", Value: g.RefreshToken, Path: "/"}})
			b.send("POST", host+path+"/v1/session/refresh", "application/json", "{}", http.StatusOK)
			b.send("POST", host+path+"/api/auth/get-session", "application/json", "{}", http.StatusOK)

			page := b.get(host+path+"/account/sessions", http.StatusOK)
			sheet := regexp.MustCompile(`href="([^"]+\.css)"`).FindStringSubmatch(page)
			b.get(host+sheet[1], http.StatusOK)
			confirm := regexp.MustCompile(`method="get" action="([^"]+)"`).FindStringSubmatch(page)
			if asked := b.get(host+confirm[1], http.StatusOK); !strings.Contains(asked, "Sign out everywhere?") {
				t.Errorf("the page that asks: %s", asked)
			}
			action := regexp.MustCompile(`method="post" action="([^"]+/revoke)"`).FindStringSubmatch(page)
			form := url.Values{"id": {other.Session.ID}}.Encode()
			// The client follows the redirect back to the page.
			after := b.send("POST", host+action[1], "application/x-www-form-urlencoded", form, http.StatusOK)
			if strings.Contains(after, other.Session.ID) || !strings.Contains(after, g.Session.ID) {
				t.Errorf("the page after the end of a session: %s", after)
			}
		})
	}
}

// visitor is a browser with cookies, as far as requests show it.
type visitor struct {
	t      *testing.T
	client *http.Client
}

func (v *visitor) get(target string, want int) string {
	v.t.Helper()
	return v.send("GET", target, "", "", want)
}

// send sends a request as a page of the issuer does, and returns the body of the answer.
func (v *visitor) send(method, target, contentType, body string, want int) string {
	v.t.Helper()
	req, err := http.NewRequestWithContext(v.t.Context(), method, target, strings.NewReader(body))
	if err != nil {
		v.t.Fatal(err)
	}
	if method != "GET" {
		req.Header.Set("Content-Type", contentType)
		req.Header.Set("Origin", req.URL.Scheme+"://"+req.URL.Host)
	}
	res, err := v.client.Do(req)
	if err != nil {
		v.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		v.t.Fatal(err)
	}
	if res.StatusCode != want {
		v.t.Errorf("%s %s (%s): %d, want %d: %s", method, target, res.Request.URL, res.StatusCode, want, text)
	}
	return string(text)
}

// No POST meets a connection that the issuer is closing, because the issuer keeps connections open for
// longer than nginx does. nginx repeats no POST, so such a request would be answered 502.
func TestKeptConnectionsThroughNginx(t *testing.T) {
	t.Parallel()
	i := startDev(t, t.TempDir(), "ISSUER_LIMITS_IDLE_CONNECTION=5s")
	location := fmt.Sprintf(`location / {
  proxy_pass http://issuer; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host localhost;
} } upstream issuer { server %s; keepalive 4; keepalive_timeout 1s;`, strings.TrimPrefix(i.public, "http://"))
	client := &http.Client{Transport: startNginx(t, location)["HTTP/1.1"], Timeout: testTimeout}
	// Pauses around the time after which nginx gives a connection up.
	for pause := 900 * time.Millisecond; pause <= 1100*time.Millisecond; pause += 100 * time.Millisecond {
		timer := time.NewTimer(pause)
		res, err := client.Post("http://localhost/oauth/revoke", "application/x-www-form-urlencoded", strings.NewReader("token=x"))
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, res.Body)
		_ = res.Body.Close()
		if res.StatusCode != http.StatusOK {
			t.Errorf("after a pause: %d", res.StatusCode)
		}
		<-timer.C
	}
}
