package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"
)

// checkSchema is a place holder: this file goes when the migrations come.
func checkSchema(context.Context, *pgx.Conn) error { return nil }
