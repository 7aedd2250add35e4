package postgres

import (
	"embed"

	_ "github.com/pressly/goose/v3" // (part C)
)

//go:embed migrations/*.sql
var migrations embed.FS
