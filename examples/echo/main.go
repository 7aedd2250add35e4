// Command echo is a service on Echo that accepts the access tokens of an issuer.
//
// Start an issuer on this machine (make run), and then in this folder:
//
//	ISSUER=http://localhost:8080 AUDIENCE=http://localhost:8080 SERVICE_KEY_FILE=../../data/dev/service.key go run .
//	curl -H "Authorization: Bearer $ACCESS" localhost:8082/me
//
// $ACCESS is an access token, as in the terminal session of the issuer's README. LISTEN sets
// another address.
package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/labstack/echo/v4"

	"issuer.example/guard"
	"issuer.example/jwt"
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

	e := service(g)
	addr := getenv("LISTEN")
	if addr == "" {
		addr = "127.0.0.1:8082"
	}
	defer context.AfterFunc(ctx, func() {
		grace, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		_ = e.Shutdown(grace)
	})()
	if err := e.Start(addr); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// service returns the routes, in a group behind the guard. Echo accepts net/http middleware.
func service(g *guard.Guard) *echo.Echo {
	e := echo.New()
	e.HideBanner, e.HidePort = true, true
	e.Server.ReadHeaderTimeout, e.Server.ReadTimeout = 5*time.Second, 30*time.Second

	api := e.Group("", echo.WrapMiddleware(g.Middleware))
	api.GET("/me", func(c echo.Context) error {
		return c.JSON(http.StatusOK, map[string]string{"user_id": claims(c).Subject, "session_id": claims(c).SessionID})
	})
	// To delete an account the user must have signed in within the last five minutes.
	api.DELETE("/me", func(c echo.Context) error {
		return c.NoContent(http.StatusNoContent)
	}, echo.WrapMiddleware(g.Require(guard.RequireFresh(5*time.Minute))))
	return e
}

// claims returns the claims of the request's token, which every route of the group has.
func claims(c echo.Context) *jwt.Claims {
	claims, ok := guard.FromContext(c.Request().Context())
	if !ok {
		panic("the route is not behind the guard")
	}
	return claims
}
