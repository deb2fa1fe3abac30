-- The site and what it publishes to the gateway.

CREATE TABLE site (
    only_row          INTEGER PRIMARY KEY CHECK (only_row = 1),
    site_code         TEXT    NOT NULL,
    hierarchy_id      TEXT    NOT NULL,
    settings_version  INTEGER NOT NULL,
    clients_check_crl INTEGER NOT NULL CHECK (clients_check_crl IN (0, 1))
) STRICT;

-- The client package whose content every management point serves.
CREATE TABLE client_package (
    only_row   INTEGER PRIMARY KEY CHECK (only_row = 1),
    package_id TEXT    NOT NULL,
    version    INTEGER NOT NULL,
    sha256     BLOB    NOT NULL CHECK (length(sha256) = 32)
) STRICT;

CREATE TABLE tenants (
    tenant_id            TEXT    PRIMARY KEY,
    name                 TEXT    NOT NULL,
    client_app_id        TEXT    NOT NULL,
    resource_uri         TEXT    NOT NULL,
    authority            TEXT    NOT NULL,
    issuers              TEXT    NOT NULL, -- a JSON array of texts
    openid_configuration TEXT    NOT NULL,
    token_auth_enabled   INTEGER NOT NULL CHECK (token_auth_enabled IN (0, 1))
) STRICT;

-- Public keys only. Times are microseconds since 1970, here and below.
CREATE TABLE ccm_keys (
    kid        TEXT    PRIMARY KEY,
    jwk        TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    retired_at INTEGER
) STRICT;

CREATE TABLE url_mappings (
    role_id   TEXT PRIMARY KEY,
    mp_base   TEXT NOT NULL,
    endpoints TEXT NOT NULL -- a JSON array of cmglab_proto::mapping::Endpoint
) STRICT;

-- Roots and intermediates that client certificates may chain to, in DER.
CREATE TABLE client_authorities (
    certificate BLOB NOT NULL UNIQUE
) STRICT;
