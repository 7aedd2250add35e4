package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/spf13/cobra"
)

// signingKey is a signing key as the admin API shows it.
type signingKey struct {
	ID          string    `json:"kid"`
	Algorithm   string    `json:"alg"`
	State       string    `json:"state"`
	CreatedAt   time.Time `json:"created_at"`
	ActivatedAt time.Time `json:"activated_at"`
	GoneAt      time.Time `json:"gone_at"`
	Reason      string    `json:"reason"`
}

// keysCommand is about the signing keys of a running issuer.
func (a *app) keysCommand() *cobra.Command {
	r := &remote{app: a}
	return r.jsonFlag(r.flags(group("keys", "Signing keys of a running issuer", r.keysList(), r.keysRotate(), r.keysRevoke())))
}

func (r *remote) keysList() *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List the keys: pending, active, retiring and gone",
		Args:  exactly(0),
		RunE: r.app.does(func(ctx context.Context, _ []string) error {
			var answer struct {
				Keys []signingKey `json:"keys"`
			}
			if shown, err := r.call(ctx, http.MethodGet, "/admin/v1/keys", nil, &answer); shown || err != nil {
				return err
			}
			rows := newTable("KID", "ALG", "STATE", "CREATED", "SIGNS SINCE", "GONE", "REASON")
			for _, k := range answer.Keys {
				rows.add(k.ID, k.Algorithm, k.State, stamp(k.CreatedAt), stamp(k.ActivatedAt), stamp(k.GoneAt), k.Reason)
			}
			return rows.print(r.app.stdout)
		}),
	}
}

func (r *remote) keysRotate() *cobra.Command {
	return &cobra.Command{
		Use:   "rotate",
		Short: "Publish a new key now; it signs once every verifier can know it",
		Args:  exactly(0),
		RunE: r.app.does(func(ctx context.Context, _ []string) error {
			var answer struct {
				Key signingKey `json:"key"`
			}
			if shown, err := r.call(ctx, http.MethodPost, "/admin/v1/keys/rotate", nil, &answer); shown || err != nil {
				return err
			}
			_, err := fmt.Fprintf(r.app.stdout, "%s is published\n", printable(answer.Key.ID))
			return err
		}),
	}
}

func (r *remote) keysRevoke() *cobra.Command {
	var reason string
	cmd := &cobra.Command{
		Use:   "revoke KID",
		Short: "Emergency: drop a key at once, and end every session with it",
		Args:  exactly(1),
		RunE: r.app.does(func(ctx context.Context, args []string) error {
			path := "/admin/v1/keys/" + url.PathEscape(args[0])
			if reason != "" {
				path += "?reason=" + url.QueryEscape(reason)
			}
			if shown, err := r.call(ctx, http.MethodDelete, path, nil, nil); shown || err != nil {
				return err
			}
			_, err := fmt.Fprintf(r.app.stdout, "%s is revoked; all sessions are ended\n", printable(args[0]))
			return err
		}),
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why, for the record")
	return cmd
}
