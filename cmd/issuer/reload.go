package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/spf13/cobra"
)

// reloadCommand makes a running issuer read its configuration anew, as SIGHUP does.
func (a *app) reloadCommand() *cobra.Command {
	c := &adminCommand{app: a}
	cmd := &cobra.Command{
		Use:   "reload",
		Short: "Make a running issuer read its configuration anew, as SIGHUP does",
		Args:  exactArgs(0),
		RunE: a.action(func(ctx context.Context, _ []string) error {
			var answer struct {
				Changed       []string `json:"changed"`
				RestartNeeded []string `json:"restart_needed"`
			}
			if printed, err := c.call(ctx, http.MethodPost, "/admin/v1/reload", nil, &answer); printed || err != nil {
				return err
			}
			return c.printReload(answer.Changed, answer.RestartNeeded)
		}),
	}
	return c.jsonFlag(c.flags(cmd))
}

// printReload prints which keys of the configuration have changed.
func (c *adminCommand) printReload(changed, restartNeeded []string) error {
	text := "nothing has changed\n"
	if len(changed) > 0 {
		text = "changed: " + printable(strings.Join(changed, ", ")) + "\n"
	}
	if len(restartNeeded) > 0 {
		text += "needs a restart: " + printable(strings.Join(restartNeeded, ", ")) + "\n"
	}
	_, err := fmt.Fprint(c.app.stdout, text)
	return err
}
