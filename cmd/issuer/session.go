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

// sessionView is a session in an answer of the admin API.
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
	LastIPAddress string    `json:"last_ip_address"`
	LastUserAgent string    `json:"last_user_agent"`
	Label         string    `json:"label"`
	EndedAt       time.Time `json:"ended_at"`
	EndReason     string    `json:"end_reason"`
}

// refreshView is what the admin API says of the refresh tokens of a session.
type refreshView struct {
	useView
	RedeemedAt time.Time `json:"redeemed_at"`
	Reuse      *useView  `json:"reuse"`
}

// useView is one use of a refresh token.
type useView struct {
	Generation uint32 `json:"generation"`
	IPAddress  string `json:"ip_address"`
	UserAgent  string `json:"user_agent"`
}

// String describes the use in one cell of a table.
func (u useView) String() string {
	return fmt.Sprintf("generation %d from %s, %s", u.Generation, cmp.Or(u.IPAddress, "unknown address"), cmp.Or(u.UserAgent, "unknown browser"))
}

// state returns "live", or why the session ended.
func (s sessionView) state() string {
	if s.EndedAt.IsZero() {
		return "live"
	}
	return cmp.Or(s.EndReason, "ended")
}

// sessionCommand lists, shows and revokes the sessions of a running issuer.
func (a *app) sessionCommand() *cobra.Command {
	c := &adminCommand{app: a}
	return c.jsonFlag(c.flags(group("session", "Sessions of a running issuer", c.sessionList(), c.sessionShow(), c.sessionRevoke())))
}

func (c *adminCommand) sessionList() *cobra.Command {
	var user string
	cmd := &cobra.Command{
		Use:   "list --user USER",
		Short: "List the sessions of a user: the live ones, then those that have ended, newest first",
		Args: func(cmd *cobra.Command, args []string) error {
			if user == "" {
				return errors.New("session list needs --user")
			}
			return exactArgs(0)(cmd, args)
		},
		RunE: c.app.action(func(ctx context.Context, _ []string) error {
			var answer struct {
				Sessions []sessionView `json:"sessions"`
				History  []sessionView `json:"history"`
			}
			path := "/admin/v1/sessions?user_id=" + url.QueryEscape(user)
			if printed, err := c.call(ctx, http.MethodGet, path, nil, &answer); printed || err != nil {
				return err
			}
			rows := newTable("ID", "STATE", "CREATED", "LAST SEEN", "EXPIRES", "ADDRESS", "LAST ADDRESS", "DEVICE")
			for _, s := range append(answer.Sessions, answer.History...) {
				rows.add(s.ID, s.state(), formatTime(s.CreatedAt), formatTime(s.LastSeenAt), formatTime(s.ExpiresAt), s.IPAddress, s.LastIPAddress,
					cmp.Or(s.Label, s.UserAgent))
			}
			return rows.print(c.app.stdout)
		}),
	}
	cmd.Flags().StringVar(&user, "user", "", "the user's id")
	return cmd
}

func (c *adminCommand) sessionShow() *cobra.Command {
	return &cobra.Command{
		Use:   "show ID",
		Short: "Show a session, live or ended",
		Args:  exactArgs(1),
		RunE: c.app.action(func(ctx context.Context, args []string) error {
			var answer struct {
				Session sessionView `json:"session"`
				Refresh refreshView `json:"refresh"`
			}
			if printed, err := c.call(ctx, http.MethodGet, "/admin/v1/sessions/"+url.PathEscape(args[0]), nil, &answer); printed || err != nil {
				return err
			}
			s := answer.Session
			rows := newTable("ID", printable(s.ID))
			rows.add("STATE", s.state())
			rows.add("USER", s.UserID)
			rows.add("CREATED", formatTime(s.CreatedAt))
			rows.add("AUTHENTICATED", formatTime(s.AuthTime))
			rows.add("LAST SEEN", formatTime(s.LastSeenAt))
			rows.add("ENDS IF IDLE", formatTime(s.IdleExpiresAt))
			rows.add("ENDS", formatTime(s.ExpiresAt))
			rows.add("ENDED", formatTime(s.EndedAt))
			rows.add("ADDRESS", s.IPAddress)
			rows.add("USER AGENT", s.UserAgent)
			rows.add("LAST ADDRESS", s.LastIPAddress)
			rows.add("LAST USER AGENT", s.LastUserAgent)
			if answer.Refresh.Generation > 0 {
				rows.add("LAST REFRESH", formatTime(answer.Refresh.RedeemedAt))
				rows.add("REFRESHED WITH", answer.Refresh.String())
			}
			if reuse := answer.Refresh.Reuse; reuse != nil {
				rows.add("COPY USED", reuse.String())
			}
			rows.add("LABEL", s.Label)
			return rows.print(c.app.stdout)
		}),
	}
}

// revokeTarget names what to revoke: exactly one of id, user, client and everyone is set.
type revokeTarget struct {
	id, user, client string
	everyone, yes    bool
}

// check requires exactly one target, and --yes for everyone.
func (t revokeTarget) check() error {
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

func (c *adminCommand) sessionRevoke() *cobra.Command {
	var t revokeTarget
	cmd := &cobra.Command{
		Use:   "revoke ID | --user USER | --client CLIENT | --everyone --yes",
		Short: "End a session, or all sessions of a user, of a client, of everyone",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				t.id = args[0]
			}
			return errors.Join(cobra.MaximumNArgs(1)(cmd, args), t.check())
		},
		RunE: c.app.action(func(ctx context.Context, _ []string) error { return c.revoke(ctx, t) }),
	}
	flags := cmd.Flags()
	flags.StringVar(&t.user, "user", "", "all sessions of this user")
	flags.StringVar(&t.client, "client", "", "all sessions of this client")
	flags.BoolVar(&t.everyone, "everyone", false, "all sessions")
	flags.BoolVar(&t.yes, "yes", false, "confirm --everyone")
	return cmd
}

func (c *adminCommand) revoke(ctx context.Context, t revokeTarget) error {
	var answer struct {
		Revoked int `json:"revoked"`
	}
	method, path, body := t.request()
	if printed, err := c.call(ctx, method, path, body, &answer); printed || err != nil {
		return err
	}
	_, err := fmt.Fprintln(c.app.stdout, t.outcome(answer.Revoked))
	return err
}

// request returns the call of the admin API that revokes the target.
func (t revokeTarget) request() (method, path string, body any) {
	const revocations = "/admin/v1/revocations"
	switch {
	case t.id != "":
		return http.MethodDelete, "/admin/v1/sessions/" + url.PathEscape(t.id), nil
	case t.user != "":
		return http.MethodPost, "/admin/v1/users/revoke-sessions", map[string]string{"user_id": t.user}
	case t.client != "":
		return http.MethodPost, revocations, map[string]string{"client_id": t.client}
	default:
		return http.MethodPost, revocations, map[string]bool{"everything": true}
	}
}

// outcome describes what was revoked. The number of sessions is only known for a user.
func (t revokeTarget) outcome(revoked int) string {
	switch {
	case t.id != "":
		return printable(t.id) + " is revoked"
	case t.user != "":
		return fmt.Sprintf("%d revoked", revoked)
	case t.client != "":
		return "all sessions of " + printable(t.client) + " are revoked"
	default:
		return "all sessions are revoked"
	}
}
