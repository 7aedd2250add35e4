package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"

	"issuer.example/cmd/issuer/internal/config"
	"issuer.example/handlers"
	"issuer.example/keys"
	"issuer.example/secret"
	"issuer.example/session/refresh"
)

// reloadable lists the keys of the configuration whose values can change while the issuer runs.
func reloadable() []string {
	return []string{
		"secrets", "service_keys", "cors.allowed_origins", "trusted_proxies", "hosts", "log.level",
		"limits.connections", "limits.feed_streams", "limits.feed_streams_per_key",
	}
}

// live is the configuration that holds now.
type live struct {
	mu       sync.Mutex // one reload at a time
	settings *config.Config
	secrets  []secret.Secret
}

// Reload reads the configuration anew and adopts what can change while the issuer runs, all of it
// or nothing. Requests and streams that are under way go on. It logs what changed, and names the
// keys that need a restart. The error wraps [handlers.ErrNotReloaded] if something is wrong with
// the configuration.
func (s *Server) Reload(ctx context.Context) (handlers.Reloaded, error) {
	s.live.mu.Lock()
	defer s.live.mu.Unlock()
	done, err := s.reload(ctx)
	if err != nil {
		s.log.ErrorContext(ctx, "the configuration is not reloaded", "error", err)
		return handlers.Reloaded{}, err
	}
	for _, key := range done.RestartNeeded {
		s.log.WarnContext(ctx, "a changed setting needs a restart", "key", key)
	}
	s.log.InfoContext(ctx, "configuration reloaded", "changed", done.Changed, "restart_needed", done.RestartNeeded)
	return done, nil
}

func (s *Server) reload(ctx context.Context) (handlers.Reloaded, error) {
	if s.cfg.Load == nil {
		return handlers.Reloaded{}, fmt.Errorf("%w: it has no source", handlers.ErrNotReloaded)
	}
	read, err := s.cfg.Load()
	if err != nil {
		return handlers.Reloaded{}, fmt.Errorf("%w: %w", handlers.ErrNotReloaded, err)
	}
	next := settingsChange{before: s.live.settings, oldSecrets: s.live.secrets}
	done := next.choose(read)
	if next.newSecrets, err = loadSecrets(next.after.Secrets); err != nil {
		return handlers.Reloaded{}, fmt.Errorf("%w: %w", handlers.ErrNotReloaded, err)
	}
	if !sameSecrets(next.oldSecrets, next.newSecrets) && !slices.Contains(done.Changed, "secrets") {
		done.Changed = append(done.Changed, "secrets") // another content of the same file
	}
	if err := s.adopt(ctx, &next); err != nil {
		return handlers.Reloaded{}, err
	}
	s.live.settings, s.live.secrets = next.after, next.newSecrets
	next.log(s.log)
	return done, nil
}

// choose takes those of the settings that were read which can change now.
func (c *settingsChange) choose(read *config.Config) handlers.Reloaded {
	done := handlers.Reloaded{Changed: []string{}, RestartNeeded: []string{}}
	for _, key := range config.Changed(c.before, read) {
		if slices.Contains(reloadable(), key) {
			done.Changed = append(done.Changed, key)
		} else {
			done.RestartNeeded = append(done.RestartNeeded, key)
		}
	}
	c.after = config.Adopt(c.before, read, done.Changed)
	return done
}

// adopt makes the settings hold. First comes all that can fail.
func (s *Server) adopt(ctx context.Context, next *settingsChange) error {
	cfg := s.cfg
	cfg.Settings = next.after
	var level slog.Level
	if err := level.UnmarshalText([]byte(next.after.Log.Level)); err != nil {
		return fmt.Errorf("%w: log.level: %w", handlers.ErrNotReloaded, err)
	}
	ring, err := refresh.NewKeyring(refreshKeys(next.newSecrets))
	if err != nil {
		return fmt.Errorf("%w: %w", handlers.ErrNotReloaded, err)
	}
	h, err := s.parts.handlersConfig(cfg, next.newSecrets)
	if err != nil {
		return fmt.Errorf("%w: %w", handlers.ErrNotReloaded, err)
	}
	h.Reload = s.Reload
	commit, err := s.parts.handlers.Prepare(h)
	if err != nil {
		return fmt.Errorf("%w: %w", handlers.ErrNotReloaded, err)
	}
	if err := s.useSecrets(ctx, next); err != nil {
		return err
	}
	s.parts.sessions.UseRefreshKeys(ring)
	commit()
	s.parts.feed.SetLimits(feedStreams(next.after), next.after.Limits.FeedStreamsPerKey)
	s.public.listener.setLimit(next.after.Limits.Connections)
	if s.cfg.SetLogLevel != nil {
		s.cfg.SetLogLevel(level)
	}
	return nil
}

// useSecrets seals the signing keys with the new secrets, if those are not the old ones.
func (s *Server) useSecrets(ctx context.Context, next *settingsChange) error {
	if sameSecrets(next.oldSecrets, next.newSecrets) {
		return nil
	}
	err := s.parts.keys.UseSecrets(ctx, next.newSecrets)
	if errors.Is(err, keys.ErrWrongSecret) {
		return fmt.Errorf("%w: secrets: a secret that was removed still seals a signing key; name the new one first and keep the old one after it: %w",
			handlers.ErrNotReloaded, err)
	}
	return err
}

// sameSecrets reports whether two lists hold the same secrets in the same order.
func sameSecrets(a, b []secret.Secret) bool { return slices.EqualFunc(a, b, isSame) }

func isSame(a, b secret.Secret) bool {
	const purpose = "comparison"
	return a.Derive(purpose) == b.Derive(purpose)
}
