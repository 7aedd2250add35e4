-- +goose Up

-- One row an issuer: which verifiers follow it, for the list that every issuer shows. posted_at is the
-- database's clock.
CREATE TABLE verifier_postings (
    issuer    text        PRIMARY KEY,
    posted_at timestamptz NOT NULL,
    document  bytea       NOT NULL
);
CREATE INDEX verifier_postings_by_time ON verifier_postings (posted_at);

UPDATE issuer_schema SET version = 2;
