package bench_test

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"testing"

	"github.com/labstack/echo/v4"
)

// echoEnv is the environment variable that makes the test binary a bare Echo server.
const echoEnv = "ISSUER_BENCH_ECHO"

func TestMain(m *testing.M) {
	if os.Getenv(echoEnv) != "" {
		if err := serveEcho(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// serveEcho serves what the program is compared with: Echo that binds a small JSON body and
// responds with another.
func serveEcho() error {
	e := echo.New()
	e.HideBanner, e.HidePort = true, true
	type body struct {
		RefreshToken string `json:"refresh_token"`
	}
	e.POST("/v1/session/refresh", func(c echo.Context) error {
		var b body
		if err := c.Bind(&b); err != nil {
			return err
		}
		return c.JSON(http.StatusOK, b)
	})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(l.Addr())
	server := &http.Server{Handler: e}
	return server.Serve(l)
}
