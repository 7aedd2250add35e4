package guard

import (
	"context"
	"errors"
	"net/http"
)

// isMisconfigured reports whether an error of the start is of the kind that waiting does not
// mend: the configuration, the file with the service key, another issuer's metadata, a
// redirect, or a request that the issuer refuses. Everything else is trouble of the issuer or of the network.
func isMisconfigured(err error) bool {
	for _, kind := range [...]error{ErrConfig, ErrDiscovery, ErrRedirect, errServiceKey, context.Canceled} {
		if errors.Is(err, kind) {
			return true
		}
	}
	var status *statusError
	if !errors.As(err, &status) {
		return false
	}
	switch status.status {
	case http.StatusNotFound, http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests:
		return false // proxies without an issuer behind them answer 404
	}
	return status.status >= 400 && status.status < 500
}
