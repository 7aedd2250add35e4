package jwt_test

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"issuer.example/jwt"
)

// seeds adds all vectors' tokens.
func seeds(f *testing.F, add func(row)) {
	f.Helper()
	var stored vectors
	readVectors(f, "jws-hostile.json", &stored)
	for _, row := range stored.Rows {
		add(row)
	}
}

// Only the canonical text of what was signed is accepted.
func FuzzVerifySignature(f *testing.F) {
	keys := loadKeys(f).set(f)
	seeds(f, func(r row) { f.Add(r.Token) })
	f.Fuzz(func(t *testing.T, token string) {
		header, payload, err := jwt.VerifySignature(token, keys)
		if err != nil {
			if jwt.Cause(err) == "" {
				t.Errorf("an error without cause: %v", err)
			}
			return
		}
		parts := strings.Split(token, ".")
		if len(parts) != 3 || len(token) > jwt.MaxTokenSize || encode(string(payload)) != parts[1] {
			t.Errorf("accepted %q", token)
		}
		var members map[string]string
		raw, err := base64.RawURLEncoding.DecodeString(parts[0])
		if err != nil || json.Unmarshal(raw, &members) != nil {
			t.Fatalf("accepted the header %q", raw)
		}
		want := map[string]string{"alg": string(header.Algorithm), "kid": header.KeyID}
		if header.Type != "" {
			want["typ"] = header.Type
		}
		if diff := cmp.Diff(want, members); diff != "" {
			t.Error(diff)
		}
	})
}

// Of the payloads that the issuer itself signed, those that are accepted follow the rules,
// also when encoding/json reads them.
func FuzzVerifyPayload(f *testing.F) {
	signer := loadKeys(f).signer(f, jwt.EdDSA)
	verifier := newVerifier(f, nil)
	seeds(f, func(r row) {
		if parts := strings.Split(r.Token, "."); len(parts) == 3 {
			if payload, err := base64.RawURLEncoding.DecodeString(parts[1]); err == nil {
				f.Add(payload)
			}
		}
	})
	f.Fuzz(func(t *testing.T, payload []byte) {
		token, err := signer.Sign(jwt.TypeAccessToken, payload)
		if err != nil {
			t.Fatal(err)
		}
		claims, err := verifier.Verify(token)
		if err != nil {
			if jwt.Cause(err) == "" {
				t.Errorf("an error without cause: %v", err)
			}
			return
		}
		var other map[string]any
		if err := json.Unmarshal(payload, &other); err != nil {
			t.Fatalf("accepted what encoding/json does not: %v", err)
		}
		if other["sub"] != claims.Subject || other["iss"] != issuer || other["exp"] != float64(claims.Expiry.Unix()) {
			t.Errorf("claims %+v, read elsewhere as %v", claims, other)
		}
		again, err := signer.Mint(claims)
		if err != nil {
			t.Fatalf("can't mint what was verified: %v", err)
		}
		got, err := verifier.Verify(again)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(claims, got); diff != "" {
			t.Error(diff)
		}
	})
}

// encoding/json can read every document that is accepted, and the keys are valid.
func FuzzParseJWKS(f *testing.F) {
	f.Add([]byte(publicKeys))
	f.Add([]byte(jwks(ecMembers+`,"kid":"a","use":"sig","key_ops":["verify"]`, okpMembers+`,"kid":"b","alg":"EdDSA"`)))
	f.Add([]byte(jwks(ecMembers + `,"d":"AA"`)))
	f.Add([]byte(`{"keys":[null]}`))
	f.Fuzz(func(t *testing.T, doc []byte) {
		set, err := jwt.ParseJWKS(doc)
		if err != nil {
			if jwt.Cause(err) == "" {
				t.Errorf("an error without cause: %v", err)
			}
			return
		}
		var other struct{ Keys []map[string]any }
		if err := json.Unmarshal(doc, &other); err != nil {
			t.Fatalf("accepted what encoding/json does not: %v", err)
		}
		keys := set.Keys()
		if len(keys) > len(other.Keys) || len(keys) > jwt.MaxJWKSKeys {
			t.Errorf("%d keys of %d", len(keys), len(other.Keys))
		}
		for _, key := range keys {
			if _, err := jwt.NewKey(key.ID, key.Algorithm, key.Public); err != nil {
				t.Error(err)
			}
			if _, err := jwt.Thumbprint(key.Public); err != nil {
				t.Error(err)
			}
		}
	})
}

// Claims that pass the check can be minted, and are verified unchanged.
func FuzzCheckExtra(f *testing.F) {
	signer := loadKeys(f).signer(f, jwt.EdDSA)
	verifier := newVerifier(f, nil)
	for _, seed := range []string{`{}`, `{"a":[1,2.5e3,"x",null,{"b":true}]}`, `{"sub":1}`, `{"\u017fub":1}`, `{"a":1,"A":2}`, `{"":"\ud83d\ude00"}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		if jwt.CheckExtra(raw) != nil {
			return
		}
		claims := goodClaims()
		if err := json.Unmarshal(raw, &claims.Extra); err != nil {
			t.Fatalf("accepted what encoding/json does not: %v", err)
		}
		if len(claims.Extra) == 0 {
			claims.Extra = nil
		}
		token, err := signer.Mint(claims)
		if err != nil {
			t.Fatal(err)
		}
		got, err := verifier.Verify(token)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(claims, got); diff != "" {
			t.Error(diff)
		}
	})
}
