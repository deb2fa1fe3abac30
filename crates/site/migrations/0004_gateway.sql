-- What the gateway is told besides tenants, keys, mappings and authorities.

ALTER TABLE site ADD COLUMN verify_client_revocation INTEGER NOT NULL DEFAULT 1
    CHECK (verify_client_revocation IN (0, 1));

-- Every change of the settings lists the blocked ones; most clients and tokens are not.
CREATE INDEX blocked_clients ON clients (client_guid) WHERE blocked_at IS NOT NULL;
CREATE INDEX blocked_bulk_tokens ON bulk_tokens (unique_id) WHERE blocked_at IS NOT NULL;

-- The reports of connection points.
CREATE TABLE proxy_traffic (
    report         INTEGER PRIMARY KEY,
    server         TEXT    NOT NULL,
    started_at     INTEGER NOT NULL,
    ended_at       INTEGER NOT NULL,
    max_concurrent INTEGER NOT NULL,
    endpoints      TEXT    NOT NULL -- a JSON array of EndpointTraffic
) STRICT;
