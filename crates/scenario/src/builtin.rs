//! The scenarios that are compiled in, so that the binary needs no files.

macro_rules! scenarios {
    ($($name:literal),* $(,)?) => {
        /// Name and text of every built-in scenario, sorted by name.
        pub const ALL: &[(&str, &str)] =
            &[$(($name, include_str!(concat!("../../../scenarios/", $name, ".yaml")))),*];
    };
}

scenarios!(
    "failures/audience-mismatch",
    "failures/azure-ad-throttled",
    "failures/bulk-token-blocked",
    "failures/bulk-token-expired",
    "failures/cabinet-corrupted",
    "failures/certificate-other-name",
    "failures/channel-ports-blocked",
    "failures/channel-session-ended",
    "failures/client-chain-incomplete",
    "failures/client-silent",
    "failures/connection-point-certificate-missing",
    "failures/connection-point-crl-offline",
    "failures/connection-point-down",
    "failures/consent-removed",
    "failures/cost-alert",
    "failures/crl-offline",
    "failures/crl-offline-nocrlcheck",
    "failures/device-deleted",
    "failures/device-disabled",
    "failures/iis-redirect",
    "failures/no-user-session",
    "failures/resource-not-registered",
    "failures/root-ca-missing",
    "failures/stale-binding",
    "failures/sts-assembly-mismatch",
    "failures/tenant-not-onboarded-discovery",
    "failures/tenant-not-onboarded-token",
    "failures/token-auth-disabled",
    "failures/unknown-url",
    "failures/wpj-certificate-missing",
    "install/crl-published",
    "install/crl-site-option-off",
    "install/device-token",
    "install/seed-0",
    "install/seed-2",
    "install/third-party-certificate",
    "install/user-token-fallback",
    "renewal/ccm-token-8h",
    "renewal/session-revoked",
    "renewal/signing-keys-rotated",
    "topologies/client-chain-complete",
    "topologies/enhanced-http",
    "topologies/long-poll",
    "topologies/scale-set",
);

#[cfg(test)]
mod tests;
