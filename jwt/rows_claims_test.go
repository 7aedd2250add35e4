package jwt_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

func unmarshal(tb testing.TB, text string, into any) {
	tb.Helper()
	if err := json.Unmarshal([]byte(text), into); err != nil {
		tb.Fatal(err)
	}
}

// claims makes rows of one claim in several values.
func (f *forge) claims(id, claim, cause string, values ...string) []row {
	var rows []row
	for _, value := range values {
		name := fmt.Sprintf("%s %.60s", claim, strings.ToValidUTF8(value, "?"))
		rows = append(rows, row{id, name, f.sign(f.header(), goodPayload().with(claim, value)), cause})
	}
	return rows
}

func (f *forge) missing(id, claim, cause string) row {
	return row{id, claim + " missing", f.sign(f.header(), goodPayload().without(claim)), cause}
}

func (f *forge) duplicates() []row {
	var rows []row
	add := func(id, name, claim, value string) {
		rows = append(rows, row{id, name, f.sign(f.header(), goodPayload().and(claim, value)), "duplicate"})
	}
	rows = append(rows, row{"T18", "alg twice", f.sign(f.header().and("alg", `"none"`), goodPayload()), "duplicate"})
	add("T18", "sub twice", "sub", `"root"`)
	add("T18", "sub twice, the same", "sub", `"u1"`)
	add("T18", "exp twice, future and past", "exp", "1")
	add("T18", "sub twice, one of them escaped", `s\u0075b`, `"root"`)
	add("T18", "twice at depth 2", "x", `{"a":1,"a":2}`)
	add("T18", "twice but for case at depth 3", "x", `[{"a":1,"A":2}]`)
	add("T19", "SUB beside sub", "SUB", `"root"`)
	add("T19", "EXP beside exp", "EXP", "9999999999")
	add("T19", "sub with a long s", "\u017fub", `"root"`)
	add("T19", "iss with an escaped long s", `is\u017f`, `"https://evil.example"`)
	add("T19", "a Kelvin sign beside a K", "k", `{"k":1,"\u212a":2}`)
	for _, claim := range []string{"SUB", "Exp", "AUD", "Iss", "Nbf"} {
		name := strings.ToLower(claim)
		payload := goodPayload()
		if name != "nbf" {
			payload = payload.without(name)
		}
		rows = append(rows, row{"T19", claim + " instead of " + name, f.sign(f.header(), payload.with(claim, "9999999999")), "duplicate"})
	}
	var many string
	for i := range 100 {
		many += fmt.Sprintf(`"name%d":0,`, i)
	}
	add("T18", "twice among a hundred", "x", "{"+many+`"NAME7":1}`)
	return append(rows, row{"T18", "the same name in two objects", f.sign(f.header(), goodPayload().with("x", `[{"a":1},{"a":{"a":2}}]`)), ""})
}

func (f *forge) expiries() []row {
	rows := []row{f.missing("T20", "exp", "exp")}
	rows = append(rows, f.claims("T20", "exp", "exp",
		`null`, `""`, `"1772366700"`, `true`, `[1772366700]`, `{}`, `0`, `-1`, `0.4`, `1772366700.0`, `1772366700.5`, `17723667e2`, `1e300`, `1e19`,
		`9223372036854775807`, `9223372036854775808`, `99999999999999999999`, `253402300800`, `1`, `1772366399`, `1772366400`)...)
	rows = append(rows, f.claims("T20", "exp", "payload", `Infinity`, `NaN`, `01772366700`, `+1772366700`, `1e999`, `.5`, `0x69a43a6c`)...)
	rows = append(rows, f.claims("T20", "exp", "lifetime", `253402300799`, `1772370001`)...)
	return append(rows, f.claims("T20", "exp", "", `1772366401`, `1772370000`)...)
}

func (f *forge) times() []row {
	rows := []row{f.missing("T21", "iat", "iat")}
	rows = append(rows, f.claims("T21", "nbf", "nbf", `1772366401`, `253402300799`)...)
	rows = append(rows, f.claims("T21", "nbf", "claims", `null`, `"0"`, `-1`, `1.5`, `253402300800`)...)
	rows = append(rows, f.claims("T21", "nbf", "", `1772366400`, `1`)...)
	rows = append(rows, f.claims("T21", "iat", "iat", `1772366401`, `null`, `"1772366400"`, `1772366400.5`, `0`)...)
	rows = append(rows, f.claims("T21", "iat", "lifetime", `1772366700`, `1772366701`, `1772363099`)...)
	rows = append(rows, f.claims("T21", "iat", "", `1772363100`)...)
	return append(rows, f.claims("T21", "auth_time", "claims", `null`, `"1"`, `0`, `-5`, `1e3`)...)
}

func (f *forge) audiences() []row {
	list := func(n int, last string) string {
		return "[" + strings.Repeat(`"https://other.example",`, n-1) + last + "]"
	}
	const ours = `"https://api.example"`
	rows := []row{f.missing("T23", "aud", "aud")}
	rows = append(rows, f.claims("T23", "aud", "aud",
		`[]`, `null`, `""`, `[""]`, `1`, `{}`, `true`, `["https://api.example",1]`, `[["https://api.example"]]`, `[{"aud":"https://api.example"}]`, `["https://api.example",null]`, `["https://api.example",""]`,
		`"https://api.example/"`, `"https://api.exampl"`, `"https://api.example.evil.example"`, `"HTTPS://API.EXAMPLE"`, `" https://api.example"`, `"https://api.example "`,
		`"*"`, `"https://*.example"`, `"https://other.example"`, `"https://other.example https://api.example"`, list(17, ours))...)
	return append(rows, f.claims("T23", "aud", "", ours, list(2, ours), list(16, ours), `["https:\/\/api.example"]`)...)
}

func (f *forge) issuers() []row {
	rows := []row{f.missing("T24", "iss", "iss")}
	return append(rows, f.claims("T24", "iss", "iss",
		`"https://issuer.example/"`, `"HTTPS://ISSUER.EXAMPLE"`, `"https://issuer.example/tenant"`, `"https://tenant.example"`, `["https://issuer.example"]`,
		`null`, `""`, `1`, `{}`, `"https://issuer.example\u0000"`)...)
}

func (f *forge) subjects() []row {
	rows := []row{f.missing("T25", "sub", "claims"), f.missing("T25", "jti", "claims")}
	rows = append(rows, f.claims("T25", "sub", "claims",
		`1`, `null`, `""`, `["u1"]`, `"`+strings.Repeat("u", 256)+`"`, `"u\u0000"`, `"u\n1"`, `"u\u007f"`, `"u\u0085"`, `"u\u202e1"`, `"u\u20661"`, `"u\u061c1"`, `"u\u200f1"`)...)
	rows = append(rows, f.claims("T25", "sub", "payload", `"\ud800"`, `"\udc00\ud800"`, `"\ud800x"`, "\"u\xff\"", "\"u\xed\xa0\x80\"", "\"u\xc0\x80\"", "\"u\n\"")...)
	rows = append(rows, f.claims("T25", "jti", "claims", `1`, `""`, `"\u0000"`, `"`+strings.Repeat("j", 256)+`"`)...)
	rows = append(rows, f.claims("T25", "sid", "claims", `1`, `""`, `null`, `"\u202e"`)...)
	rows = append(rows, f.claims("T25", "client_id", "claims", `1`, `""`, `[]`)...)
	rows = append(rows, f.claims("T25", "acr", "claims", `1`, `""`)...)
	rows = append(rows, f.claims("T25", "amr", "claims", `"pwd"`, `[]`, `[1]`, `[""]`, `["pwd",["otp"]]`, `["a`+strings.Repeat(`","a`, 16)+`"]`)...)
	return append(rows, f.claims("T25", "sub", "", `"`+strings.Repeat("u", 255)+`"`, `"Zoë \ud83d\ude00 用户"`, `" "`)...)
}

func (f *forge) payloads() []row {
	var rows []row
	add := func(id, name, payload, cause string) {
		rows = append(rows, row{id, name, f.sign(f.header(), raw(payload)), cause})
	}
	good := goodPayload().String()
	nested := func(n int) string {
		return goodPayload().with("x", strings.Repeat("[", n)+strings.Repeat("]", n)).String()
	}
	utf16 := ""
	for _, c := range good {
		utf16 += "\x00" + string(c)
	}
	add("T26", "16 levels", nested(15), "")
	add("T26", "17 levels", nested(16), "payload")
	add("T26", "2,000 levels", nested(2000), "payload")
	add("T26", "number of 65 digits", goodPayload().with("x", strings.Repeat("9", 65)).String(), "payload")
	add("T26", "8,193 bytes", goodPayload().with("x", `"`+strings.Repeat("x", 6000)+`"`).String(), "size")
	for _, payload := range []string{`[]`, `null`, `"x"`, `1`, `[` + good + `]`, good + `{}`, good + `x`, good[:len(good)-1], "{", " ", "x"} {
		add("T27", fmt.Sprintf("payload %.20q of %d bytes", payload, len(payload)), payload, "payload")
	}
	add("T27", "byte order mark", "\ufeff"+good, "payload")
	add("T27", "UTF-16", utf16, "payload")
	add("T27", "comment", "/**/"+good, "payload")
	add("T27", "comma at the end", good[:len(good)-1]+",}", "payload")
	add("T27", "white space around", " \t\r\n"+good+"\n", "")
	return rows
}
