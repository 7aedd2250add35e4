package server

import (
	"context"
	"fmt"
	"io"
	"time"

	"issuer.example/cmd/issuer/internal/config"
	"issuer.example/store"
	"issuer.example/store/bolt"
	"issuer.example/store/postgres"
)

// backupFunc writes a consistent copy of a store.
type backupFunc func(ctx context.Context, w io.Writer) error

// openStore opens the store of the driver. observe is called after each commit.
func openStore(ctx context.Context, cfg Config, observe func(callers int, took time.Duration)) (store.Backend, backupFunc, error) {
	s := cfg.Settings.Store
	if s.Driver == config.DriverPostgres {
		c := PostgresConfig(s)
		c.Logger, c.Observe = cfg.Logger, observe
		db, err := postgres.Open(ctx, c)
		if err != nil {
			return nil, nil, fmt.Errorf("opening the database: %w", err)
		}
		return db, nil, nil
	}
	db, err := bolt.Open(ctx, bolt.Config{
		Path: s.Path, Check: s.Check, FactsKeep: s.FactsKeep, LockWait: s.LockWait, Logger: cfg.Logger,
		Observe: func(commit bolt.Commit) { observe(commit.Callers, commit.Took) },
	})
	if err != nil {
		return nil, nil, err
	}
	return db, db.Backup, nil
}

// PostgresConfig is what the settings say of a database.
func PostgresConfig(s config.Store) postgres.Config {
	return postgres.Config{
		DSN: s.DSN, ListenDSN: s.ListenDSN, PasswordFile: s.PasswordFile,
		Notify: postgres.Notify(s.Notify), PollInterval: s.PollInterval,
		MaxConnections: s.MaxConnections, StatementTimeout: s.StatementTimeout,
		NoPreparedStatements: !s.PreparedStatements, RequireSynchronous: s.RequireSynchronous,
		FactsKeep: s.FactsKeep,
	}
}
