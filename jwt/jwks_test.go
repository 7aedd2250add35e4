package jwt_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"issuer.example/jwt"
)

const (
	ecMembers  = `"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"`
	okpMembers = `"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"`
)

func jwks(keys ...string) string { return `{"keys":[{` + strings.Join(keys, `},{`) + `}]}` }

func TestParseJWKS(t *testing.T) {
	set, err := jwt.ParseJWKS([]byte(publicKeys))
	if err != nil {
		t.Fatal(err)
	}
	want := loadKeys(t).set(t).Keys()
	for i, key := range set.Keys() {
		if key.ID != want[i].ID || key.Algorithm != want[i].Algorithm {
			t.Errorf("key %d is %s for %s, want %s for %s", i, key.ID, key.Algorithm, want[i].ID, want[i].Algorithm)
		}
	}
	token, err := loadKeys(t).signer(t, jwt.RS256).Mint(goodClaims())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := newVerifier(t, func(c *jwt.VerifierConfig) { c.Keys = set }).Verify(token); err != nil {
		t.Error(err)
	}
}

// An issuer may publish kinds of keys that are not supported here. They are skipped.
func TestParseJWKSSkipsWhatCannotVerify(t *testing.T) {
	for _, members := range []string{
		`"kty":"AKP","alg":"ML-DSA-44","pub":"AAAA"`,
		`"kty":"EC","crv":"P-384","x":"AA","y":"AA"`,
		`"kty":"EC","crv":"secp256k1","x":"AA","y":"AA"`,
		`"kty":"OKP","crv":"X25519","x":"AA"`,
		`"kty":"OKP","crv":"Ed448","x":"AA"`,
		`"kty":7`,
		`"x":"AA"`,
		ecMembers + `,"use":"enc"`,
		ecMembers + `,"use":null`,
		ecMembers + `,"key_ops":["encrypt"]`,
		ecMembers + `,"key_ops":"verify"`,
		ecMembers + `,"alg":"ES384"`,
		ecMembers + `,"alg":"ECDH-ES"`,
		ecMembers + `,"alg":null`,
		`"kty":"RSA","alg":"PS256","n":"AA","e":"AQAB"`,
		`"kty":"RSA","alg":"RSA-OAEP","n":"AA","e":"AQAB"`,
	} {
		t.Run(members, func(t *testing.T) {
			set, err := jwt.ParseJWKS([]byte(jwks(members, okpMembers)))
			if err != nil {
				t.Fatal(err)
			}
			if keys := set.Keys(); len(keys) != 1 || keys[0].Algorithm != jwt.EdDSA {
				t.Errorf("keys %v, want the second alone", keys)
			}
		})
	}
}

func TestParseJWKSTakesHarmlessMembers(t *testing.T) {
	for _, members := range []string{
		ecMembers, ecMembers + `,"use":"sig","key_ops":["verify"],"kid":"k","x5c":["AA"],"nbf":1`,
		ecMembers + `,"x5u":"http://127.0.0.1:9/"`,
	} {
		set, err := jwt.ParseJWKS([]byte(jwks(members)))
		if err != nil || len(set.Keys()) != 1 {
			t.Errorf("%s: %v", members, err)
		}
	}
	set, err := jwt.ParseJWKS([]byte(` {"keys":[],"next":1} `))
	if err != nil || len(set.Keys()) != 0 {
		t.Errorf("an empty set: %v, %v", set, err)
	}
}

func TestParseJWKSRefuses(t *testing.T) {
	modulus := func(n int) string { return encode("\xc1" + strings.Repeat("\x01", n-1)) }
	rsa := func(n, e string) string { return fmt.Sprintf(`"kty":"RSA","n":%q,"e":%q`, n, e) }
	many := strings.Repeat(`{"kty":"x"},`, jwt.MaxJWKSKeys)
	for _, c := range []struct {
		name, doc string
		want      error
	}{
		{"nothing", ``, jwt.ErrJSON},
		{"null", `null`, jwt.ErrKey},
		{"an array", `[]`, jwt.ErrKey},
		{"no keys", `{}`, jwt.ErrKey},
		{"keys null", `{"keys":null}`, jwt.ErrKey},
		{"keys an object", `{"keys":{}}`, jwt.ErrKey},
		{"Keys", `{"Keys":[]}`, jwt.ErrKey},
		{"a key that is null", `{"keys":[null]}`, jwt.ErrKey},
		{"a key that is a string", `{"keys":["k"]}`, jwt.ErrKey},
		{"keys twice", `{"keys":[],"keys":[]}`, jwt.ErrDuplicate},
		{"x twice", jwks(ecMembers + `,"X":"AA"`), jwt.ErrDuplicate},
		{"more after it", `{"keys":[]}{}`, jwt.ErrJSON},
		{"65 keys", `{"keys":[` + many + `{"kty":"x"}]}`, jwt.ErrKey},
		{"257 KiB", `{"keys":[]` + strings.Repeat(" ", jwt.MaxJWKSSize) + `}`, jwt.ErrSize},
		{"an EC private key", jwks(ecMembers + `,"d":"AA"`), jwt.ErrKey},
		{"an RSA private key", jwks(rsa(modulus(256), "AQAB") + `,"p":"AA"`), jwt.ErrKey},
		{"a symmetric key", jwks(`"kty":"oct","k":"c2VjcmV0"`), jwt.ErrKey},
		{"a private key of a kind unknown", jwks(`"kty":"AKP","priv":"AA"`), jwt.ErrKey},
		{"a kid twice", jwks(ecMembers+`,"kid":"k"`, okpMembers+`,"kid":"k"`), jwt.ErrKey},
		{"a key twice", jwks(ecMembers, ecMembers), jwt.ErrKey},
		{"a kid that is a number", jwks(ecMembers + `,"kid":1`), jwt.ErrKey},
		{"a kid that is empty", jwks(ecMembers + `,"kid":""`), jwt.ErrKey},
		{"a kid with a control character", jwks(ecMembers + `,"kid":"\u0000"`), jwt.ErrKey},
		{"alg of another kind", jwks(ecMembers + `,"alg":"RS256"`), jwt.ErrKey},
		{"a point off the curve", jwks(strings.Replace(ecMembers, "f83O", "f83P", 1)), jwt.ErrKey},
		{"a short x", jwks(`"kty":"EC","crv":"P-256","x":"AA","y":"AA"`), jwt.ErrKey},
		{"no y", jwks(`"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"`), jwt.ErrKey},
		{"x of 31 bytes and y of 33", jwks(shiftedPoint(t)), jwt.ErrKey},
		{"a short Ed25519 key", jwks(`"kty":"OKP","crv":"Ed25519","x":"AAAA"`), jwt.ErrKey},
		{"padded base64", jwks(strings.Replace(okpMembers, `URo"`, `URo="`, 1)), jwt.ErrKey},
		{"spare bits", jwks(strings.Replace(okpMembers, `URo"`, `URp"`, 1)), jwt.ErrKey},
		{"RSA of 1,024 bits", jwks(rsa(modulus(128), "AQAB")), jwt.ErrKey},
		{"RSA of 8,200 bits", jwks(rsa(modulus(1025), "AQAB")), jwt.ErrKey},
		{"RSA with a zero in front", jwks(rsa(encode("\x00\xc1"+strings.Repeat("\x01", 255)), "AQAB")), jwt.ErrKey},
		{"RSA with a zero in front of e", jwks(rsa(modulus(256), "AAEAAQ")), jwt.ErrKey},
		{"RSA with e of 72 bits", jwks(rsa(modulus(256), encode("\x01\x00\x00\x00\x00\x00\x01\x00\x01"))), jwt.ErrKey},
		{"RSA with e = 3", jwks(rsa(modulus(256), "Aw")), jwt.ErrKey},
		{"RSA with e of 32 bits", jwks(rsa(modulus(256), "_____w")), jwt.ErrKey},
		{"RSA with e of 40 bits", jwks(rsa(modulus(256), "AQAAAAE")), jwt.ErrKey},
		{"RSA without e", jwks(`"kty":"RSA","n":"` + modulus(256) + `"`), jwt.ErrKey},
	} {
		t.Run(c.name, func(t *testing.T) {
			if set, err := jwt.ParseJWKS([]byte(c.doc)); !errors.Is(err, c.want) || set != nil {
				t.Errorf("%v, %v, want %v", set, err, c.want)
			}
		})
	}
}

// shiftedPoint is a point whose bytes are right, but not where x ends.
func shiftedPoint(t *testing.T) string {
	t.Helper()
	x := string(unbase64(t, "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"))
	y := string(unbase64(t, "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"))
	return fmt.Sprintf(`"kty":"EC","crv":"P-256","x":%q,"y":%q`, encode(x[:31]), encode(x[31:]+y))
}
