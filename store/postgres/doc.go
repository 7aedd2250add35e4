// Package postgres is the store that many issuers share: a PostgreSQL database (15 or later), or
// what has its protocol.
package postgres
