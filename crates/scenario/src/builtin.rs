//! The scenarios that are compiled in, so that the binary needs no files.

macro_rules! scenarios {
    ($($name:literal),* $(,)?) => {
        /// Name and text of every built-in scenario, sorted by name.
        pub const ALL: &[(&str, &str)] =
            &[$(($name, include_str!(concat!("../../../scenarios/", $name, ".yaml")))),*];
    };
}

scenarios!(
    "failures/cabinet-corrupted",
    "failures/connection-point-down",
    "failures/crl-offline",
    "failures/crl-offline-nocrlcheck",
    "failures/no-user-session",
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
);

#[cfg(test)]
mod tests;
