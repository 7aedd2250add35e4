package jwt_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"strings"
	"testing"

	"issuer.example/jwt"
)

// forge makes hostile tokens, most of them signed with a key that the verifier trusts.
type forge struct {
	t    testing.TB
	keys testKeys
	kid  string // of the ES256 key
}

func newForge(tb testing.TB) *forge {
	tb.Helper()
	keys := loadKeys(tb)
	return &forge{tb, keys, keys.signer(tb, jwt.ES256).Key().ID}
}

func (f *forge) rows() []row {
	var all []row
	for _, group := range []func() []row{
		f.unsigned, f.symmetric, f.keyConfusion, f.headerKeys, f.keyIDs, f.signatures, f.encodings, f.shapes,
		f.headers, f.types, f.duplicates, f.expiries, f.times, f.audiences, f.issuers, f.subjects, f.payloads,
	} {
		all = append(all, group()...)
	}
	return all
}

// header is a good header.
func (f *forge) header() object {
	return object{"alg", `"ES256"`, "kid", `"` + f.kid + `"`, "typ", `"at+jwt"`}
}

// sign signs with the ES256 key.
func (f *forge) sign(header, payload fmt.Stringer) string {
	return signRaw(f.t, f.keys[jwt.ES256], header.String(), payload.String())
}

func (f *forge) good() string { return f.sign(f.header(), goodPayload()) }

// raw is a header or a payload that is no object.
type raw string

func (r raw) String() string { return string(r) }

// tail returns the signature of a token, after its dot.
func tail(token string) string { return token[strings.LastIndexByte(token, '.')+1:] }

func (f *forge) unsigned() []row {
	var rows []row
	for _, alg := range []string{"none", "None", "nOnE", "NONE"} {
		header := f.header().with("alg", `"`+alg+`"`)
		input := encode(header.String()) + "." + encode(goodPayload().String())
		rows = append(rows,
			row{"T01", "alg " + alg + ", empty signature", input + ".", "alg"},
			row{"T01", "alg " + alg + ", no signature", input, "alg"},
			row{"T01", "alg " + alg + ", stale signature", input + "." + tail(f.good()), "alg"})
	}
	return append(rows,
		row{"T01", "alg missing", f.sign(f.header().without("alg"), goodPayload()), "alg"},
		row{"T01", "alg empty", f.sign(f.header().with("alg", `""`), goodPayload()), "alg"},
		row{"T01", "alg null", f.sign(f.header().with("alg", `null`), goodPayload()), "alg"},
		row{"T01", "alg in an array", f.sign(f.header().with("alg", `["ES256"]`), goodPayload()), "alg"},
		row{"T01", "alg in lower case", f.sign(f.header().with("alg", `"es256"`), goodPayload()), "alg"},
		row{"T01", "alg with a space", f.sign(f.header().with("alg", `"ES256 "`), goodPayload()), "alg"})
}

// symmetric uses the public key as an HMAC secret.
func (f *forge) symmetric() []row {
	public := f.keys[jwt.RS256].Public()
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		f.t.Fatal(err)
	}
	key := f.keys.signer(f.t, jwt.RS256).Key()
	var jwks struct{ Keys []map[string]string }
	unmarshal(f.t, publicKeys, &jwks)
	jwk := fmt.Sprintf(`{"e":"AQAB","kty":"RSA","n":%q}`, jwks.Keys[2]["n"])
	modulus := string(unbase64(f.t, jwks.Keys[2]["n"]))
	var rows []row
	for _, secret := range []struct{ name, text string }{
		{"PEM", string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))},
		{"DER", string(der)},
		{"JWK", jwk},
		{"modulus", modulus},
		{"nothing", ""},
	} {
		header := f.header().with("alg", `"HS256"`).with("kid", `"`+key.ID+`"`)
		input := encode(header.String()) + "." + encode(goodPayload().String())
		mac := hmac.New(sha256.New, []byte(secret.text))
		mac.Write([]byte(input))
		token := input + "." + encode(string(mac.Sum(nil)))
		rows = append(rows, row{"T02", "HS256 keyed with the public key's " + secret.name, token, "alg"})
	}
	return rows
}

func (f *forge) keyConfusion() []row {
	rsaID := f.keys.signer(f.t, jwt.RS256).Key().ID
	rsaHeader := f.header().with("alg", `"RS256"`)
	return []row{
		{"T03", "ES256 header with the RS256 kid", f.sign(f.header().with("kid", `"`+rsaID+`"`), goodPayload()), "alg-key-mismatch"},
		{"T03", "RS256 header with the ES256 kid", signRaw(f.t, f.keys[jwt.RS256], rsaHeader.String(), goodPayload().String()), "alg-key-mismatch"},
		{"T03", "ES384 header with the P-256 kid", f.sign(f.header().with("alg", `"ES384"`), goodPayload()), "alg-key-mismatch"},
		{"T03", "ES512 header with the P-256 kid", f.sign(f.header().with("alg", `"ES512"`), goodPayload()), "alg-key-mismatch"},
		{"T03", "signed with another key than the kid's", signRaw(f.t, f.keys[jwt.EdDSA], f.header().String(), goodPayload().String()), "sig"},
	}
}

// headerKeys returns headers with a key, or with the address of one.
func (f *forge) headerKeys() []row {
	var jwks struct{ Keys []map[string]string }
	unmarshal(f.t, publicKeys, &jwks)
	own := fmt.Sprintf(`{"kty":"EC","crv":"P-256","x":%q,"y":%q}`, jwks.Keys[0]["x"], jwks.Keys[0]["y"])
	attacker := fmt.Sprintf(`{"kty":"OKP","crv":"Ed25519","x":%q}`, jwks.Keys[1]["x"])
	brought := f.header().with("alg", `"EdDSA"`).with("jwk", attacker)
	forged := signRaw(f.t, f.keys[jwt.EdDSA], brought.String(), goodPayload().String())
	rows := []row{{"T04", "jwk of an attacker, signed with it", forged, "header-not-allowed"}}
	for _, m := range []struct{ name, value string }{
		{"jwk", own},
		{"jku", `"http://127.0.0.1:9/jwks.json"`},
		{"x5u", `"http://127.0.0.1:9/cert.pem"`},
		{"x5c", `["MIIB"]`},
		{"x5t", `"q1w2e3r4t5y6u7i8o9p0"`},
		{"x5t#S256", `"q1w2e3r4t5y6u7i8o9p0a1s2d3f4g5h6"`},
		{"JKU", `"http://127.0.0.1:9/jwks.json"`},
		{"iss", `"https://issuer.example"`},
	} {
		rows = append(rows, row{"T04", m.name + " in a good token", f.sign(f.header().with(m.name, m.value), goodPayload()), "header-not-allowed"})
	}
	return rows
}

func (f *forge) keyIDs() []row {
	rows := []row{
		{"T05", "kid missing", f.sign(f.header().without("kid"), goodPayload()), "kid"},
		{"T05", "kid twice", f.sign(f.header().and("kid", `"`+f.kid+`"`), goodPayload()), "kid"},
		{"T05", "kid twice but for case", f.sign(f.header().and("Kid", `"`+f.kid+`"`), goodPayload()), "kid"},
		{"T05", "kid twice, with a Kelvin sign", f.sign(f.header().and("\u212aid", `"`+f.kid+`"`), goodPayload()), "kid"},
		{"T05", "kid of 4,000 bytes", f.sign(f.header().with("kid", `"`+strings.Repeat("k", 4000)+`"`), goodPayload()), "kid"},
	}
	for _, value := range []string{
		`"../../etc/passwd"`, `"/dev/null"`, `"' OR 1=1--"`, `"$(id)"`, `"\u0000"`, `""`, `7`, `null`, `{}`,
		`["` + f.kid + `"]`, `"unknown"`, `"` + f.kid + `\u0000"`, `"` + f.kid + ` "`, `"` + strings.ToUpper(f.kid) + `"`,
	} {
		rows = append(rows, row{"T05", "kid " + value, f.sign(f.header().with("kid", value), goodPayload()), "kid"})
	}
	return rows
}

// huge are tokens over the limit of size.
func (f *forge) huge() []row {
	const size = "size"
	claim := func(value string) string { return f.sign(f.header(), goodPayload().with("x", value)) }
	return []row{
		{"T05", "kid of 10 KB", f.sign(f.header().with("kid", `"`+strings.Repeat("k", 10<<10)+`"`), goodPayload()), size},
		{"T11", "100,000 segments", strings.Repeat("e30.", 100_000), size},
		{"T23", "aud of 10,000", f.sign(f.header(), goodPayload().with("aud", `["x`+strings.Repeat(`","x`, 10_000)+`"]`)), size},
		{"T25", "sub of 10 KB", f.sign(f.header(), goodPayload().with("sub", `"`+strings.Repeat("u", 10<<10)+`"`)), size},
		{"T26", "depth 9,000", claim(strings.Repeat("[", 9_000) + strings.Repeat("]", 9_000)), size},
		{"T26", "depth 20,000", claim(strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000)), size},
		{"T26", "claim of 1 MB", claim(`"` + strings.Repeat("x", 1<<20) + `"`), size},
		{"T26", "1,000,000 members", claim(`{"a":1` + strings.Repeat(`,"a":1`, 1_000_000) + `}`), size},
		{"T26", "number of 4 MB", claim(strings.Repeat("9", 4<<20)), size},
		{"T26", "header of 64 KB", f.sign(f.header().with("x", `"`+strings.Repeat("x", 64<<10)+`"`), goodPayload()), size},
	}
}
