package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/spf13/cobra"
)

// signingKey is a signing key in an answer of the admin API.
type signingKey struct {
	ID          string    `json:"kid"`
	Algorithm   string    `json:"alg"`
	State       string    `json:"state"`
	CreatedAt   time.Time `json:"created_at"`
	ActivatedAt time.Time `json:"activated_at"`
	GoneAt      time.Time `json:"gone_at"`
	Reason      string    `json:"reason"`
}

// keysCommand lists, rotates and revokes the signing keys of a running issuer.
func (a *app) keysCommand() *cobra.Command {
	c := &adminCommand{app: a}
	return c.jsonFlag(c.flags(group("keys", "Signing keys of a running issuer", c.keysList(), c.keysRotate(), c.keysRevoke())))
}

func (c *adminCommand) keysList() *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List the keys: pending, active, retiring and gone",
		Args:  exactArgs(0),
		RunE: c.app.action(func(ctx context.Context, _ []string) error {
			var answer struct {
				Keys []signingKey `json:"keys"`
			}
			if printed, err := c.call(ctx, http.MethodGet, "/admin/v1/keys", nil, &answer); printed || err != nil {
				return err
			}
			rows := newTable("KID", "ALG", "STATE", "CREATED", "SIGNS SINCE", "GONE", "REASON")
			for _, k := range answer.Keys {
				rows.add(k.ID, k.Algorithm, k.State, formatTime(k.CreatedAt), formatTime(k.ActivatedAt), formatTime(k.GoneAt), k.Reason)
			}
			return rows.print(c.app.stdout)
		}),
	}
}

func (c *adminCommand) keysRotate() *cobra.Command {
	return &cobra.Command{
		Use:   "rotate",
		Short: "Publish a new key now; it signs once every verifier can know it",
		Args:  exactArgs(0),
		RunE: c.app.action(func(ctx context.Context, _ []string) error {
			var answer struct {
				Key signingKey `json:"key"`
			}
			if printed, err := c.call(ctx, http.MethodPost, "/admin/v1/keys/rotate", nil, &answer); printed || err != nil {
				return err
			}
			_, err := fmt.Fprintf(c.app.stdout, "%s is published\n", printable(answer.Key.ID))
			return err
		}),
	}
}

func (c *adminCommand) keysRevoke() *cobra.Command {
	var reason string
	cmd := &cobra.Command{
		Use:   "revoke KID",
		Short: "Emergency: drop a key at once, and end every session with it",
		Args:  exactArgs(1),
		RunE: c.app.action(func(ctx context.Context, args []string) error {
			path := "/admin/v1/keys/" + url.PathEscape(args[0])
			if reason != "" {
				path += "?reason=" + url.QueryEscape(reason)
			}
			if printed, err := c.call(ctx, http.MethodDelete, path, nil, nil); printed || err != nil {
				return err
			}
			_, err := fmt.Fprintf(c.app.stdout, "%s is revoked; all sessions are ended\n", printable(args[0]))
			return err
		}),
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why, for the record")
	return cmd
}
