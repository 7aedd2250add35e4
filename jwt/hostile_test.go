package jwt_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"issuer.example/jwt"
)

var update = flag.Bool("update", false, "write testdata/vectors/jws-hostile.json anew")

// row is a token and the cause of its refusal, empty when it is accepted. The id groups the
// rows by the kind of attack.
type row struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	Token string `json:"token"`
	Cause string `json:"cause"`
}

// vectors has what a verifier in any language needs to check the rows: the time, its
// configuration, and the keys.
type vectors struct {
	Now         int64           `json:"now"`
	Issuer      string          `json:"issuer"`
	Audience    string          `json:"audience"`
	MaxLifetime int             `json:"max_lifetime"`
	JWKS        json.RawMessage `json:"jwks"`
	Rows        []row           `json:"rows"`
}

const publicKeys = `{"keys":[` +
	`{"kty":"EC","crv":"P-256","alg":"ES256","use":"sig",` +
	`"x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"},` +
	`{"kty":"OKP","crv":"Ed25519","alg":"EdDSA","use":"sig","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"},` +
	`{"kty":"RSA","alg":"RS256","use":"sig","e":"AQAB",` +
	`"n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2l` +
	`ZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2C` +
	`apHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54` +
	`h4FRWyuXpoQ"}]}`

// The file of vectors for the other clients is the same as these rows, and every row is
// true.
func TestHostileVectors(t *testing.T) {
	forge := newForge(t)
	made := vectors{start, issuer, audience, 3600, json.RawMessage(publicKeys), forge.rows()}
	if *update {
		writeVectors(t, made)
	}
	var stored vectors
	readVectors(t, "jws-hostile.json", &stored)
	if diff := cmp.Diff(made.Rows, stored.Rows); diff != "" {
		t.Errorf("the file is not what the rows make (go test -update writes it):\n%s", diff)
	}
	keys, err := jwt.ParseJWKS(stored.JWKS)
	if err != nil {
		t.Fatal(err)
	}
	verifier, err := jwt.NewVerifier(jwt.VerifierConfig{
		Issuer:      stored.Issuer,
		Audience:    []string{stored.Audience},
		MaxLifetime: time.Duration(stored.MaxLifetime) * time.Second,
		Keys:        keys,
		Now:         func() time.Time { return time.Unix(stored.Now, 0) },
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range stored.Rows {
		t.Run(row.ID+" "+row.Name, func(t *testing.T) { checkRow(t, verifier, row) })
	}
}

func checkRow(t *testing.T, verifier *jwt.Verifier, row row) {
	t.Helper()
	claims, err := verifier.Verify(row.Token)
	switch {
	case row.Cause == "" && err != nil:
		t.Errorf("refused: %v", err)
	case row.Cause != "" && err == nil:
		t.Errorf("accepted, want [%s]", row.Cause)
	case jwt.Cause(err) != row.Cause:
		t.Errorf("cause [%s] (%v), want [%s]", jwt.Cause(err), err, row.Cause)
	case (claims == nil) != (err != nil):
		t.Errorf("claims %v beside error %v", claims, err)
	}
}

func writeVectors(t *testing.T, v vectors) {
	t.Helper()
	raw, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join("..", "testdata", "vectors", "jws-hostile.json")
	if err := os.WriteFile(path, append(raw, '\n'), 0o600); err != nil {
		t.Fatal(err)
	}
}

// Tokens that are too large for a file of vectors are refused before they are decoded, in a
// time that does not depend on their content. An error costs a handful of allocations, and more
// where the race detector empties pools; decoding one of these tokens would cost thousands.
func TestHugeTokens(t *testing.T) {
	const few = 50
	verifier := newVerifier(t, nil)
	for _, row := range newForge(t).huge() {
		t.Run(row.ID+" "+row.Name, func(t *testing.T) {
			checkRow(t, verifier, row)
			if allocs := testing.AllocsPerRun(10, func() { _, _ = verifier.Verify(row.Token) }); allocs > few {
				t.Errorf("%v allocations, want none that depend on the token", allocs)
			}
		})
	}
}

// The tokens of a key that leaves the set are refused, and so are those of another issuer's
// keys.
func TestKeysAreBound(t *testing.T) {
	keys := loadKeys(t)
	token, err := keys.signer(t, jwt.ES256).Mint(goodClaims())
	if err != nil {
		t.Fatal(err)
	}
	rest, err := jwt.NewKeySet(keys.signer(t, jwt.EdDSA).Key())
	if err != nil {
		t.Fatal(err)
	}
	verifier := newVerifier(t, func(c *jwt.VerifierConfig) { c.Keys = rest })
	checkRow(t, verifier, row{Token: token, Cause: "kid"})
}

// Every algorithm's header with every other algorithm's key, both ways round.
func TestAlgorithmAndKeyPairs(t *testing.T) {
	keys := loadKeys(t)
	verifier := newVerifier(t, nil)
	foreign := []jwt.Algorithm{"ES384", "ES512", "PS256", "RS512", "Ed25519"}
	for _, ofKey := range algorithms {
		kid := keys.signer(t, ofKey).Key().ID
		for _, ofHeader := range append(foreign, algorithms...) {
			want := "alg-key-mismatch"
			if ofHeader == ofKey {
				want = ""
			}
			header := fmt.Sprintf(`{"alg":%q,"kid":%q,"typ":"at+jwt"}`, ofHeader, kid)
			token := signRaw(t, keys[ofKey], header, goodPayload().String())
			t.Run(string(ofHeader)+" with the key of "+string(ofKey), func(t *testing.T) {
				checkRow(t, verifier, row{Token: token, Cause: want})
			})
		}
	}
}
