//go:build interop

package interop_test

import (
	"context"
	"os"
	"os/exec"
	"strings"
	"testing"

	"issuer.example/jwt"
)

// Clients of OAuth authenticate in every way that their libraries offer, and introspect and revoke
// tokens. These libraries encode the name and the secret for HTTP Basic as RFC 6749 §2.3.1 says.
func TestOAuthClients(t *testing.T) {
	t.Parallel()
	clients := verifier{
		name: "openid-client and oauth4webapi", folder: "oauthclients", needs: []string{"node", "npm"}, probe: node20,
		prepare: [][]string{{"npm", "ci", "--no-audit", "--no-fund", "--loglevel=error"}},
	}
	if !clients.available(t, map[string]bool{}) {
		return
	}
	i := startIssuer(t, jwt.ES256)
	tokens := make([]string, 10)
	for n := range tokens {
		tokens[n] = i.mint(audience).AccessToken
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, "node", "main.js")
	cmd.Dir = clients.folder
	cmd.Env = append(os.Environ(),
		"ISSUER="+i.url, "CLIENT_NAME=dev-service", "CLIENT_SECRET="+i.serviceKey, "TOKENS="+strings.Join(tokens, ","))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%s: %v\n%s", clients.name, err, out)
	}
}
