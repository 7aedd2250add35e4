// Command nethttp is a service on net/http that accepts the access tokens of an issuer.
//
// Start an issuer on this machine (make run), and then in this folder:
//
//	ISSUER=http://localhost:8080 AUDIENCE=http://localhost:8080 SERVICE_KEY_FILE=../../data/dev/service.key go run .
//	curl -H "Authorization: Bearer $ACCESS" localhost:8081/me
//
// $ACCESS is an access token, as in the terminal session of the issuer's README. LISTEN sets
// another address.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"issuer.example/guard"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Getenv)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, getenv func(string) string) error {
	g, err := guard.New(ctx, guard.Config{
		Issuer:         getenv("ISSUER"),
		Audience:       []string{getenv("AUDIENCE")},
		ServiceKey:     getenv("SERVICE_KEY"),
		ServiceKeyFile: getenv("SERVICE_KEY_FILE"),
	})
	if err != nil {
		return err
	}
	defer func() { _ = g.Close() }()

	addr := getenv("LISTEN")
	if addr == "" {
		addr = "127.0.0.1:8081"
	}
	server := &http.Server{Addr: addr, Handler: routes(g), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 30 * time.Second}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", addr)
	if err != nil {
		return err
	}
	defer context.AfterFunc(ctx, func() {
		grace, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		_ = server.Shutdown(grace)
	})()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// routes returns the service. Each route says what it requires of a token.
func routes(g *guard.Guard) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /me", g.Middleware(http.HandlerFunc(me)))
	// The price list is not sensitive: it is shown even while the list of revocations is
	// stale.
	mux.Handle("GET /prices", g.Require(guard.WhenStale(guard.FailOpen))(http.HandlerFunc(prices)))
	mux.Handle("GET /orders", g.Require(guard.RequireScope("orders:read"))(http.HandlerFunc(orders)))
	// To delete an account the user must have signed in within the last five minutes.
	mux.Handle("DELETE /me", g.Require(guard.RequireFresh(5*time.Minute))(http.HandlerFunc(deleteMe)))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		if g.Stats().Stale {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})
	return mux
}

func me(w http.ResponseWriter, r *http.Request) {
	claims, ok := guard.FromContext(r.Context())
	if !ok { // the route is not behind the guard
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]string{"user_id": claims.Subject, "session_id": claims.SessionID})
}

func prices(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write([]byte(`{"tea": 250}`))
}

func orders(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write([]byte(`[]`))
}

func deleteMe(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }
