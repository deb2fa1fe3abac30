-- Tokens the site has made. The tokens themselves are not kept.

CREATE TABLE issued_tokens (
    sha256      BLOB    PRIMARY KEY CHECK (length(sha256) = 32),
    client_guid TEXT,
    user_id     TEXT    NOT NULL,
    kind        TEXT    NOT NULL,
    not_before  INTEGER NOT NULL,
    expires     INTEGER NOT NULL
) STRICT;

CREATE INDEX issued_tokens_by_client ON issued_tokens (client_guid, not_before);
CREATE INDEX issued_tokens_by_expiry ON issued_tokens (expires);

CREATE TABLE bulk_tokens (
    unique_id  TEXT    PRIMARY KEY,
    not_before INTEGER NOT NULL,
    expires    INTEGER NOT NULL,
    blocked_at INTEGER
) STRICT;
