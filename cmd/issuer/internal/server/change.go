package server

import (
	"log/slog"
	"slices"

	"issuer.example/cmd/issuer/internal/config"
	"issuer.example/secret"
)

// settingsChange is a change of the settings.
type settingsChange struct {
	before, after          *config.Config
	oldSecrets, newSecrets []secret.Secret
}

// log logs what has changed. It logs no secret and no hash of a key.
func (c *settingsChange) log(log *slog.Logger) {
	added := slices.DeleteFunc(slices.Clone(c.newSecrets), contains(c.oldSecrets))
	removed := slices.DeleteFunc(slices.Clone(c.oldSecrets), contains(c.newSecrets))
	if !sameSecrets(c.oldSecrets, c.newSecrets) {
		log.Info("setting changed", "key", "secrets", "files", c.after.Secrets, "added", len(added), "removed", len(removed))
	}
	for _, list := range []struct {
		key           string
		before, after []string
	}{
		{"cors.allowed_origins", c.before.CORS.AllowedOrigins, c.after.CORS.AllowedOrigins},
		{"trusted_proxies", c.before.TrustedProxies, c.after.TrustedProxies},
		{"hosts", c.before.Hosts, c.after.Hosts},
	} {
		logList(log, list.key, list.before, list.after)
	}
	logServiceKeys(log, c.before.ServiceKeys, c.after.ServiceKeys)
	for _, value := range []struct {
		key           string
		before, after any
	}{
		{"limits.connections", c.before.Limits.Connections, c.after.Limits.Connections},
		{"limits.feed_streams", c.before.Limits.FeedStreams, c.after.Limits.FeedStreams},
		{"limits.feed_streams_per_key", c.before.Limits.FeedStreamsPerKey, c.after.Limits.FeedStreamsPerKey},
		{"log.level", c.before.Log.Level, c.after.Log.Level},
	} {
		if value.before != value.after {
			log.Info("setting changed", "key", value.key, "from", value.before, "to", value.after)
		}
	}
}

func contains(list []secret.Secret) func(secret.Secret) bool {
	return func(s secret.Secret) bool {
		return slices.ContainsFunc(list, func(other secret.Secret) bool { return isSame(s, other) })
	}
}

// logServiceKeys logs the names of the service keys that differ.
func logServiceKeys(log *slog.Logger, before, after []config.ServiceKey) {
	known := make(map[string]config.ServiceKey, len(before))
	for _, k := range before {
		known[k.Name] = k
	}
	var replaced []string
	for _, k := range after {
		old, ok := known[k.Name]
		if ok && (old.SHA256 != k.SHA256 || !slices.Equal(old.Scopes, k.Scopes)) {
			replaced = append(replaced, k.Name)
		}
	}
	if len(replaced) > 0 {
		log.Info("setting changed", "key", "service_keys", "replaced", replaced)
	}
	logList(log, "service_keys", keyNames(before), keyNames(after))
}

func keyNames(list []config.ServiceKey) []string {
	names := make([]string, len(list))
	for i, k := range list {
		names[i] = k.Name
	}
	return names
}

// logList logs which items a list has gained and lost.
func logList(log *slog.Logger, key string, before, after []string) {
	added := slices.DeleteFunc(slices.Clone(after), func(item string) bool { return slices.Contains(before, item) })
	removed := slices.DeleteFunc(slices.Clone(before), func(item string) bool { return slices.Contains(after, item) })
	if len(added)+len(removed) > 0 {
		log.Info("setting changed", "key", key, "added", added, "removed", removed)
	}
}
