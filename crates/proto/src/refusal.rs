//! Every refusal that a hop can answer, by name, with its fixed status, reason phrase and body.
//!
//! The reason phrase says which hop answered: `CMGService_…` is the CMG itself, `CMGConnector_…` the
//! connection point on behalf of the management point (configmgr §5.8). Clients log it as `StatusText`,
//! so these answers need HTTP/1.1; HTTP/2 has no reason phrase.

mod cmg;
mod connector;
mod mp;

pub use cmg::CmgRefusal;
pub use connector::{ConnectorRefusal, connector_reason};
pub use mp::MpRefusal;

use std::borrow::Cow;

use http::StatusCode;

/// What an HTTP refusal looks like, on the wire and in an IIS log.
pub trait Refusal {
    /// The status code.
    fn status(&self) -> StatusCode;

    /// The reason phrase: visible ASCII and spaces.
    fn reason(&self) -> Cow<'_, str>;

    /// The substatus of an IIS log, such as 7 in `403 7`; 0 without one.
    fn substatus(&self) -> u16 {
        0
    }

    /// The body, plain text; one line that repeats status and reason unless told otherwise.
    fn body(&self) -> String {
        format!("{} {}\n", status_text(self.status(), self.substatus()), self.reason())
    }
}

fn status_text(status: StatusCode, substatus: u16) -> String {
    match substatus {
        0 => status.as_u16().to_string(),
        substatus => format!("{}.{substatus}", status.as_u16()),
    }
}

#[cfg(test)]
mod tests;
