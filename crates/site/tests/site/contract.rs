//! What every engine must do. Each test runs once for each location.

mod clients;
mod keys;
mod options;
mod registrations;
mod settings;
mod tokens;
mod traffic;
mod users;

/// Makes each `async fn(Lab)` a test of every location.
macro_rules! contract {
    ($($name:ident),+ $(,)?) => {
        mod memory {
            $(#[tokio::test]
            async fn $name() {
                super::$name($crate::shared::Lab::memory().await).await;
            })+
        }
        mod file {
            $(#[tokio::test]
            async fn $name() {
                super::$name($crate::shared::Lab::file().await).await;
            })+
        }
    };
}
use contract;
