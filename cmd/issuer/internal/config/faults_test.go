package config_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"issuer.example/cmd/issuer/internal/config"
)

// All faults come at once, each at its line, the variables' after the file's.
func TestAllFaultsAtOnce(t *testing.T) {
	_, err := load(t, `issuer: http://id.example.com
listen: 8080
store:
  pth: x
  driver: mysql
access_token:
  lifetime: 2h
  lifetime: 3h
session: {idle_timeout: [1], max_per_user: many}
secrets: [a, ../b]
service_keys:
  - {name: "x y", sha256: sk_not_a_hash, scopes: [root]}
`, "ISSUER_LOG_LEVEL=loud", "ISSUER_SESSION_HISTROY=1h", "ISSUER_STORE_CHECK=perhaps")
	want := []string{
		"config.yaml:1: issuer: must begin with https://; plain http is only for localhost",
		"config.yaml:2: listen: must be text, not a bare number",
		"config.yaml:4: store.pth: unknown key; known here: driver, facts_keep, path, check, lock_wait, dsn, listen_dsn, password_file, notify, poll_interval, max_connections, statement_timeout, prepared_statements, require_synchronous",
		"config.yaml:5: store.driver: must be bolt or postgres",
		"config.yaml:8: access_token.lifetime: given twice, first on line 7",
		"config.yaml:9: session.idle_timeout: must be a duration such as 30s, 5m or 720h, not a list",
		"config.yaml:9: session.max_per_user: must be a whole number",
		`config.yaml:10: secrets[1]: must not hold "..": give the path from the root or from the working directory`,
		"config.yaml:12: service_keys[0].name: must be 1 to 64 letters, digits, dots, dashes or underscores",
		"config.yaml:12: service_keys[0].sha256: must be the SHA-256 of the key: 64 lower-case hex digits, as `issuer service-key new` prints them",
		"config.yaml:12: service_keys[0].scopes[0]: unknown scope; known are sessions:mint, sessions:read, sessions:revoke, revocations:read, tokens:introspect, admin",
		"ISSUER_LOG_LEVEL: log.level: must be one of debug, info, warn, error",
		"ISSUER_SESSION_HISTROY: no key of the configuration has this name",
		"ISSUER_STORE_CHECK: store.check: must be true or false",
	}
	if diff := cmp.Diff(want, faults(t, err)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestRefused(t *testing.T) {
	hash := strings.Repeat("ab", 32)
	for _, c := range []struct{ name, text, want string }{
		{"not YAML", "secrets: []\nissuer: [", "config.yaml:2: not YAML"},
		{"a tab", "store:\n\tpath: x", "config.yaml:2: not YAML"},
		{"two documents", "log: {level: info}\n---\nlog: {level: warn}", "more than one YAML document"},
		{"a list at the top", "- issuer", "must be a group of keys"},
		{"text for a group", "store: bolt", "config.yaml:1: store: must be a group of keys"},
		{"an alias", "listen: &a 127.0.0.1:1\nadmin: {listen: *a}", "aliases are not read"},
		{"a merge key", "store: {<<: {path: x}}", "store.<<: unknown key"},
		{"a key in capitals", "Issuer: https://a.example", "Issuer: unknown key"},
		{"no value", "issuer:", "issuer: must be text, and has no value"},
		{"a number for a duration", "session: {fresh_age: 600}", "config.yaml:1: session.fresh_age: must be a duration"},
		{"a float for a number", "session: {max_per_user: 1.5}", "must be a whole number"},
		{"a huge number", "session: {max_per_user: 99999999999999999999}", "must be a whole number"},
		{"text for a truth", "store: {check: yes please}", "must be true or false"},
		{"text for a list", "secrets: data/secret", "must be a list"},
		{"a number in a list", "secrets: [1]", "secrets[0]: must be text"},
		{"an unknown key of a service key", "service_keys: [{name: a, key: b}]", "service_keys[0].key: unknown key"},

		{"issuer: query", "issuer: https://a.example/?x", "must not have a query"},
		{"issuer: empty query", "issuer: https://a.example?", "must not have a query"},
		{"issuer: fragment", "issuer: https://a.example#", "must not have a query or a fragment"},
		{"issuer: user", "issuer: https://me:hunter2@a.example", "must not hold a user name"},
		{"issuer: slash", "issuer: https://a.example/", `must not end in "/"`},
		{"issuer: no scheme", "issuer: a.example", "must be a URL"},
		{"issuer: the default port", "issuer: https://a.example:443", "must leave out the port 443"},
		{"issuer: other scheme", "issuer: ftp://a.example", "must begin with https://"},
		{"issuer: empty", `issuer: ""`, "must be a URL"},
		{"issuer: http to another machine", "issuer: http://127.0.0.1.evil.example", "plain http is only for localhost"},

		{"issuer: scheme in capitals", "issuer: HTTPS://a.example", "must be written as browsers send it: https://a.example"},
		{"issuer: host in capitals", "issuer: https://A.Example/auth", "must be written as browsers send it: https://a.example/auth"},
		{"issuer: localhost in capitals", "issuer: http://LocalHost:8080", "must be written as browsers send it: http://localhost:8080"},
		{"issuer: Unicode", "issuer: https://bücher.example:8443", "must be written as browsers send it: https://xn--bcher-kva.example:8443"},
		{"issuer: a long IPv6 address", "issuer: http://[0:0::1]:8080", "must be written as browsers send it: http://[::1]:8080"},
		{"issuer: a short IPv4 address", "issuer: https://127.1", "must have a host that browsers accept"},
		{"issuer: an empty port", "issuer: \"https://a.example:\"", "must be written as browsers send it: https://a.example"},
		{"issuer: an empty segment", "issuer: https://a.example//auth", "must have a path without empty segments"},
		{"issuer: dots", "issuer: https://a.example/x/../auth", "must have a path without empty segments"},
		{"issuer: an escape", "issuer: https://a.example/%61uth", "must have a path without empty segments"},

		{"hosts: a URL", "hosts: [https://b.example]", "hosts[0]: must be a host name such as auth.internal.example.com, without scheme, port and *: b.example"},
		{"hosts: a port", "hosts: [\"b.example:8080\"]", "without scheme, port and *: b.example"},
		{"hosts: capitals", "hosts: [B.example]", ": b.example"},
		{"hosts: Unicode", "hosts: [bücher.example]", ": xn--bcher-kva.example"},
		{"hosts: the root", "hosts: [b.example.]", ": b.example"},
		{"hosts: a wildcard", "hosts: [\"*.b.example\"]", "hosts[0]: must be a host name"},
		{"hosts: nothing", "hosts: [\"\"]", "hosts[0]: must be a host name"},
		{"hosts: twice", "hosts: [b.example, b.example]", "hosts[1]: is in the list twice"},

		{"listen: a service name", "listen: localhost:http", "must be an address and a port"},
		{"listen: port", "listen: 127.0.0.1:65536", "must be an address and a port"},
		{"admin on the public address", "admin: {listen: 127.0.0.1:8080}", "must differ from listen"},
		{"admin on a public wildcard", "listen: \":9090\"\nadmin: {listen: 127.0.0.1:9090}", "admin.listen: must differ from listen"},
		{"admin on every address", "listen: 127.0.0.1:9090\nadmin: {listen: 0.0.0.0:9090}", "admin.listen: must differ from listen"},
		{"admin on every address of both families", "listen: localhost:9090\nadmin: {listen: \"[::]:9090\"}", "admin.listen: must differ from listen"},
		{"proxies", "trusted_proxies: [10.0.0.0/33]", "trusted_proxies[0]: must be an IP address"},
		{"connections", "limits: {connections: 0}", "must be from 1 to 1000000"},
		{"feed_streams", "limits: {feed_streams: -1}", "must be from 0 to 1000000"},
		{"feed_streams_per_key", "limits: {feed_streams_per_key: 0}", "must be from 1 to 1000000"},

		{"idle_connection", "limits: {idle_connection: 500ms}", "limits.idle_connection: must be from 1s to 24h"},

		{"dsn with bolt", "store: {dsn: x}", "store.dsn: is not used by the driver bolt; leave it out"},
		{"listen_dsn with bolt", "store: {listen_dsn: x}", "store.listen_dsn: is not used by the driver bolt"},
		{"password_file with bolt", "store: {password_file: x}", "store.password_file: is not used by the driver bolt"},
		{"notify with bolt", "store: {notify: poll}", "store.notify: is not used by the driver bolt"},
		{"poll_interval with bolt", "store: {poll_interval: 1s}", "store.poll_interval: is not used by the driver bolt"},
		{"max_connections with bolt", "store: {max_connections: 20}", "store.max_connections: is not used by the driver bolt"},
		{"statement_timeout with bolt", "store: {statement_timeout: 1s}", "store.statement_timeout: is not used by the driver bolt"},
		{"prepared_statements with bolt", "store: {prepared_statements: false}", "store.prepared_statements: is not used by the driver bolt"},
		{"require_synchronous with bolt", "store: {require_synchronous: true}", "store.require_synchronous: is not used by the driver bolt"},
		{"path with postgres", "store: {driver: postgres, dsn: x, path: data/x.db}", "store.path: is not used by the driver postgres; leave it out"},
		{"check with postgres", "store: {driver: postgres, dsn: x, check: true}", "store.check: is not used by the driver postgres"},
		{"lock_wait with postgres", "store: {driver: postgres, dsn: x, lock_wait: 1s}", "store.lock_wait: is not used by the driver postgres"},
		{"postgres without dsn", "store: {driver: postgres}", "store.dsn: must name the database"},
		{"postgres with a blank dsn", "store: {driver: postgres, dsn: \" \"}", "store.dsn: must name the database"},
		{"password_file climbs", "store: {driver: postgres, dsn: x, password_file: ../x}", `store.password_file: must not hold ".."`},
		{"notify", "store: {driver: postgres, dsn: x, notify: push}", "store.notify: must be one of listen, poll"},
		{"poll_interval below the limit", "store: {driver: postgres, dsn: x, poll_interval: 9ms}", "store.poll_interval: must be from 10ms to 1m"},
		{"poll_interval over the limit", "store: {driver: postgres, dsn: x, poll_interval: 61s}", "store.poll_interval: must be from 10ms to 1m"},
		{"statement_timeout below the limit", "store: {driver: postgres, dsn: x, statement_timeout: 99ms}", "store.statement_timeout: must be from 100ms to 1m"},
		{"statement_timeout over the limit", "store: {driver: postgres, dsn: x, statement_timeout: 61s}", "store.statement_timeout: must be from 100ms to 1m"},
		{"max_connections below the limit", "store: {driver: postgres, dsn: x, max_connections: 3}", "store.max_connections: must be from 4 to 1000"},
		{"max_connections over the limit", "store: {driver: postgres, dsn: x, max_connections: 1001}", "store.max_connections: must be from 4 to 1000"},
		{"store path climbs", "store: {path: data/../../x}", `store.path: must not hold ".."`},
		{"store path empty", `store: {path: ""}`, "must name a file"},
		{"facts_keep below a minute", "store: {facts_keep: 59s}", "store.facts_keep: must be from 1m to 8760h"},
		{"facts_keep over a year", "store: {facts_keep: 8761h}", "store.facts_keep: must be from 1m to 8760h"},
		{"lock_wait below zero", "store: {lock_wait: -1s}", "store.lock_wait: must be from 0s to 10m"},
		{"lock_wait over the limit", "store: {lock_wait: 11m}", "store.lock_wait: must be from 0s to 10m"},
		{"no secrets", "secrets: []", "must name 1 to 16 files"},
		{"a secret twice", "secrets: [a, a]", "secrets[1]: is in the list twice"},

		{"lifetime over the limit", "access_token: {lifetime: 61m}", "access_token.lifetime: must be from 1s to 1h"},
		{"lifetime in fractions", "access_token: {lifetime: 1500ms}", "must be whole seconds"},
		{"leeway over the limit", "access_token: {leeway: 61s}", "access_token.leeway: must be from 0s to 1m"},
		{"leeway below zero", "access_token: {leeway: -1s}", "must be from 0s to 1m"},
		{"algorithm none", "access_token: {algorithm: none}", "must be one of ES256, EdDSA, RS256"},
		{"algorithm HS256", "access_token: {algorithm: HS256}", "must be one of ES256, EdDSA, RS256"},
		{"17 audiences", "access_token: {audience: [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q]}", "must name at most 16 audiences"},
		{"an empty audience", `access_token: {audience: [""]}`, "access_token.audience[0]"},
		{"publish too short", "keys: {publish_before: 9s}", "keys.publish_before: must be from 10s to 720h"},
		{"rotation inside publishing", "keys: {rotate_every: 1h, publish_before: 1h}", "must be at least twice keys.publish_before (1h)"},

		{"idle over absolute", "session: {idle_timeout: 721h}", "721h is longer than session.absolute_timeout (720h)"},
		{"lifetime over idle", "session: {idle_timeout: 4m}", "session.idle_timeout: 4m is shorter than access_token.lifetime (5m)"},
		{"update age over idle", "session: {update_age: 169h}", "longer than session.idle_timeout"},
		{"on_limit", "session: {on_limit: evict}", "must be one of evict_oldest"},
		{"max per user", "session: {max_per_user: -1}", "from 0 (no limit)"},
		{"window", "refresh: {concurrency_window: 6m}", "refresh.concurrency_window: must be from 0s to 5m"},
		{"late retry", "refresh: {late_retry: maybe}", "must be one of allow, revoke"},
		{"binding", "binding: {ip: strict}", "must be one of off, log, step_up, enforce"},

		{"cookie prefix", "cookies: {prefix: \"a;b\"}", "cookies.prefix: must be"},
		{"cookie prefix reserved", "cookies: {prefix: __Host-x}", "cookies.prefix: must be"},
		{"insecure over https", "issuer: https://a.example\ncookies: {secure: never}", "config.yaml:2: cookies.secure: never is for plain http"},
		{"SameSite none without Secure", "cookies: {same_site: none}", "none needs Secure"},
		{"host with a domain", "issuer: https://a.example\ncookies: {secure: host, domain: a.example}", "must be empty with cookies.secure: host"},
		{"a domain in capitals", "issuer: https://a.example\ncookies: {domain: A.example}", "must be a domain name such as example.com: a.example"},
		{"a domain in Unicode", "issuer: https://xn--bcher-kva.example\ncookies: {domain: .bücher.example}", "must be a domain name such as example.com: xn--bcher-kva.example"},
		{"another's domain", "issuer: https://a.example\ncookies: {domain: b.example}", "must be the issuer's host (a.example)"},
		{"a look-alike domain", "issuer: https://evila.example\ncookies: {domain: a.example}", "must be the issuer's host"},

		{"origin *", `cors: {allowed_origins: ["*"]}`, "must be an exact origin"},
		{"origin null", `cors: {allowed_origins: ["null"]}`, "must be an exact origin"},
		{"origin with a path", "cors: {allowed_origins: [https://a.example/]}", "must be an exact origin"},
		{"origin with a wildcard of one label", `cors: {allowed_origins: ["https://*.example"]}`, "must be an exact origin, or https://*.suffix"},
		{"origin with a wildcard over http", `cors: {allowed_origins: ["http://*.a.example"]}`, "must be an exact origin, or https://*.suffix"},
		{"origin file", `cors: {allowed_origins: ["file://"]}`, "must be an exact origin: null, file"},
		{"origin in capitals", "cors: {allowed_origins: [https://A.example]}", "as browsers send it: https://a.example"},
		{"origin in Unicode", "cors: {allowed_origins: [https://bücher.example]}", "as browsers send it: https://xn--bcher-kva.example"},
		{"origin of an app with a slash", "cors: {allowed_origins: [\"myapp:///\"]}", "as browsers send it: myapp://"},
		{"origin with the default port", "cors: {allowed_origins: [https://a.example:443]}", "must be an exact origin"},
		{"base path", "better_auth: {base_path: api}", "must be a path"},
		{"base path of ours", "better_auth: {base_path: /v1/auth}", "/v1 belongs to the issuer"},

		{"two keys of a name", "service_keys: [{name: a, sha256: " + hash + ", scopes: [admin]}, {name: a, sha256: " + strings.Repeat("cd", 32) + ", scopes: [admin]}]", "service_keys[1].name: two keys are called a"},
		{"two names of a key", "service_keys: [{name: a, sha256: " + hash + ", scopes: [admin]}, {name: b, sha256: " + hash + ", scopes: [admin]}]", "service_keys[1].sha256: another name"},
		{"hash in capitals", "service_keys: [{name: a, sha256: " + strings.ToUpper(hash) + ", scopes: [admin]}]", "64 lower-case hex digits"},
		{"no scopes", "service_keys: [{name: a, sha256: " + hash + "}]", "service_keys[0].scopes: must name at least one"},
		{"a scope twice", "service_keys: [{name: a, sha256: " + hash + ", scopes: [admin, admin]}]", "scopes[1]: is in the list twice"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := load(t, c.text)
			got := faults(t, err)
			if len(got) != 1 || !strings.Contains(got[0], c.want) {
				t.Errorf("got %q, want one fault with %q", got, c.want)
			}
			if !strings.Contains(got[0], "config.yaml:") {
				t.Errorf("fault %q does not name its line", got[0])
			}
		})
	}
}

// What is refused may be a secret that was put in the wrong place.
func TestFaultsKeepSecrets(t *testing.T) {
	const canary = "sk_CANARYcanaryCANARYcanaryCANARYcanaryCANARY12"
	for _, text := range []string{
		"service_keys: [{name: a, sha256: " + canary + ", scopes: [admin]}]",
		"service_keys: " + canary,
		"store: {dsn: " + canary + "}",
		"store: {driver: postgres, dsn: [" + canary + "]}",
		"store: {driver: postgres, listen_dsn: " + canary + "}",
		"store: {driver: postgres, dsn: " + canary + ", notify: " + canary + "}",
		"secrets: {" + canary + "}",
		"issuer: https://a:" + canary + "@a.example",
		"log: {level: " + canary + "}",
		"session: {idle_timeout: " + canary + "}",
	} {
		_, err := load(t, text)
		if strings.Contains(strings.Join(faults(t, err), "\n"), "CANARY") {
			t.Errorf("%s: the fault quotes it: %v", text, err)
		}
	}
	for _, variable := range []string{"ISSUER_STORE_DSN=", "ISSUER_STORE_LISTEN_DSN=", "ISSUER_SERVICE_KEYS=", "ISSUER_SERVICE_KEYS=[{\"name\": ", "ISSUER_SESSION_HISTORY="} {
		_, err := load(t, "", variable+canary)
		if strings.Contains(strings.Join(faults(t, err), "\n"), "CANARY") {
			t.Errorf("%s: the fault quotes it: %v", variable, err)
		}
	}
}

// The name of a key is the user's text too: it stays on its line.
func TestUnknownKeyOnOneLine(t *testing.T) {
	_, err := load(t, `"a\nb\u001b[31m`+strings.Repeat("x", 5000)+`": 1`)
	got := faults(t, err)
	if len(got) != 1 || len(got[0]) > 500 || strings.Contains(got[0], "\x1b") {
		t.Errorf("got %q", got)
	}
}

func TestFileTooLarge(t *testing.T) {
	_, err := load(t, "#"+strings.Repeat("x", 1<<20))
	if err == nil || !strings.Contains(err.Error(), "larger than") {
		t.Errorf("got %v, want a refusal of the size", err)
	}
}

func FuzzLoad(f *testing.F) {
	for _, seed := range []string{
		"issuer: http://localhost:8080\n", "store: {path: [}", "a: &a [*a]", "? {x: y}\n: z",
		"service_keys: [{name: a, sha256: b, scopes: [c]}]", "session:\n  idle_timeout: 1h\n---\n",
	} {
		f.Add(seed, "ISSUER_STORE_PATH", "x")
	}
	f.Fuzz(func(t *testing.T, text, name, value string) {
		c, err := load(t, text, name+"="+value)
		var found config.Faults
		switch {
		case err == nil && c == nil:
			t.Fatal("neither a configuration nor an error")
		case errors.As(err, &found) && len(found) == 0:
			t.Fatal("an error without a fault")
		}
	})
}
