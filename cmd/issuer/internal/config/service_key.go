package config

import (
	"errors"
	"fmt"
	"strings"

	"issuer.example/client"
)

// ServiceKey is one caller of the service and admin API. SHA256 is the SHA-256 of the whole
// key text in lower-case hex; the configuration never holds the key itself.
type ServiceKey struct {
	Name   string   `yaml:"name"`
	SHA256 string   `yaml:"sha256"`
	Scopes []string `yaml:"scopes"`
}

// Key parses the hash and the scopes. It succeeds for every key that [Load] returns.
func (k ServiceKey) Key() (client.Key, error) {
	hash, err := client.ParseHash(k.SHA256)
	if err != nil {
		return client.Key{}, err
	}
	scopes := make([]client.Scope, len(k.Scopes))
	for i, text := range k.Scopes {
		if scopes[i], err = client.ParseScope(text); err != nil {
			return client.Key{}, err
		}
	}
	return client.Key{Name: k.Name, SHA256: hash, Scopes: scopes}, nil
}

// checkServiceKeys checks each key, and that names and hashes are unique.
func (v checker) checkServiceKeys() {
	names, hashes := map[string]bool{}, map[string]bool{}
	for i, k := range v.ServiceKeys {
		key := fmt.Sprintf("service_keys[%d]", i)
		if v.broken(key) {
			continue
		}
		v.checkKeyName(key+".name", k.Name)
		if names[k.Name] {
			v.fault(key+".name", "two keys are called %s", k.Name)
		}
		if _, err := client.ParseHash(k.SHA256); err != nil {
			v.fault(key+".sha256", "must be the SHA-256 of the key: 64 lower-case hex digits, as `issuer service-key new` prints them")
		} else if hashes[k.SHA256] {
			v.fault(key+".sha256", "another name has the same key")
		}
		names[k.Name], hashes[k.SHA256] = true, true
		v.checkScopes(key+".scopes", k.Scopes)
	}
}

func (v checker) checkScopes(key string, scopes []string) {
	if len(scopes) == 0 {
		v.fault(key, "must name at least one of %s", client.ScopeNames())
	}
	v.unique(key, scopes)
	for i, scope := range scopes {
		if _, err := client.ParseScope(scope); err != nil {
			v.fault(fmt.Sprintf("%s[%d]", key, i), "unknown scope; known are %s", client.ScopeNames())
		}
	}
}

// CheckServiceKey returns what is wrong with the name and the scopes of a new service key, nil
// when both are valid.
func CheckServiceKey(name string, scopes []string) error {
	r := newReport()
	v := checker{Config: &Config{}, report: r}
	v.checkKeyName("--name", name)
	v.checkScopes("--scopes", scopes)
	if len(r.faults) > 0 {
		return errors.New(strings.ReplaceAll(r.faults.Error(), "\n", "; "))
	}
	return nil
}

func (v checker) checkKeyName(key, name string) {
	if client.CheckName(name) != nil {
		v.fault(key, "must be 1 to 64 letters, digits, dots, dashes or underscores")
	}
}
