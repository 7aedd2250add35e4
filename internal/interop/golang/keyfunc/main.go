// Command keyfunc is a verifier on github.com/MicahParks/keyfunc and golang-jwt.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/MicahParks/keyfunc/v3"
	"github.com/golang-jwt/jwt/v5"
	"golang.org/x/time/rate"
)

func main() {
	if err := run(context.Background(), os.Getenv); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// claims are those of an access token that the service reads.
type claims struct {
	jwt.RegisteredClaims

	SessionID string `json:"sid"`
}

func run(ctx context.Context, getenv func(string) string) error {
	maxAge, err := time.ParseDuration(getenv("JWKS_MAX_AGE") + "s")
	if err != nil {
		return err
	}
	// keyfunc does not read Cache-Control: by itself it fetches the keys once an hour, and
	// for an unknown key once in 5 minutes. A request that asks for one in between waits for
	// its turn, up to a minute, which strangers could make many do.
	keys, err := keyfunc.NewDefaultOverrideCtx(ctx, []string{getenv("JWKS_URI")}, keyfunc.Override{
		RefreshInterval:   maxAge,
		RefreshUnknownKID: rate.NewLimiter(rate.Every(min(maxAge, time.Minute)), 1),
		RateLimitWaitMax:  time.Millisecond,
	})
	if err != nil {
		return err
	}
	parser := jwt.NewParser(
		jwt.WithValidMethods([]string{getenv("ALGORITHM")}),
		jwt.WithIssuer(getenv("ISSUER")),
		jwt.WithAudience(getenv("AUDIENCE")),
		jwt.WithExpirationRequired(),
		jwt.WithStrictDecoding(),
	)
	http.HandleFunc("GET /whoami", func(w http.ResponseWriter, r *http.Request) {
		text, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		var c claims
		if _, err := parser.ParseWithClaims(text, &c, ofAccessTokens(keys.KeyfuncCtx(r.Context()))); err != nil {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		_ = json.NewEncoder(w).Encode(map[string]string{"sub": c.Subject, "sid": c.SessionID})
	})
	server := &http.Server{Addr: getenv("ADDRESS"), ReadHeaderTimeout: 5 * time.Second}
	return server.ListenAndServe()
}

// ofAccessTokens finds a key for an access token only: golang-jwt does not look at the typ.
func ofAccessTokens(keys jwt.Keyfunc) jwt.Keyfunc {
	return func(token *jwt.Token) (any, error) {
		if token.Header["typ"] != "at+jwt" {
			return nil, errors.New("not an access token")
		}
		return keys(token)
	}
}
