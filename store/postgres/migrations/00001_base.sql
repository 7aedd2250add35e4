-- +goose Up

-- What the tables are. Each migration sets version to its number, and raises oldest_program when programs whose newest
-- migration is older than that can't work with the tables any more.
CREATE TABLE issuer_schema (
    id             boolean PRIMARY KEY CHECK (id),
    version        bigint  NOT NULL,
    oldest_program bigint  NOT NULL
);
INSERT INTO issuer_schema VALUES (true, 1, 1);

-- One row a session: what was true at sign-in, and what refreshing changes. Every write gives it a new random
-- version, which is what a compare-and-set compares.
CREATE TABLE sessions (
    sid                 uuid        PRIMARY KEY,
    user_id             text        NOT NULL,
    client_id           text        NOT NULL,
    email               text        NOT NULL,
    name                text        NOT NULL,
    image               text        NOT NULL,
    claims              json,
    audience            text[],
    scope               text        NOT NULL,
    amr                 text[],
    acr                 text        NOT NULL,
    label               text        NOT NULL,
    ip                  inet,
    user_agent          text        NOT NULL,
    created_at          timestamptz NOT NULL,
    auth_time           timestamptz NOT NULL,
    expires_at          timestamptz NOT NULL,
    idle_timeout_ms     bigint      NOT NULL,
    unclaimed           boolean     NOT NULL,
    replaces            uuid,
    -- The columns that a refresh changes. None of them is in an index, so that the update stays on its page (HOT). They
    -- are behind those that it does not change, so that WAL has only the rest of the row, from the first that differs.
    version             bigint      NOT NULL,
    generation          bigint      NOT NULL,
    branch              bytea       NOT NULL,
    key_id              smallint    NOT NULL,
    apart               smallint    NOT NULL,
    was_due             boolean     NOT NULL,
    redeemed_at         timestamptz NOT NULL,
    last_seen_at        timestamptz NOT NULL,
    seen_before         timestamptz,
    redeemed_ip         inet,
    redeemed_user_agent text, -- null: that of the sign-in
    last_ip             inet,
    last_user_agent     text, -- null: that of the sign-in
    reuse_generation    bigint,
    reuse_ip            inet,
    reuse_user_agent    text,
    -- When a sweep is to look at it. A refresh does not move it.
    due_at              timestamptz NOT NULL,
    ended_at            timestamptz,
    end_reason          text
) WITH (fillfactor = 80);
CREATE INDEX sessions_live_by_user ON sessions (user_id, sid) WHERE ended_at IS NULL;
CREATE INDEX sessions_ended_by_user ON sessions (user_id, sid) WHERE ended_at IS NOT NULL;
CREATE INDEX sessions_by_due ON sessions (due_at);

-- Serialises what concerns a user as a whole: sign-ins and marks. newest is the greatest identifier that a session or
-- a mark of the user was given.
CREATE TABLE users (
    user_id text PRIMARY KEY,
    newest  uuid NOT NULL
) WITH (fillfactor = 80);

-- The newest mark of each scope: 'e' (everything), 'u:' and a user, 'c:' and a client.
CREATE TABLE marks (
    scope     text        PRIMARY KEY,
    sid       uuid        NOT NULL,
    marked_at timestamptz NOT NULL,
    until     timestamptz NOT NULL,
    reason    text        NOT NULL,
    change    bigint      NOT NULL,
    settled   boolean     NOT NULL, -- every session under it that a pass could see has an end of its own on record
    set_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    passed_at timestamptz,          -- when the last complete pass over the sessions under it began
    retired   boolean     NOT NULL DEFAULT false -- verifiers have forgotten it: it waits for a late pass
);
CREATE INDEX marks_settled ON marks (settled, until);

-- Facts that have no number yet. A writer adds its own in its transaction and waits for nobody. It is a queue: rows
-- come and go, so that it is vacuumed by their number and not by their share.
CREATE TABLE pending_facts (
    written_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    id         uuid        NOT NULL,
    kind       smallint    NOT NULL,
    at         timestamptz NOT NULL,
    sid        uuid,
    scope      text        NOT NULL,
    key_id     text        NOT NULL,
    what       text        NOT NULL,
    by_client  text        NOT NULL,
    until      timestamptz,
    PRIMARY KEY (written_at, id)
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000, vacuum_truncate = false);

-- The journal: facts with their numbers, in commit order and without gaps.
CREATE TABLE facts (
    number     bigint      PRIMARY KEY,
    revocation bigint,
    kind       smallint    NOT NULL,
    at         timestamptz NOT NULL,
    sid        uuid,
    scope      text        NOT NULL,
    key_id     text        NOT NULL,
    what       text        NOT NULL,
    by_client  text        NOT NULL,
    until      timestamptz
);
CREATE UNIQUE INDEX facts_by_revocation ON facts (revocation) WHERE revocation IS NOT NULL;

-- The newest numbers, and the first that are kept. Its only row is locked by whoever gives numbers.
CREATE TABLE log_head (
    id               integer PRIMARY KEY CHECK (id = 1),
    number           bigint  NOT NULL,
    revocation       bigint  NOT NULL,
    first_number     bigint  NOT NULL,
    first_revocation bigint  NOT NULL
) WITH (fillfactor = 10);
INSERT INTO log_head VALUES (1, 0, 0, 1, 1);

-- The sealed document of signing keys.
CREATE TABLE key_set (
    id       boolean PRIMARY KEY CHECK (id),
    version  bigint  NOT NULL,
    document bytea   NOT NULL
);

-- One row an issuer: no token of it is dated later than latest.
CREATE TABLE issuer_clocks (
    issuer uuid        PRIMARY KEY,
    latest timestamptz NOT NULL
);
CREATE INDEX issuer_clocks_by_latest ON issuer_clocks (latest);
