package postgres_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"issuer.example/store/postgres"
)

// A DSN that cannot be read says what is wrong with it.
func TestDSNProblems(t *testing.T) {
	dir := t.TempDir()
	empty := filepath.Join(dir, "ca.pem")
	if err := os.WriteFile(empty, []byte("no certificate"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ dsn, want string }{
		{"", "it is empty"},
		{" ", "it is empty"},
		{strings.Repeat("x", 8193), "longer than 8192 bytes"},
		{"postgres:/u@h/d", "cannot be read; write postgres://user@host:5432/database"},
		{"db.example.com", "cannot be read"},
		{"postgres://u@h:x/d", "its port must be a number"},
		{"host=h port=0", "its port must be a number"},
		{"host=a,b port=1,2,3", "one port for all hosts, or one for each"},
		{"postgres://u@h/d?sslmod=require", "an unknown parameter, which may be a typo; known are host, port"},
		{"host=h pool_max_conns=3", "an unknown parameter"},
		{"postgres://u@h/d?sslmode=verify", "its sslmode must be disable, allow"},
		{"postgres://u@h/d?target_session_attrs=write", "must be read-write, primary or any"},
		{"postgres://u@h/d?connect_timeout=soon", "its connect_timeout must be a number of seconds"},
		{"postgres://u@h/d?sslmode=verify-full&sslrootcert=" + filepath.Join(dir, "none.pem"), "none.pem: no such file"},
		{"postgres://u@h/d?sslmode=verify-full&sslrootcert=" + empty, "a file without a certificate"},
		{"postgres://u@h/d?sslmode=require&sslcert=" + empty, "both of sslcert and sslkey"},
		{"postgres://u@h/d?sslmode=require&sslcert=" + empty + "&sslkey=" + empty, "a file without a private key"},
		{"host=h service=x servicefile=" + empty, "its service cannot be read"},
	} {
		_, err := postgres.Check(t.Context(), postgres.Config{DSN: c.dsn})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.dsn, err, c.want)
		}
	}
}

// A password stays secret, in whatever way the DSN around it is wrong.
func TestDSNKeepsPassword(t *testing.T) {
	for _, password := range []string{
		"CANARY", "CANARY/CANARY", "CANARY@CANARY", "CANARY:CANARY", "CANARY?CANARY", "CANARY#CANARY", "CANARY%CANARY", "CANARY CANARY",
		"CANARY'CANARY", `CANARY\CANARY`, "CANARY=CANARY", "CANARY?sslmode=CANARY", "CANARY/CANARY@CANARY:1", "CANARY,CANARY@CANARY",
		"/CANARY", "@CANARY", "%zzCANARY", "[CANARY", "CANARY\x00CANARY", "CANARY&CANARY=CANARY", "1/CANARY?CANARY",
	} {
		for _, dsn := range []string{
			"postgres://u:PW@127.0.0.1:1/d", "postgresql://u:PW@127.0.0.1:1,127.0.0.1:1/d?sslmode=disable", "postgres://u:PW@127.0.0.1:x/d",
			"postgres:/u:PW@127.0.0.1/d", "u:PW@127.0.0.1:1/d", "postgres://127.0.0.1:1/d?user=u&password=PW", "postgres://u@127.0.0.1:1/d?pasword=PW",
			"host=127.0.0.1 port=1 user=u password=PW dbname=d", "host=127.0.0.1 port=1 password='PW' sslmod=x", "password=PW host", "pasword=PW",
			"postgres://u:PW@127.0.0.1:1/d?sslmode=x", "postgres://u:PW@127.0.0.1:1/d?application_name=PW",
		} {
			dsn = strings.ReplaceAll(dsn, "PW", password)
			for _, cfg := range []postgres.Config{{DSN: dsn}, {DSN: "host=127.0.0.1 port=1 user=u", ListenDSN: dsn}} {
				_, err := postgres.Check(t.Context(), cfg)
				if err == nil {
					t.Fatalf("%q: nothing listens there", dsn)
				}
				if strings.Contains(strings.ToUpper(err.Error()), "CANARY") {
					t.Errorf("%q: the error shows it: %v", dsn, err)
				}
			}
		}
	}
}

// The password file is a secret, and holds nothing else.
func TestPasswordFileProblems(t *testing.T) {
	path := filepath.Join(t.TempDir(), "password")
	write := func(text string, mode os.FileMode) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	check := func(want string) {
		t.Helper()
		_, err := postgres.Check(t.Context(), postgres.Config{DSN: "host=127.0.0.1 port=1 user=u", PasswordFile: path})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
		if err != nil && strings.Contains(err.Error(), "CANARY") {
			t.Errorf("the error shows it: %v", err)
		}
	}
	check("password file cannot be used: ")
	check("no such file")
	write("CANARY", 0o644)
	check("open to other users")
	write("", 0o600)
	check("is empty")
	write("\n", 0o600)
	check("is empty")
	write("CANARY\nCANARY\n", 0o600)
	check("more than one line")
	write("CANARY\x00", 0o600)
	check("more than one line")
	write(strings.Repeat("CANARY", 1000), 0o600)
	check("more than 4096 bytes")
	write("CANARY\r\n", 0o600)
	check("no database server listens at 127.0.0.1:1")
}
