package archtest_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"issuer.example/internal/archtest"
)

func TestRepository(t *testing.T) {
	breaches, err := archtest.Check("../..", "issuer.example", archtest.Law())
	if err != nil {
		t.Fatal(err)
	}
	for _, breach := range breaches {
		t.Error(breach)
	}
}

// Each fixture breaks the table in one way, and Check finds it.
func TestBreaches(t *testing.T) {
	law := map[string]archtest.Rule{
		"inner": {Doors: []string{"example.org/jwx/jwk"}},
		"outer": {Ours: []string{"inner"}},
	}
	const good = "package inner\n\nimport _ \"example.org/jwx/jwk\"\n"
	for _, c := range []struct {
		name  string
		files map[string]string
		law   map[string]archtest.Rule
		want  []string
	}{
		{
			name: "nothing wrong",
			files: map[string]string{
				"inner/a.go": good, "outer/b.go": "package outer\n\nimport (\n\t_ \"fmt\"\n\t_ \"m.example/inner\"\n)\n",
				"inner/a_test.go":     "package inner_test\n\nimport (\n\t_ \"github.com/google/go-cmp/cmp\"\n\t_ \"m.example/outer\"\n)\n",
				"tools/go.mod":        "module x\n",
				"tools/x/x.go":        "package x\n\nimport _ \"example.org/else\"\n",
				"inner/testdata/x.go": "package x\n\nimport _ \"example.org/else\"\n",
			},
		},
		{
			name:  "a part of a package shares its doors",
			files: map[string]string{"inner/a.go": good, "inner/internal/part/c.go": strings.Replace(good, "package inner", "package part", 1), "outer/b.go": "package outer\n"},
			law: map[string]archtest.Rule{
				"inner": {Doors: []string{"example.org/jwx/jwk"}}, "inner/internal/part": {Doors: []string{"example.org/jwx/jwk"}}, "outer": {},
			},
		},
		{
			name:  "inwards only",
			files: map[string]string{"inner/a.go": good, "inner/b.go": "package inner\n\nimport _ \"m.example/outer\"\n", "outer/b.go": "package outer\n"},
			want:  []string{"inner imports outer, which its rule does not allow"},
		},
		{
			name:  "a second door",
			files: map[string]string{"inner/a.go": good, "outer/b.go": good},
			want:  []string{"outer imports example.org/jwx/jwk, which is not one of its doors"},
		},
		{
			name:  "a second door, behind a build tag",
			files: map[string]string{"inner/a.go": good, "outer/b.go": "//go:build never\n\n" + good},
			want:  []string{"outer imports example.org/jwx/jwk, which is not one of its doors"},
		},
		{
			name:  "a second door in a test",
			files: map[string]string{"inner/a.go": good, "outer/b.go": "package outer\n", "outer/b_test.go": good},
			want:  []string{"a test of outer imports example.org/jwx/jwk, which is not one of its doors"},
		},
		{
			name:  "the banned neighbour of a door",
			files: map[string]string{"inner/a.go": "package inner\n\nimport _ \"example.org/jwx/jwt\"\n", "outer/b.go": "package outer\n"},
			want:  []string{"inner imports example.org/jwx/jwt, which is not one of its doors"},
		},
		{
			name:  "the banned neighbour, whose name begins alike",
			files: map[string]string{"inner/a.go": "package inner\n\nimport _ \"example.org/jwx/jwkset\"\n", "outer/b.go": "package outer\n"},
			want:  []string{"inner imports example.org/jwx/jwkset, which is not one of its doors"},
		},
		{
			name:  "not in the table",
			files: map[string]string{"inner/a.go": good, "outer/b.go": "package outer\n", "util/c.go": "package util\n"},
			want:  []string{"util is not in the table"},
		},
		{
			name:  "only in the table",
			files: map[string]string{"inner/a.go": good},
			want:  []string{"outer is in the table, but there is no such package"},
		},
		{
			name:  "two doors in the table",
			files: map[string]string{"inner/a.go": good, "outer/b.go": "package outer\n"},
			law: map[string]archtest.Rule{
				"inner": {Doors: []string{"example.org/jwx/jwk"}}, "outer": {Doors: []string{"example.org/jwx"}},
			},
			want: []string{"example.org/jwx has two doors: inner and outer"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.law == nil {
				c.law = law
			}
			got, err := archtest.Check(write(t, c.files), "m.example", c.law)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestBrokenFile(t *testing.T) {
	root := write(t, map[string]string{"inner/a.go": "package"})
	if _, err := archtest.Check(root, "m.example", nil); err == nil {
		t.Error("a file that does not parse passes")
	}
}

func write(t *testing.T, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, text := range files {
		name = filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return root
}
