-- +goose NO TRANSACTION
-- +goose Up
ALTER TABLE sessions ADD COLUMN IF NOT EXISTS origin text;
SET lock_timeout = 0;
DROP INDEX CONCURRENTLY IF EXISTS sessions_by_origin;
CREATE INDEX CONCURRENTLY sessions_by_origin ON sessions (origin) WHERE origin IS NOT NULL;
UPDATE issuer_schema SET version = VERSION;
