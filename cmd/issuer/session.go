package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/spf13/cobra"
)

// sessionView is the S of the HTTP API.
type sessionView struct {
	ID            string    `json:"id"`
	UserID        string    `json:"user_id"`
	CreatedAt     time.Time `json:"created_at"`
	LastSeenAt    time.Time `json:"last_seen_at"`
	AuthTime      time.Time `json:"auth_time"`
	ExpiresAt     time.Time `json:"expires_at"`
	IdleExpiresAt time.Time `json:"idle_expires_at"`
	IPAddress     string    `json:"ip_address"`
	UserAgent     string    `json:"user_agent"`
	Label         string    `json:"label"`
	EndedAt       time.Time `json:"ended_at"`
	EndReason     string    `json:"end_reason"`
}

// state is "live", or why the session ended.
func (s sessionView) state() string {
	if s.EndedAt.IsZero() {
		return "live"
	}
	return cmp.Or(s.EndReason, "ended")
}

// sessionCommand is about the sessions of a running issuer.
func (a *app) sessionCommand() *cobra.Command {
	r := &remote{app: a}
	return r.jsonFlag(r.flags(group("session", "Sessions of a running issuer", r.sessionList(), r.sessionShow(), r.sessionRevoke())))
}

func (r *remote) sessionList() *cobra.Command {
	var user string
	cmd := &cobra.Command{
		Use:   "list --user USER",
		Short: "List the sessions of a user: the live ones, then those that have ended, newest first",
		Args: func(cmd *cobra.Command, args []string) error {
			if user == "" {
				return errors.New("session list needs --user")
			}
			return exactly(0)(cmd, args)
		},
		RunE: r.app.does(func(ctx context.Context, _ []string) error {
			var answer struct {
				Sessions []sessionView `json:"sessions"`
				History  []sessionView `json:"history"`
			}
			path := "/admin/v1/sessions?user_id=" + url.QueryEscape(user)
			if shown, err := r.call(ctx, http.MethodGet, path, nil, &answer); shown || err != nil {
				return err
			}
			rows := newTable("ID", "STATE", "CREATED", "LAST SEEN", "EXPIRES", "ADDRESS", "DEVICE")
			for _, s := range append(answer.Sessions, answer.History...) {
				rows.add(s.ID, s.state(), stamp(s.CreatedAt), stamp(s.LastSeenAt), stamp(s.ExpiresAt), s.IPAddress, cmp.Or(s.Label, s.UserAgent))
			}
			return rows.print(r.app.stdout)
		}),
	}
	cmd.Flags().StringVar(&user, "user", "", "the user's id")
	return cmd
}

func (r *remote) sessionShow() *cobra.Command {
	return &cobra.Command{
		Use:   "show ID",
		Short: "Show a session, live or ended",
		Args:  exactly(1),
		RunE: r.app.does(func(ctx context.Context, args []string) error {
			var answer struct {
				Session sessionView `json:"session"`
			}
			if shown, err := r.call(ctx, http.MethodGet, "/admin/v1/sessions/"+url.PathEscape(args[0]), nil, &answer); shown || err != nil {
				return err
			}
			s := answer.Session
			rows := newTable("ID", printable(s.ID))
			rows.add("STATE", s.state())
			rows.add("USER", s.UserID)
			rows.add("CREATED", stamp(s.CreatedAt))
			rows.add("AUTHENTICATED", stamp(s.AuthTime))
			rows.add("LAST SEEN", stamp(s.LastSeenAt))
			rows.add("ENDS IF IDLE", stamp(s.IdleExpiresAt))
			rows.add("ENDS", stamp(s.ExpiresAt))
			rows.add("ENDED", stamp(s.EndedAt))
			rows.add("ADDRESS", s.IPAddress)
			rows.add("USER AGENT", s.UserAgent)
			rows.add("LABEL", s.Label)
			return rows.print(r.app.stdout)
		}),
	}
}

// target is what a revocation is of: exactly one of its fields is set.
type target struct {
	id, user, client string
	everyone, yes    bool
}

// check makes sure that one thing is named, and that "everyone" is meant.
func (t target) check() error {
	named := 0
	for _, given := range []bool{t.id != "", t.user != "", t.client != "", t.everyone} {
		if given {
			named++
		}
	}
	switch {
	case named != 1:
		return errors.New("session revoke needs one of ID, --user, --client and --everyone")
	case t.everyone && !t.yes:
		return errors.New("--everyone signs every user out; add --yes if that is meant")
	}
	return nil
}

func (r *remote) sessionRevoke() *cobra.Command {
	var t target
	cmd := &cobra.Command{
		Use:   "revoke ID | --user USER | --client CLIENT | --everyone --yes",
		Short: "End a session, or all sessions of a user, of a client, of everyone",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				t.id = args[0]
			}
			return errors.Join(cobra.MaximumNArgs(1)(cmd, args), t.check())
		},
		RunE: r.app.does(func(ctx context.Context, _ []string) error { return r.revoke(ctx, t) }),
	}
	flags := cmd.Flags()
	flags.StringVar(&t.user, "user", "", "all sessions of this user")
	flags.StringVar(&t.client, "client", "", "all sessions of this client")
	flags.BoolVar(&t.everyone, "everyone", false, "all sessions")
	flags.BoolVar(&t.yes, "yes", false, "confirm --everyone")
	return cmd
}

func (r *remote) revoke(ctx context.Context, t target) error {
	var (
		answer struct {
			Revoked int `json:"revoked"`
		}
		method = http.MethodPost
		path   = "/admin/v1/revocations"
		body   any
		done   func() string
	)
	switch {
	case t.id != "":
		method, path = http.MethodDelete, "/admin/v1/sessions/"+url.PathEscape(t.id)
		done = func() string { return printable(t.id) + " is revoked" }
	case t.user != "":
		path = "/admin/v1/users/" + url.PathEscape(t.user) + "/revoke-sessions"
		done = func() string { return fmt.Sprintf("%d revoked", answer.Revoked) }
	case t.client != "":
		body = map[string]string{"client_id": t.client}
		done = func() string { return "all sessions of " + printable(t.client) + " are revoked" }
	default:
		body = map[string]bool{"everything": true}
		done = func() string { return "all sessions are revoked" }
	}
	if shown, err := r.call(ctx, method, path, body, &answer); shown || err != nil {
		return err
	}
	_, err := fmt.Fprintln(r.app.stdout, done())
	return err
}
