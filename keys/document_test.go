package keys_test

import (
	"bytes"
	"errors"
	"testing"

	"issuer.example/keys"
	"issuer.example/secret"
)

// Only a document that was written with the secret is accepted. Every other one is refused
// with an error that tells the operator what to do.
func FuzzDocument(f *testing.F) {
	s, err := secret.Parse(bytes.Repeat([]byte("k"), 32))
	if err != nil {
		f.Fatal(err)
	}
	other := newSecret(f)
	for _, document := range []string{
		``, `{}`, `{"schema":1}`, `{"schema":2}`, `{"schema":1,"mac":"","set":{"keys":[]}}`,
		`{"schema":1,"mac":"","set":{"keys":[{"kid":"a","alg":"ES256","state":"active","jwk":{},"sealed":"a.b.c.d.e"}]}}`,
		`{"schema":1,"set":{"keys":[{"kid":"a","state":"gone"},{"kid":"a","state":"gone"}]}}`,
		`{"schema":1,"set":{"keys":[{"kid":"a","alg":"ES256","state":"active","jwk":{},"sealed":` +
			`"eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIiwia2lkIjoiMDAifQ..AAAAAAAAAAAAAAAA.AAAA.AAAAAAAAAAAAAAAAAAAAAA"}]}}`,
	} {
		f.Add([]byte(document))
	}
	f.Fuzz(func(t *testing.T, document []byte) {
		err := keys.Decode(document, s, other)
		if err == nil {
			t.Fatal("a document was accepted that nobody wrote")
		}
		if !errors.Is(err, keys.ErrDocument) && !errors.Is(err, keys.ErrNewerSchema) && !errors.Is(err, keys.ErrWrongSecret) {
			t.Errorf("a refusal without a cause: %v", err)
		}
	})
}
