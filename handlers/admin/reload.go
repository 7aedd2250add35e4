package admin

import (
	"errors"
	"net/http"
	"strings"

	"issuer.example/handlers/exchange"
)

// ErrNotReloaded means that a configuration was not adopted, because something in it is wrong.
// Its text is for the administrator.
var ErrNotReloaded = errors.New("the configuration is not adopted, and everything stays as it was")

// Reloaded is what a reload did.
type Reloaded struct {
	Changed []string `json:"changed"` // the keys whose new values hold now
	// RestartNeeded are the keys whose new values hold only after a restart.
	RestartNeeded []string `json:"restart_needed"`
}

// reload reads the configuration anew.
func (h *Handlers) reload(x *exchange.Exchange) error {
	if h.cfg.Reload == nil {
		return exchange.NotFound()
	}
	if err := x.RequireNoMembers(); err != nil {
		return err
	}
	if err := h.record(x, "reload"); err != nil {
		return err
	}
	done, err := h.cfg.Reload(x.Context())
	if errors.Is(err, ErrNotReloaded) {
		return &exchange.Refusal{Code: exchange.CodeConflict, Detail: strings.ReplaceAll(err.Error(), "\n", "; "), Err: err}
	}
	if err != nil {
		return err
	}
	return x.JSON(http.StatusOK, done)
}
