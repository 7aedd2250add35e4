package jwt_test

import (
	"encoding/json"
	"errors"
	"testing"

	"issuer.example/jwt"
)

// The examples of the RFCs have neither kid nor typ: they verify with a given key, and a
// key set refuses them.
func TestRFCVectors(t *testing.T) {
	var file struct {
		Vectors []struct {
			Name, Source, Token, Payload string
			JWK                          json.RawMessage
		}
	}
	readVectors(t, "jws-rfc.json", &file)
	if len(file.Vectors) != len(algorithms) {
		t.Fatalf("%d vectors, want one for each algorithm", len(file.Vectors))
	}
	for _, v := range file.Vectors {
		t.Run(v.Source, func(t *testing.T) {
			set, err := jwt.ParseJWKS([]byte(`{"keys":[` + string(v.JWK) + `]}`))
			if err != nil {
				t.Fatal(err)
			}
			header, payload, err := jwt.VerifyWithoutKeyID(v.Token, set.Keys()[0])
			if err != nil {
				t.Fatal(err)
			}
			if want := (jwt.Header{Algorithm: jwt.Algorithm(v.Name)}); header != want {
				t.Errorf("header %+v, want %+v", header, want)
			}
			if string(payload) != v.Payload {
				t.Errorf("payload %q, want %q", payload, v.Payload)
			}
			if _, _, err := jwt.VerifySignature(v.Token, set); !errors.Is(err, jwt.ErrKeyID) {
				t.Errorf("without a kid a set says %v, want ErrKeyID", err)
			}
		})
	}
}

func TestRFCThumbprints(t *testing.T) {
	var file struct {
		Thumbprints []struct {
			Source, Thumbprint string
			JWK                json.RawMessage
		}
	}
	readVectors(t, "jws-rfc.json", &file)
	for _, v := range file.Thumbprints {
		t.Run(v.Source, func(t *testing.T) {
			set, err := jwt.ParseJWKS([]byte(`{"keys":[` + string(v.JWK) + `]}`))
			if err != nil {
				t.Fatal(err)
			}
			key := set.Keys()[0]
			got, err := jwt.Thumbprint(key.Public)
			if err != nil || got != v.Thumbprint {
				t.Errorf("thumbprint %s, %v, want %s", got, err, v.Thumbprint)
			}
			if key.ID != v.Thumbprint {
				t.Errorf("a key without kid has the id %s, want its thumbprint", key.ID)
			}
		})
	}
}
