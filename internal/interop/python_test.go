//go:build interop

package interop_test

import (
	"os"
	"os/exec"
	"testing"

	"issuer.example/jwt"
)

// ensurePip returns an error if Python cannot make virtual environments, which is a separate
// package in Debian.
var ensurePip = []string{"python3", "-m", "ensurepip", "--version"}

const fastAPI = "../../examples/fastapi"

// pyJWT uses the packages that are installed for examples/fastapi.
func pyJWT() verifier {
	return verifier{
		name:       "PyJWT with FastAPI",
		folder:     "pyjwt",
		needs:      []string{"python3"},
		probe:      ensurePip,
		prepare:    virtualEnvironment("../" + fastAPI),
		command:    []string{"../" + fastAPI + "/.venv/bin/python", "main.py"},
		algorithms: []jwt.Algorithm{jwt.ES256, jwt.EdDSA, jwt.RS256},
	}
}

// fastAPIExample is the example itself, which follows the feed.
func fastAPIExample() verifier {
	v := pyJWT()
	v.name, v.folder, v.learnsOfRevocations = "examples/fastapi", "fastapi", true
	v.environ = func(_ *testing.T, i *issuer) []string { return []string{"SERVICE_KEY=" + i.serviceKey} }
	return v
}

// virtualEnvironment returns the commands that install what a Python project needs.
func virtualEnvironment(project string) [][]string {
	return [][]string{
		{"python3", "-m", "venv", project + "/.venv"},
		{project + "/.venv/bin/pip", "install", "--quiet", "--disable-pip-version-check", "-r", project + "/requirements-dev.txt"},
	}
}

// The example's own tests run the issuer, too: revocation, restarts, a feed gone wrong.
func TestFastAPI(t *testing.T) {
	example := verifier{name: "examples/fastapi", folder: fastAPI, needs: []string{"python3"}, probe: ensurePip, prepare: virtualEnvironment(".")}
	if !example.available(t, map[string]bool{}) {
		return
	}
	b, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	for _, command := range [][]string{{"ruff", "check"}, {"ruff", "format", "--check"}, {"mypy"}, {"pytest", "--quiet"}} {
		cmd := exec.CommandContext(t.Context(), absolute(t, fastAPI+"/.venv/bin/"+command[0]), command[1:]...)
		cmd.Dir = fastAPI
		cmd.Env = append(os.Environ(), "ISSUER_BIN="+string(b))
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%v: %v\n%s", command, err, out)
		}
	}
}
