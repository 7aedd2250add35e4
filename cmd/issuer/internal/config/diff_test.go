package config_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"issuer.example/cmd/issuer/internal/config"
)

// Every key is compared, and adopted alone.
func TestChanged(t *testing.T) {
	from, to := config.Default(), config.Default()
	to.TrustedProxies, from.ServiceKeys = nil, nil // an empty list is none
	if got := config.Changed(from, to); len(got) > 0 {
		t.Errorf("nothing has changed: %q", got)
	}
	to.Listen, to.Log.Level, to.Secrets = ":1", "debug", []string{"b", "a"}
	to.ServiceKeys = []config.ServiceKey{{Name: "a"}}
	want := []string{"listen", "secrets", "service_keys", "log.level"}
	if got := config.Changed(from, to); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	for _, key := range want {
		got := config.Adopt(from, to, []string{key})
		if changed := config.Changed(from, got); !slices.Equal(changed, []string{key}) {
			t.Errorf("%s: adopted %q", key, changed)
		}
	}
	if diff := cmp.Diff(to.ServiceKeys, config.Adopt(from, to, want).ServiceKeys); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if from.Listen != config.Default().Listen {
		t.Error("Adopt has changed its argument")
	}
}
