package handlers_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"issuer.example/client"
)

// TestBodies is row H06.
func TestBodies(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	key := bearer(serviceKey(client.ScopeMint))
	contentType := func(v string) option {
		return func(r *http.Request) { r.Header.Set("Content-Type", v) }
	}
	const good = `{"user":{"id":"u1"}}`
	padded := func(n int) string { return good + strings.Repeat(" ", n-len(good)) }
	for _, tt := range []struct {
		name    string
		body    any
		options []option
		status  int
		code    string
	}{
		{"good", good, nil, 201, ""},
		{"charset utf-8", good, []option{contentType("application/json; charset=UTF-8")}, 201, ""},
		{"empty", "", nil, 400, "invalid_request"},
		{"at the limit", padded(64 << 10), nil, 201, ""},
		{"one byte over the limit", padded(64<<10 + 1), nil, 413, "payload_too_large"},
		{"one byte over, in chunks", io.MultiReader(strings.NewReader(padded(64<<10 + 1))), []option{contentType("application/json")}, 413, "payload_too_large"},
		{"in chunks", io.MultiReader(strings.NewReader(good)), []option{contentType("application/json")}, 201, ""},
		{"gzip", good, []option{header("Content-Encoding", "gzip")}, 415, "unsupported_media_type"},
		{"no type", good, []option{func(r *http.Request) { r.Header.Del("Content-Type") }}, 415, "unsupported_media_type"},
		{"two types", good, []option{header("Content-Type", "application/json")}, 415, "unsupported_media_type"},
		{"another charset", good, []option{contentType("application/json; charset=utf-7")}, 415, "unsupported_media_type"},
		{"text", good, []option{contentType("text/plain")}, 415, "unsupported_media_type"},
		{"form", "user=u1", []option{contentType("application/x-www-form-urlencoded")}, 415, "unsupported_media_type"},
		{"multipart", good, []option{contentType("multipart/form-data; boundary=x")}, 415, "unsupported_media_type"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f.call(t, "POST", "/v1/sessions", tt.body, append(tt.options, key)...).want(t, tt.status, tt.code)
		})
	}
}

// TestJSON is row H07: bodies that are not exactly the expected JSON.
func TestJSON(t *testing.T) {
	f := newFixture(t, nil)
	key := bearer(serviceKey(client.ScopeMint))
	var members strings.Builder
	for i := range 6000 {
		fmt.Fprintf(&members, `,"k%d":0`, i)
	}
	for name, tt := range map[string]struct{ body, field string }{
		"unknown member":          {`{"user":{"id":"u1"},"admin":true}`, "admin"},
		"unknown member, nested":  {`{"user":{"id":"u1","role":"x"}}`, "user.role"},
		"hand-off is a boolean":   {`{"user":{"id":"u1"},"handoff":"true"}`, "handoff"},
		"origin without hand-off": {`{"user":{"id":"u1"},"handoff_origin":"http://localhost:8080"}`, "handoff_origin"},
		"another case":            {`{"User":{"id":"u1"}}`, "User"},
		"duplicate":               {`{"user":{"id":"u1"},"user":{"id":"u2"}}`, "user"},
		"duplicate, nested":       {`{"user":{"id":"u1","id":"u2"}}`, "user.id"},
		"duplicate in claims":     {`{"user":{"id":"u1"},"claims":{"a":1,"a":2}}`, "claims.a"},
		"trailing data":           {`{"user":{"id":"u1"}}{}`, ""},
		"trailing text":           {`{"user":{"id":"u1"}} x`, ""},
		"byte order mark":         {"\ufeff" + `{"user":{"id":"u1"}}`, ""},
		"comment":                 {`{"user":{"id":"u1"}/* */}`, ""},
		"trailing comma":          {`{"user":{"id":"u1"},}`, ""},
		"NaN":                     {`{"user":{"id":NaN}}`, ""},
		"array":                   {`[]`, ""},
		"null":                    {` null `, ""},
		"string":                  {`"u1"`, ""},
		"null member":             {`{"user":{"id":"u1"},"label":null}`, "label"},
		"null user":               {`{"user":null}`, "user"},
		"null, nested":            {`{"user":{"id":"u1","name":null}}`, "user.name"},
		"null list":               {`{"user":{"id":"u1"},"amr":null}`, "amr"},
		"null in a list":          {`{"user":{"id":"u1"},"audience":["a",null]}`, "audience.1"},
		"null claims":             {`{"user":{"id":"u1"},"claims":null}`, "claims"},
		"null boolean":            {`{"user":{"id":"u1"},"handoff":null}`, "handoff"},
		"empty origin":            {`{"user":{"id":"u1"},"handoff":true,"handoff_origin":""}`, "handoff_origin"},
		"empty, without hand-off": {`{"user":{"id":"u1"},"handoff_origin":""}`, "handoff_origin"},
		"empty replaces":          {`{"user":{"id":"u1"},"replaces":""}`, "replaces"},
		"null origin":             {`{"user":{"id":"u1"},"handoff":true,"handoff_origin":null}`, "handoff_origin"},
		"wrong type":              {`{"user":{"id":1}}`, "user.id"},
		"huge number":             {`{"user":{"id":` + strings.Repeat("9", 60000) + `}}`, "user.id"},
		"invalid UTF-8":           {"{\"user\":{\"id\":\"\xff\"}}", ""},
		"lone surrogate":          {`{"user":{"id":"\ud800"}}`, ""},
		"deep":                    {strings.Repeat(`{"user":`, 8000), ""},
		"deep array":              {`{"amr":` + strings.Repeat("[", 60000), ""},
		"deep claims":             {`{"user":{"id":"u1"},"claims":{"a":` + strings.Repeat("[", 15) + strings.Repeat("]", 15) + `}}`, ""},
		"many members":            {`{"user":{"id":"u1"}` + members.String() + `}`, "k0"},
		"broken off":              {`{"user":{"id":"u1"`, ""},
		"no user":                 {`{}`, "user.id"},
		"empty user id":           {`{"user":{"id":""}}`, "user.id"},
		"user id of 256 bytes":    {`{"user":{"id":"` + strings.Repeat("x", 256) + `"}}`, "user.id"},
		"user id with NUL":        {`{"user":{"id":"a\u0000b"}}`, "user.id"},
		"user id with newline":    {`{"user":{"id":"a\nb"}}`, "user.id"},
		"user id with bidi":       {`{"user":{"id":"a\u202eb"}}`, "user.id"},
		"registered claim":        {`{"user":{"id":"u1"},"claims":{"sub":"root"}}`, "claims"},
		"registered, other case":  {`{"user":{"id":"u1"},"claims":{"EXP":9999999999}}`, "claims"},
		"claims of another type":  {`{"user":{"id":"u1"},"claims":[1]}`, "claims"},
		"claims of 5 KiB":         {`{"user":{"id":"u1"},"claims":{"a":"` + strings.Repeat("x", 5000) + `"}}`, "claims"},
		"audience of nothing":     {`{"user":{"id":"u1"},"audience":[]}`, "audience"},
		"address that is none":    {`{"user":{"id":"u1"},"ip_address":"localhost"}`, "ip_address"},
		"address with a zone":     {`{"user":{"id":"u1"},"ip_address":"fe80::1%eth0"}`, "ip_address"},
		"transport that is none":  {`{"user":{"id":"u1"},"transport":"pigeon"}`, "transport"},
		"label with control":      {`{"user":{"id":"u1"},"label":"a\u0007"}`, "label"},
		"label with bidi":         {`{"user":{"id":"u1"},"label":"a\u202e"}`, "label"},
		"label with isolate":      {`{"user":{"id":"u1"},"label":"a\u2067b\u2069"}`, "label"},
		"label with a line":       {`{"user":{"id":"u1"},"label":"a\u2028b"}`, "label"},
		"name with bidi":          {`{"user":{"id":"u1","name":"\u202egro.lave"}}`, "user.name"},
		"name with a mark":        {`{"user":{"id":"u1","name":"a\u200f"}}`, "user.name"},
		"email with bidi":         {`{"user":{"id":"u1","email":"a\u2066@b.example"}}`, "user.email"},
		"image with bidi":         {`{"user":{"id":"u1","image":"https://b.example/\u061c"}}`, "user.image"},
		"name that answers quote": {`{"user":{"id":"u1"},"x\u001b[31m":1}`, "x?[31m"},
	} {
		t.Run(name, func(t *testing.T) {
			a := f.call(t, "POST", "/v1/sessions", tt.body, key).want(t, 400, "invalid_request")
			if got := a.text(t, "field"); got != tt.field {
				t.Errorf("field %q, want %q: %s", got, tt.field, a.body)
			}
		})
	}
	f.mint(t, strings.Repeat("x", 255))
	f.call(t, "GET", "/v1/sessions?user_id=u1", nil, bearer(serviceKey(client.ScopeRead))).want(t, 200, "")
	if n := f.store.Live(); n != 1 {
		t.Errorf("%d sessions live, want 1: a refused mint has made one", n)
	}
}

// TestForms is row H08.
func TestForms(t *testing.T) {
	f := newFixture(t, nil)
	s := f.mint(t, "u1")
	contentType := func(v string) option {
		return func(r *http.Request) { r.Header.Set("Content-Type", v) }
	}
	form := contentType("application/x-www-form-urlencoded")
	for _, tt := range []struct {
		name, path, body string
		option           option
		status           int
	}{
		{"good", "", "token=" + s.access + "&token_type_hint=access_token", form, 200},
		{"utf-8", "", "token=" + s.access, contentType("application/x-www-form-urlencoded; charset=utf-8"), 200},
		{"unknown parameter", "", "token=" + s.access + "&x=y", form, 200},
		{"unknown hint", "", "token=" + s.access + "&token_type_hint=stone", form, 200},
		{"token twice", "", "token=" + s.access + "&token=" + s.access, form, 400},
		{"another twice", "", "token=" + s.access + "&x=1&x=2", form, 400},
		{"token in the query", "?token=" + s.access, "", form, 400},
		{"token in both", "?token=" + s.access, "token=" + s.access, form, 400},
		{"no token", "", "token_type_hint=access_token", form, 400},
		{"empty token", "", "token=", form, 400},
		{"nothing", "", "", form, 400},
		{"many parameters", "", "token=x" + strings.Repeat("&a=b", 16000), form, 400},
		{"NUL", "", "token=%00", form, 400},
		{"broken escape", "", "token=%zz", form, 400},
		{"not UTF-8", "", "token=%ff", form, 400},
		{"semicolon", "", "token=a;b", form, 400},
		{"utf-7", "", "token=" + s.access, contentType("application/x-www-form-urlencoded; charset=utf-7"), 415},
		{"JSON", "", `{"token":"x"}`, contentType("application/json"), 415},
	} {
		for _, path := range []string{"/oauth/introspect", "/oauth/revoke"} {
			if tt.status == 200 && path == "/oauth/revoke" {
				continue
			}
			t.Run(path+" "+tt.name, func(t *testing.T) {
				a := f.call(t, "POST", path+tt.path, tt.body, tt.option, bearer(serviceKey(client.ScopeIntrospect))).want(t, tt.status, "")
				if tt.status != 200 && a.text(t, "error") != "invalid_request" {
					t.Errorf("error %q", a.text(t, "error"))
				}
			})
		}
	}
	f.call(t, "GET", "/v1/session", nil, bearer(s.access)).want(t, 200, "")
}
