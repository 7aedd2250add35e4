package postgres

import (
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5/pgxpool"
)

// poolConfig reads the configuration of the connections. (part E completes it: password file, TLS, hosts,
// statement mode; nobody else edits this file)
func poolConfig(cfg Config) (*pgxpool.Config, error) {
	if cfg.DSN == "" {
		return nil, errors.New("postgres: DSN is required")
	}
	c, err := pgxpool.ParseConfig(cfg.DSN)
	if err != nil {
		return nil, fmt.Errorf("postgres: %w", err)
	}
	return c, nil
}
