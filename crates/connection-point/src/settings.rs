//! The site's settings on their way to the gateway: at hello, and whenever they change.

use axum::body::Body;
use cmglab_events::kinds::{ConnectionPointEvent, LabEvent};
use cmglab_fault::{Point, Verdict};
use http::{Response, StatusCode};

use crate::{Shared, plain};

/// Answers with the settings once they are newer than the version that the query names.
pub(crate) async fn answer(shared: &Shared, query: Option<&str>) -> Response<Body> {
    let after = query.and_then(|query| query.strip_prefix("after=")).and_then(|text| text.parse().ok());
    let mut version = shared.site.watch_settings();
    loop {
        version.mark_unchanged();
        let document = match shared.site.settings().await {
            Ok(document) => document,
            Err(_unreadable) => return plain(StatusCode::SERVICE_UNAVAILABLE),
        };
        if document.version > after.unwrap_or(0) && !held(shared) {
            let Ok(json) = document.to_json() else { return plain(StatusCode::INTERNAL_SERVER_ERROR) };
            shared.deps.events.emit(ConnectionPointEvent::SettingsPushed { version: document.version });
            return Response::new(Body::from(json));
        }
        if version.changed().await.is_err() {
            return plain(StatusCode::SERVICE_UNAVAILABLE);
        }
    }
}

fn held(shared: &Shared) -> bool {
    let held = shared.deps.faults.at(Point::Settings, "") == Some(Verdict::Hold);
    if held {
        shared
            .deps
            .events
            .emit(LabEvent::FaultApplied { point: "settings".to_owned(), verdict: "hold".to_owned() });
    }
    held
}
