package e2e_test

import (
	"net"
	"strings"
	"testing"
)

// `issuer health` finds the issuer as the program itself is configured, needs no key, and its exit code
// says whether the issuer is alive or, with --ready, ready.
func TestHealthCommand(t *testing.T) {
	dir := t.TempDir()
	i := startDev(t, dir)
	port := i.admin[strings.LastIndexByte(i.admin, ':'):]
	elsewhere := t.TempDir()
	for name, c := range map[string]struct {
		environ []string
		args    []string
	}{
		"the configured address":  {[]string{"ISSUER_ADMIN_LISTEN=127.0.0.1" + port}, nil},
		"every IPv4 address":      {[]string{"ISSUER_ADMIN_LISTEN=0.0.0.0" + port}, nil},
		"every address":           {[]string{"ISSUER_ADMIN_LISTEN=[::]" + port}, nil},
		"no host":                 {[]string{"ISSUER_ADMIN_LISTEN=" + port}, nil},
		"ready":                   {[]string{"ISSUER_ADMIN_LISTEN=127.0.0.1" + port}, []string{"--ready"}},
		"a URL":                   {[]string{"ISSUER_ADMIN_URL=" + i.admin}, nil},
		"a flag":                  {nil, []string{"--admin", i.admin, "--timeout", "10s"}},
		"the public listener":     {nil, []string{"--admin", i.public, "--ready"}},
		"a faulty configuration":  {[]string{"ISSUER_ISSUER=x"}, []string{"--admin", i.admin}},
		"a key that is not asked": {[]string{"ISSUER_ADMIN_KEY=hunter2"}, []string{"--admin", i.admin}},
	} {
		if r := run(t, elsewhere, c.environ, append([]string{"health"}, c.args...)...); r.code != 0 || r.stdout != "ok\n" || r.stderr != "" {
			t.Errorf("%s: %+v", name, r)
		}
	}
	// Something else that listens there, and something that never answers.
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = silent.Close() }()
	run(t, elsewhere, nil, "health", "--admin", "http://"+silent.Addr().String(), "--timeout", "100ms").failed(t, "no issuer answers", "in time")
	if r := run(t, elsewhere, nil, "health", "now"); r.code != 2 {
		t.Errorf("wrong usage: %+v", r)
	}
	if strings.Contains(i.Log().Text(), "/healthz") {
		t.Error("the probes are in the log")
	}
	i.stop()
	run(t, elsewhere, []string{"ISSUER_ADMIN_LISTEN=127.0.0.1" + port}, "health").failed(t, "no issuer answers", "connection refused")
	run(t, elsewhere, nil, "health", "--admin", "http://127.0.0.1:1", "--ready").failed(t, "no issuer answers")
}
