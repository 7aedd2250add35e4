package jwt_test

import (
	"crypto/elliptic"
	"fmt"
	"math/big"
	"strings"

	"issuer.example/jwt"
)

// signatures returns ECDSA signatures that a careless verifier accepts.
func (f *forge) signatures() []row {
	good := f.good()
	input, sig := good[:len(good)-len(tail(good))], unbase64(f.t, tail(good))
	r, s := new(big.Int).SetBytes(sig[:32]), new(big.Int).SetBytes(sig[32:])
	n := elliptic.P256().Params().N
	zero, one := new(big.Int), big.NewInt(1)
	last := new(big.Int).Sub(n, one)
	var rows []row
	for _, c := range []struct {
		id, name string
		sig      []byte
		cause    string
	}{
		{"T06", "r = s = 0", rs(zero, zero), "sig"},
		{"T06", "r = 0", rs(zero, s), "sig"},
		{"T06", "s = 0", rs(r, zero), "sig"},
		{"T06", "r = n", rs(n, s), "sig"},
		{"T06", "s = n", rs(r, n), "sig"},
		{"T06", "r = s = n", rs(n, n), "sig"},
		{"T06", "r = s = 1", rs(one, one), "sig"},
		{"T06", "r = 1, s = n - 1", rs(one, last), "sig"},
		{"T06", "r = s = n - 1", rs(last, last), "sig"},
		{"T07", "s replaced by n - s: the same token", rs(r, new(big.Int).Sub(n, s)), ""},
		{"T07", "r replaced by n - r", rs(new(big.Int).Sub(n, r), s), "sig"},
		{"T08", "DER", asDER(r, s), "sig"},
		{"T08", "63 bytes", sig[:63], "sig"},
		{"T08", "65 bytes, a zero in front", append([]byte{0}, sig...), "sig"},
		{"T08", "65 bytes, a zero at the end", append(append([]byte{}, sig...), 0), "sig"},
		{"T08", "70 bytes", append(append([]byte{}, sig...), make([]byte, 6)...), "sig"},
		{"T08", "one bit flipped", append([]byte{sig[0] ^ 1}, sig[1:]...), "sig"},
		{"T08", "empty", nil, "sig"},
	} {
		rows = append(rows, row{c.id, c.name, input + encode(string(c.sig)), c.cause})
	}
	for _, alg := range []jwt.Algorithm{jwt.EdDSA, jwt.RS256} {
		signer := f.keys.signer(f.t, alg)
		header := object{"alg", `"` + string(alg) + `"`, "kid", `"` + signer.Key().ID + `"`, "typ", `"at+jwt"`}
		token := signRaw(f.t, f.keys[alg], header.String(), goodPayload().String())
		input, sig := token[:len(token)-len(tail(token))], string(unbase64(f.t, tail(token)))
		rows = append(rows,
			row{"T08", string(alg) + ", good", token, ""},
			row{"T08", string(alg) + ", one byte short", input + encode(sig[1:]), "sig"},
			row{"T08", string(alg) + ", a zero at the end", input + encode(sig+"\x00"), "sig"},
			row{"T08", string(alg) + ", all zero", input + encode(strings.Repeat("\x00", len(sig))), "sig"})
	}
	return rows
}

func asDER(r, s *big.Int) []byte {
	var body []byte
	for _, n := range []*big.Int{r, s} {
		raw := append([]byte{0}, n.Bytes()...)
		if raw[1] < 0x80 {
			raw = raw[1:]
		}
		body = append(append(body, 2, byte(len(raw))), raw...)
	}
	return append([]byte{0x30, byte(len(body))}, body...)
}

// spareBits sets the bits of a last character that mean nothing.
func spareBits(part string) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	last := strings.IndexByte(alphabet, part[len(part)-1])
	return part[:len(part)-1] + alphabet[last+1:last+2]
}

func (f *forge) encodings() []row {
	parts := strings.Split(f.good(), ".")
	join := func(header, payload, signature string) string { return header + "." + payload + "." + signature }
	// The parts whose length leaves spare bits: one space of JSON makes them.
	header, payload := f.header().String(), goodPayload().String()
	for len(header)%3 == 0 {
		header += " "
	}
	for len(payload)%3 == 0 {
		payload += " "
	}
	spare := strings.Split(signRaw(f.t, f.keys[jwt.ES256], header, payload), ".")
	rows := []row{
		{"T09", "spare bits in the header", join(spareBits(spare[0]), spare[1], spare[2]), "encoding"},
		{"T09", "spare bits in the payload", join(spare[0], spareBits(spare[1]), spare[2]), "encoding"},
		{"T09", "spare bits in the signature", join(spare[0], spare[1], spareBits(spare[2])), "encoding"},
		{"T10", "signature of impossible length", f.good() + "AAA", "encoding"}, // 89 characters
		{"T10", "padded signature", f.good() + "==", "encoding"},
		{"T10", "padded header", join(spare[0]+"=", parts[1], parts[2]), "encoding"},
		{"T10", "padded payload", join(parts[0], spare[1]+"=", parts[2]), "encoding"},
		{"T10", "as it would stand in a header", "Bearer " + f.good(), "encoding"},
		{"T10", "empty", "", "encoding"},
	}
	for _, c := range []struct{ name, text string }{
		{"space", " "},
		{"line feed", "\n"},
		{"carriage return", "\r"},
		{"tab", "\t"},
		{"NUL", "\x00"},
		{"escape %2e", "%2e"},
		{"byte order mark", "\ufeff"},
		{"quote", `"`},
		{"brace", "{"},
		{"plus", "+"},
		{"slash", "/"},
		{"equals sign", "="},
	} {
		inside := parts[1][:8] + c.text + parts[1][8:]
		rows = append(rows,
			row{"T10", c.name + " in front", c.text + f.good(), "encoding"},
			row{"T10", c.name + " at the end", f.good() + c.text, "encoding"},
			row{"T10", c.name + " in the header", join(parts[0][:8]+c.text+parts[0][8:], parts[1], parts[2]), "encoding"},
			row{"T10", c.name + " in the payload", join(parts[0], inside, parts[2]), "encoding"},
			row{"T10", c.name + " in the signature", join(parts[0], parts[1], parts[2][:8]+c.text+parts[2][8:]), "encoding"})
	}
	return rows
}

// shapes are other numbers of parts and other serialisations.
func (f *forge) shapes() []row {
	parts := strings.Split(f.good(), ".")
	header, payload, sig := parts[0], parts[1], parts[2]
	flat := fmt.Sprintf(`{"protected":%q,"payload":%q,"signature":%q}`, header, payload, sig)
	signer := fmt.Sprintf(`{"protected":%q,"signature":%q}`, header, sig)
	bad := fmt.Sprintf(`{"protected":%q,"signature":%q}`, header, encode(strings.Repeat("x", 64)))
	general := func(rest string) string { return fmt.Sprintf(`{"payload":%q,"signatures":[%s]}`, payload, rest) }
	return []row{
		{"T11", "one part", header, "encoding"},
		{"T11", "two parts", header + "." + payload, "encoding"},
		{"T11", "four parts", f.good() + "." + sig, "encoding"},
		{"T11", "five parts", f.good() + "." + sig + "." + sig, "encoding"},
		{"T11", "8,000 empty parts", strings.Repeat(".", 8000), "encoding"},
		{"T11", "a dot at the end", f.good() + ".", "encoding"},
		{"T11", "a dot in front", "." + f.good(), "encoding"},
		{"T11", "empty header", "." + payload + "." + sig, "encoding"},
		{"T11", "empty payload", signRaw(f.t, f.keys[jwt.ES256], f.header().String(), ""), "encoding"},
		{"T12", "flattened JSON", flat, "encoding"},
		{"T12", "general JSON", general(signer), "encoding"},
		{"T12", "general JSON, two signatures", general(signer + "," + bad), "encoding"},
		{"T12", "general JSON with claims beside it", strings.Replace(general(signer), "{", `{"sub":"root",`, 1), "encoding"},
	}
}

func (f *forge) headers() []row {
	var rows []row
	add := func(id, name string, header fmt.Stringer, cause string) {
		rows = append(rows, row{id, name, f.sign(header, goodPayload()), cause})
	}
	for _, value := range []string{`[]`, `["exp"]`, `["alg"]`, `["x"]`, `"exp"`, `{}`, `null`, `true`, `["b64"]`} {
		add("T13", "crit "+value, f.header().with("crit", value), "crit")
	}
	add("T13", "crit names an extension that is there", f.header().with("crit", `["x"]`).with("x", "1"), "crit")
	add("T14", "b64 false", f.header().with("b64", "false"), "header-not-allowed")
	add("T14", "b64 true", f.header().with("b64", "true"), "header-not-allowed")
	add("T14", "b64 false with crit", f.header().with("b64", "false").with("crit", `["b64"]`), "header-not-allowed")
	add("T15", "zip", f.header().with("zip", `"DEF"`), "header-not-allowed")
	add("T16", "cty JWT", f.header().with("cty", `"JWT"`), "cty")
	add("T16", "cty null", f.header().with("cty", "null"), "cty")

	unencoded := f.header().with("b64", "false").with("crit", `["b64"]`)
	rows = append(rows, row{"T14", "b64 false, payload not encoded", encode(unencoded.String()) + "." + goodPayload().String() + ".c2ln", "header-not-allowed"})
	for _, header := range []string{
		`{"alg":"RSA-OAEP","enc":"A256GCM","kid":"` + f.kid + `"}`,
		`{"alg":"dir","enc":"A256GCM","zip":"DEF"}`,
		`{"alg":"PBES2-HS256+A128KW","enc":"A128GCM","p2c":2147483648,"p2s":"AAAAAAAAAAA"}`,
	} {
		rows = append(rows, row{"T15", "JWE " + header, encode(header) + "..AAAAAAAAAAAAAAAA.AAAA.AAAAAAAAAAAAAAAAAAAAAA", "header-not-allowed"})
	}
	for _, header := range []raw{` `, `[]`, `null`, `"ES256"`, `{`, `{}{}`, "\ufeff{}", `{"alg":"ES256"`, `{'alg':'ES256'}`, "{\"alg\":\"ES256\",}", "{\"alg\":\"\xff\"}"} {
		add("T10", fmt.Sprintf("header %q", header.String()), header, "header-not-allowed")
	}
	add("T10", "header {}", raw(`{}`), "alg")
	return rows
}

// types puts every kind of token into the slot of an access token.
func (f *forge) types() []row {
	rows := []row{
		{"T17", "typ missing", f.sign(f.header().without("typ"), goodPayload()), "typ"},
		{"T17", "a refresh token", "rt_" + strings.Repeat("A", 64), "encoding"},
	}
	for _, value := range []string{
		`"JWT"`, `"secevent+jwt"`, `"logout+jwt"`, `"statuslist+jwt"`, `"token-introspection+jwt"`, `"dpop+jwt"`, `"dbsc+jwt"`,
		`"jwt"`, `""`, `null`, `1`, `["at+jwt"]`, `"at+jwt "`, `"at+jwt\u0000"`, `"text/at+jwt"`, `"application/application/at+jwt"`, `"application/"`,
	} {
		rows = append(rows, row{"T17", "typ " + value, f.sign(f.header().with("typ", value), goodPayload()), "typ"})
	}
	for _, value := range []string{`"AT+JWT"`, `"application/at+jwt"`, `"APPLICATION/At+Jwt"`} {
		rows = append(rows, row{"T17", "typ " + value, f.sign(f.header().with("typ", value), goodPayload()), ""})
	}
	return rows
}
