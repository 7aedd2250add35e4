package main

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"issuer.example/cmd/issuer/internal/adminapi"
)

// healthTimeout is how long a healthy issuer may take to answer, by default.
const healthTimeout = 5 * time.Second

// healthCommand asks a running issuer whether it is well, for supervisors in images that have no
// curl. It asks the admin listener, which a flood of the public one leaves reachable.
func (a *app) healthCommand() *cobra.Command {
	c := &adminCommand{app: a}
	var (
		ready   bool
		timeout time.Duration
	)
	cmd := &cobra.Command{
		Use:   "health",
		Short: "Ask a running issuer whether it is alive: exit code 0 if it is, else 1",
		Args:  exactArgs(0),
		RunE: a.action(func(ctx context.Context, _ []string) error {
			ctx, cancel := context.WithTimeout(ctx, timeout)
			defer cancel()
			path := "/healthz"
			if ready {
				path = "/readyz"
			}
			return c.health(ctx, path)
		}),
	}
	c.addressFlag(cmd)
	cmd.Flags().BoolVar(&ready, "ready", false, "ask whether it is ready to serve (/readyz) instead of alive (/healthz)")
	cmd.Flags().DurationVar(&timeout, "timeout", healthTimeout, "how long to wait for the answer")
	return cmd
}

// health prints "ok" if the issuer answers that path with success. No key is needed, nor sent.
func (c *adminCommand) health(ctx context.Context, path string) error {
	base, _, err := c.address()
	if err != nil {
		return err
	}
	api, err := adminapi.New(base, "")
	if err != nil {
		return err
	}
	if _, err = api.Call(ctx, http.MethodGet, path, nil); err != nil {
		return c.explainAssumedAddress(err)
	}
	fmt.Fprintln(c.app.stdout, "ok")
	return nil
}
