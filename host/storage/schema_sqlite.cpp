#include "storage/schema_sqlite.h"

#include <array>

namespace calhost::storage {
namespace {

// Times are milliseconds since 1970, booleans 0 or 1. Empty text means "none" where the structs say
// so; NULL only where they have an optional.
constexpr std::string_view kStep1 = R"sql(
CREATE TABLE users (
    id                TEXT PRIMARY KEY,
    email             TEXT NOT NULL,
    email_key         TEXT NOT NULL UNIQUE,
    is_email_verified INTEGER NOT NULL,
    name              TEXT NOT NULL,
    role              TEXT NOT NULL,
    time_zone         TEXT NOT NULL,
    password_hash     TEXT NOT NULL,
    created_at        INTEGER NOT NULL
) STRICT;

CREATE TABLE connections (
    id                   TEXT PRIMARY KEY,
    user_id              TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    provider             TEXT NOT NULL,
    account              TEXT NOT NULL,
    external_id          TEXT NOT NULL,
    email                TEXT NOT NULL,
    calendar_id          TEXT NOT NULL,
    purpose              TEXT NOT NULL,
    sync_enabled         INTEGER NOT NULL,
    sync_mode            TEXT NOT NULL,
    state                TEXT NOT NULL,
    scopes               TEXT NOT NULL,
    sealed_access_token  TEXT NOT NULL,
    sealed_refresh_token TEXT NOT NULL,
    token_type           TEXT NOT NULL,
    token_expires_at     INTEGER,
    generation           INTEGER NOT NULL,
    last_synced_at       INTEGER,
    last_error           TEXT NOT NULL,
    blocked_until        INTEGER,
    connected_at         INTEGER NOT NULL,
    updated_at           INTEGER NOT NULL,
    UNIQUE (user_id, provider, account)
) STRICT;

CREATE TABLE oauth_states (
    hash            TEXT PRIMARY KEY,
    user_id         TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    provider        TEXT NOT NULL,
    account         TEXT NOT NULL,
    purpose         TEXT NOT NULL,
    redirect_uri    TEXT NOT NULL,
    return_to       TEXT NOT NULL,
    flow            TEXT NOT NULL,
    browser_hash    TEXT NOT NULL,
    sealed_verifier TEXT NOT NULL,
    created_at      INTEGER NOT NULL,
    expires_at      INTEGER NOT NULL,
    used_at         INTEGER
) STRICT;
CREATE INDEX oauth_states_user ON oauth_states (user_id);
CREATE INDEX oauth_states_expiry ON oauth_states (expires_at);

CREATE TABLE connect_links (
    hash       TEXT PRIMARY KEY,
    user_id    TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    provider   TEXT NOT NULL,
    account    TEXT NOT NULL,
    purpose    TEXT NOT NULL,
    return_to  TEXT NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX connect_links_user ON connect_links (user_id);
CREATE INDEX connect_links_expiry ON connect_links (expires_at);

CREATE TABLE pending_grants (
    hash         TEXT PRIMARY KEY,
    user_id      TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    provider     TEXT NOT NULL,
    account      TEXT NOT NULL,
    sealed_grant TEXT NOT NULL,
    expires_at   INTEGER NOT NULL
) STRICT;
CREATE INDEX pending_grants_user ON pending_grants (user_id);
CREATE INDEX pending_grants_expiry ON pending_grants (expires_at);

CREATE TABLE calendars (
    connection_id TEXT NOT NULL REFERENCES connections (id) ON DELETE CASCADE,
    id            TEXT NOT NULL,
    position      INTEGER NOT NULL,
    name          TEXT NOT NULL,
    is_primary    INTEGER NOT NULL,
    is_read_only  INTEGER NOT NULL,
    color         TEXT NOT NULL,
    time_zone     TEXT NOT NULL,
    PRIMARY KEY (connection_id, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE cursors (
    connection_id TEXT NOT NULL REFERENCES connections (id) ON DELETE CASCADE,
    calendar_id   TEXT NOT NULL,
    cursor        TEXT NOT NULL,
    saved_at      INTEGER NOT NULL,
    PRIMARY KEY (connection_id, calendar_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE events (
    connection_id TEXT NOT NULL REFERENCES connections (id) ON DELETE CASCADE,
    calendar_id   TEXT NOT NULL,
    id            TEXT NOT NULL,
    run_id        TEXT NOT NULL,
    content_hash  TEXT NOT NULL,
    etag          TEXT NOT NULL,
    starts_at     INTEGER NOT NULL,
    ends_at       INTEGER NOT NULL,
    is_series     INTEGER NOT NULL,
    series_id     TEXT NOT NULL,
    data          TEXT NOT NULL,
    PRIMARY KEY (connection_id, calendar_id, id)
) STRICT;
CREATE INDEX events_time ON events (connection_id, calendar_id, ends_at, starts_at);
CREATE INDEX events_overrides ON events (connection_id, calendar_id, series_id)
    WHERE series_id <> '';

CREATE TABLE sync_runs (
    id            TEXT PRIMARY KEY,
    connection_id TEXT NOT NULL REFERENCES connections (id) ON DELETE CASCADE,
    user_id       TEXT NOT NULL,
    trigger       TEXT NOT NULL,
    kind          TEXT NOT NULL,
    started_at    INTEGER NOT NULL,
    finished_at   INTEGER,
    status        TEXT NOT NULL,
    created       INTEGER NOT NULL,
    updated       INTEGER NOT NULL,
    deleted       INTEGER NOT NULL,
    error         TEXT NOT NULL
) STRICT;
CREATE INDEX sync_runs_user ON sync_runs (user_id, started_at);
CREATE INDEX sync_runs_connection ON sync_runs (connection_id, started_at);
CREATE INDEX sync_runs_running ON sync_runs (status) WHERE status = 'running';

CREATE TABLE jobs (
    number     INTEGER PRIMARY KEY,
    id         TEXT NOT NULL UNIQUE,
    kind       TEXT NOT NULL,
    target     TEXT NOT NULL,
    user_id    TEXT NOT NULL,
    payload    TEXT NOT NULL,
    status     TEXT NOT NULL,
    run_at     INTEGER NOT NULL,
    not_before INTEGER NOT NULL,
    due_at     INTEGER,
    attempts   INTEGER NOT NULL,
    crashes    INTEGER NOT NULL,
    run_again  INTEGER NOT NULL,
    lease      TEXT NOT NULL,
    last_error TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    UNIQUE (user_id, kind, target)
) STRICT;
CREATE INDEX jobs_due ON jobs (due_at, number) WHERE due_at IS NOT NULL;

CREATE TABLE plugin_store (
    plugin     TEXT NOT NULL,
    key        TEXT NOT NULL,
    value      TEXT NOT NULL,
    expires_at INTEGER,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (plugin, key)
) STRICT, WITHOUT ROWID;
)sql";

// Events name their calendar by a number: two long names in each row and in each index were half of
// what a full sync wrote.
constexpr std::string_view kStep2 = R"sql(
CREATE TABLE event_calendars (
    number        INTEGER PRIMARY KEY,
    connection_id TEXT NOT NULL REFERENCES connections (id) ON DELETE CASCADE,
    calendar_id   TEXT NOT NULL,
    UNIQUE (connection_id, calendar_id)
) STRICT;
INSERT INTO event_calendars (connection_id, calendar_id)
    SELECT DISTINCT connection_id, calendar_id FROM events;

ALTER TABLE events RENAME TO events_of_step_1;
CREATE TABLE events (
    calendar     INTEGER NOT NULL REFERENCES event_calendars (number) ON DELETE CASCADE,
    id           TEXT NOT NULL,
    run_id       TEXT NOT NULL,
    content_hash TEXT NOT NULL,
    etag         TEXT NOT NULL,
    starts_at    INTEGER NOT NULL,
    ends_at      INTEGER NOT NULL,
    series_id    TEXT NOT NULL,
    data         TEXT NOT NULL,
    PRIMARY KEY (calendar, id)
) STRICT;
INSERT INTO events
    SELECT c.number, e.id, e.run_id, e.content_hash, e.etag, e.starts_at, e.ends_at, e.series_id,
        e.data
    FROM events_of_step_1 e JOIN event_calendars c
        ON c.connection_id = e.connection_id AND c.calendar_id = e.calendar_id;
DROP TABLE events_of_step_1;
CREATE INDEX events_time ON events (calendar, ends_at, starts_at);
CREATE INDEX events_overrides ON events (calendar, series_id) WHERE series_id <> '';
)sql";

// Where an account lives whose address a person entered, which calendars count as busy, and which
// jobs wait for each other.
constexpr std::string_view kStep3 = R"sql(
ALTER TABLE connections ADD COLUMN account_data TEXT NOT NULL DEFAULT '';
ALTER TABLE connections ADD COLUMN busy_calendars TEXT;
ALTER TABLE cursors ADD COLUMN window_finish INTEGER;
ALTER TABLE jobs ADD COLUMN lane TEXT NOT NULL DEFAULT '';
UPDATE jobs SET lane = coalesce((SELECT provider FROM connections c WHERE c.id = target), '')
    WHERE kind = 'sync';
)sql";

// Tables stay as they are, but from here on events are stored as records (calendar/event_record.h),
// which older programs cannot read and must refuse.
constexpr std::string_view kStep4 = "SELECT 1;";

// Who calls besides people: applications with the people they reach, keys, answers that are
// repeated for an Idempotency-Key.
constexpr std::string_view kStep5 = R"sql(
CREATE TABLE applications (
    id                    TEXT PRIMARY KEY,
    name                  TEXT NOT NULL UNIQUE,
    sealed_webhook_secret TEXT NOT NULL,
    created_at            INTEGER NOT NULL
) STRICT;

CREATE TABLE application_users (
    application_id TEXT NOT NULL REFERENCES applications (id) ON DELETE CASCADE,
    user_id        TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    PRIMARY KEY (application_id, user_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX application_users_user ON application_users (user_id);

CREATE TABLE api_keys (
    id             TEXT PRIMARY KEY,
    hash           TEXT NOT NULL UNIQUE,
    application_id TEXT REFERENCES applications (id) ON DELETE CASCADE,
    user_id        TEXT REFERENCES users (id) ON DELETE CASCADE,
    name           TEXT NOT NULL,
    scopes         TEXT NOT NULL,
    providers      TEXT NOT NULL,
    created_at     INTEGER NOT NULL,
    CHECK ((application_id IS NULL) <> (user_id IS NULL))
) STRICT;
CREATE INDEX api_keys_application ON api_keys (application_id) WHERE application_id IS NOT NULL;
CREATE INDEX api_keys_user ON api_keys (user_id) WHERE user_id IS NOT NULL;

CREATE TABLE idempotency_keys (
    id          TEXT PRIMARY KEY,
    fence       TEXT NOT NULL,
    is_done     INTEGER NOT NULL,
    sealed_call TEXT NOT NULL,
    expires_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX idempotency_keys_expiry ON idempotency_keys (expires_at);
)sql";

// Jobs that wait for a connection to work again, and what happened to whom.
constexpr std::string_view kStep6 = R"sql(
ALTER TABLE jobs ADD COLUMN connection_id TEXT NOT NULL DEFAULT '';
CREATE INDEX jobs_connection ON jobs (connection_id, due_at) WHERE connection_id <> '';
DROP INDEX jobs_due;
CREATE INDEX jobs_due ON jobs (lane, due_at, number) WHERE due_at IS NOT NULL;

CREATE TABLE audit_log (
    number     INTEGER PRIMARY KEY,
    at         INTEGER NOT NULL,
    action     TEXT NOT NULL,
    actor      TEXT NOT NULL,
    user_id    TEXT NOT NULL,
    subject    TEXT NOT NULL,
    details    TEXT NOT NULL,
    request_id TEXT NOT NULL
) STRICT;
CREATE INDEX audit_log_user ON audit_log (user_id, number);
CREATE INDEX audit_log_action ON audit_log (action, number);
CREATE TRIGGER audit_log_unchanged BEFORE UPDATE ON audit_log
    BEGIN SELECT RAISE(ABORT, 'the audit log only grows'); END;
CREATE TRIGGER audit_log_kept BEFORE DELETE ON audit_log
    BEGIN SELECT RAISE(ABORT, 'the audit log only grows'); END;
)sql";

// Bookings, who takes part in them, and the calendar events that they became.
constexpr std::string_view kStep7 = R"sql(
ALTER TABLE connections ADD COLUMN takes_bookings INTEGER NOT NULL DEFAULT 0;
UPDATE connections SET takes_bookings = 1 WHERE id IN (
    SELECT min(c.id) FROM connections c WHERE c.purpose = 'full' AND c.connected_at = (
        SELECT min(d.connected_at) FROM connections d
        WHERE d.user_id = c.user_id AND d.purpose = 'full')
    GROUP BY c.user_id);
CREATE UNIQUE INDEX connections_bookings ON connections (user_id) WHERE takes_bookings = 1;

CREATE TABLE bookings (
    number         INTEGER PRIMARY KEY,
    application_id TEXT NOT NULL REFERENCES applications (id) ON DELETE CASCADE,
    id             TEXT NOT NULL,
    version        INTEGER NOT NULL,
    title          TEXT NOT NULL,
    status         TEXT NOT NULL,
    starts_at      INTEGER NOT NULL,
    ends_at        INTEGER NOT NULL,
    time_zone      TEXT NOT NULL,
    location       TEXT NOT NULL,
    price          TEXT NOT NULL,
    data           TEXT NOT NULL,
    created_at     INTEGER NOT NULL,
    updated_at     INTEGER NOT NULL,
    UNIQUE (application_id, id)
) STRICT;
CREATE INDEX bookings_time ON bookings (application_id, starts_at, number);

CREATE TABLE booking_people (
    booking   INTEGER NOT NULL REFERENCES bookings (number) ON DELETE CASCADE,
    role      TEXT NOT NULL,
    user_id   TEXT REFERENCES users (id) ON DELETE SET NULL,
    issuer    TEXT NOT NULL,
    subject   TEXT NOT NULL,
    email     TEXT NOT NULL,
    email_key TEXT NOT NULL,
    name      TEXT NOT NULL,
    language  TEXT NOT NULL,
    PRIMARY KEY (booking, role)
) STRICT, WITHOUT ROWID;
CREATE INDEX booking_people_user ON booking_people (user_id, booking) WHERE user_id IS NOT NULL;
CREATE INDEX booking_people_email ON booking_people (email_key)
    WHERE user_id IS NULL AND email_key <> '';

CREATE TABLE booking_events (
    number        INTEGER PRIMARY KEY,
    booking       INTEGER NOT NULL REFERENCES bookings (number) ON DELETE CASCADE,
    user_id       TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    provider      TEXT NOT NULL,
    account_id    TEXT NOT NULL,
    connection_id TEXT NOT NULL,
    role          TEXT NOT NULL,
    calendar_id   TEXT NOT NULL,
    intent        TEXT NOT NULL,
    external_id   TEXT NOT NULL,
    etag          TEXT NOT NULL,
    state         TEXT NOT NULL,
    version       INTEGER NOT NULL,
    written       TEXT NOT NULL,
    error         TEXT NOT NULL,
    updated_at    INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX booking_events_place ON booking_events (booking, connection_id)
    WHERE connection_id <> '';
CREATE INDEX booking_events_connection ON booking_events (connection_id) WHERE connection_id <> '';
CREATE INDEX booking_events_user ON booking_events (user_id, booking);

CREATE TABLE webhook_messages (
    application_id TEXT NOT NULL REFERENCES applications (id) ON DELETE CASCADE,
    id             TEXT NOT NULL,
    expires_at     INTEGER NOT NULL,
    PRIMARY KEY (application_id, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE booking_feeds (
    user_id    TEXT PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    hash       TEXT NOT NULL UNIQUE,
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
)sql";

// A sync asks for each event that is gone whether a booking wrote it.
constexpr std::string_view kStep8 = R"sql(
DROP INDEX booking_events_connection;
CREATE INDEX booking_events_connection ON booking_events (connection_id, external_id)
    WHERE connection_id <> '';
)sql";

constexpr std::array kSteps{kStep1, kStep2, kStep3, kStep4, kStep5, kStep6, kStep7, kStep8};

}  // namespace

std::span<const std::string_view> sqlite_migrations() { return kSteps; }

}  // namespace calhost::storage
