-- Clients, the Azure AD devices and users behind them, and their registrations.

CREATE TABLE clients (
    client_guid TEXT    PRIMARY KEY,
    created_at  INTEGER NOT NULL,
    blocked_at  INTEGER
) STRICT;

-- Tenants are not referenced: removing a tenant must not forget its devices, and a device of a tenant
-- that was never onboarded is a failure to be played, not a constraint.
CREATE TABLE aad_devices (
    tenant_id   TEXT NOT NULL,
    device_id   TEXT NOT NULL,
    client_guid TEXT NOT NULL REFERENCES clients,
    PRIMARY KEY (tenant_id, device_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE registrations (
    client_guid            TEXT    PRIMARY KEY REFERENCES clients,
    signing_key            BLOB    NOT NULL UNIQUE CHECK (length(signing_key) = 32),
    signing_certificate    BLOB    NOT NULL,
    encryption_certificate BLOB    NOT NULL,
    netbios_name           TEXT    NOT NULL,
    fqdn                   TEXT    NOT NULL,
    hardware_id            TEXT,
    tenant_id              TEXT,
    device_id              TEXT,
    approval               INTEGER NOT NULL,
    registered_at          INTEGER NOT NULL
) STRICT;

CREATE TABLE users (
    tenant_id     TEXT    NOT NULL,
    object_id     TEXT    NOT NULL,
    user_id       TEXT    NOT NULL UNIQUE,
    upn           TEXT    NOT NULL,
    on_prem_sid   TEXT,
    discovered_at INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, object_id)
) STRICT, WITHOUT ROWID;
