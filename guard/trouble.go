package guard

import (
	"context"
	"errors"
	"net/http"
)

// isMisconfigured reports whether an error of the start is of the kind that waiting does not
// mend: the configuration, the file with the service key, another issuer's metadata, or a
// service key that the issuer refuses. Everything else is trouble of the issuer or of the
// network: in front of an issuer that is down a proxy may answer with any other status, a
// redirect, or a page.
func isMisconfigured(err error) bool {
	if errors.Is(err, errNoMetadata) {
		return false
	}
	for _, kind := range [...]error{ErrConfig, ErrDiscovery, errServiceKey, context.Canceled} {
		if errors.Is(err, kind) {
			return true
		}
	}
	var status *statusError
	return errors.As(err, &status) && (status.status == http.StatusUnauthorized || status.status == http.StatusForbidden)
}
