package guard_test

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"issuer.example/guard"
)

// A service accepts the tokens of an issuer, and requires a recent sign-in on one route.
func Example() {
	g, err := guard.New(context.Background(), guard.Config{
		Issuer:         "https://id.example.com",
		Audience:       []string{"https://api.example.com"},
		ServiceKeyFile: "/run/secrets/issuer-service-key",
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = g.Close() }()

	hello := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		claims, _ := guard.FromContext(r.Context())
		_, _ = fmt.Fprintf(w, "hello, %s", claims.Subject)
	})
	mux := http.NewServeMux()
	mux.Handle("GET /hello", g.Middleware(hello))
	mux.Handle("DELETE /account", g.Require(guard.RequireFresh(5*time.Minute))(hello))
}

// The cause of a refusal is the label of a metric.
func ExampleCause() {
	fmt.Println(guard.Cause(guard.ErrRevoked))
	fmt.Println(guard.Cause(fmt.Errorf("verifying: %w", guard.ErrStale)))
	// Output:
	// revoked
	// stale
}
