//! The scenarios that are compiled in, so that the binary needs no files.

macro_rules! scenarios {
    ($($name:literal),* $(,)?) => {
        /// Name and text of every built-in scenario, sorted by name.
        pub const ALL: &[(&str, &str)] =
            &[$(($name, include_str!(concat!("../../../scenarios/", $name, ".yaml")))),*];
    };
}

scenarios!(
    "failures/azure-ad-throttled",
    "failures/cabinet-corrupted",
    "failures/connection-point-down",
    "failures/consent-removed",
    "failures/crl-offline",
    "failures/crl-offline-nocrlcheck",
    "failures/device-deleted",
    "failures/device-disabled",
    "failures/no-user-session",
    "failures/resource-not-registered",
    "failures/root-ca-missing",
    "failures/tenant-not-onboarded-discovery",
    "failures/tenant-not-onboarded-token",
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
);

#[cfg(test)]
mod tests;
