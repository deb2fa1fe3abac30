//! What .NET says when a request fails. Fidelity: observed for refusals (configmgr §5.8); for the rest the
//! texts of `System.Net`, with the lab's own words where an inner exception would stand.

use crate::kinds::ForwardFailure;

pub(super) fn web_exception(message: &str, words: &str) -> String {
    format!("Web exception for message {message}: System.Net.WebException: {words}{TRACE}")
}

/// A status with .NET's own words for it; only a status without any brings its phrase.
pub(super) fn refused(status: u16, reason: &str) -> String {
    let words = words(status).unwrap_or(reason);
    let gap = if words.is_empty() { "" } else { " " };
    format!("The remote server returned an error: ({status}){gap}{words}.")
}

pub(super) fn failed(failure: ForwardFailure, cause: &str) -> String {
    use ForwardFailure as F;
    let (words, inner) = match failure {
        F::Timeout => return "The operation has timed out".to_owned(),
        F::Cancelled => return "The request was aborted: The request was canceled.".to_owned(),
        F::Connect => ("Unable to connect to the remote server", "System.Net.Sockets.SocketException"),
        F::Name => ("The remote name could not be resolved", "System.Net.Sockets.SocketException"),
        F::Broken => (
            "The underlying connection was closed: The connection was closed unexpectedly.",
            "System.IO.IOException",
        ),
        F::Trust => (
            "The underlying connection was closed: Could not establish trust relationship for the SSL/TLS \
             secure channel.",
            "System.Security.Authentication.AuthenticationException",
        ),
    };
    format!("{words} ---> {inner}: {cause}")
}

fn words(status: u16) -> Option<&'static str> {
    Some(match status {
        400 => "Bad Request",
        401 => "Unauthorized",
        402 => "Payment Required",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        406 => "Not Acceptable",
        407 => "Proxy Authentication Required",
        408 => "Request Timeout",
        409 => "Conflict",
        410 => "Gone",
        411 => "Length Required",
        412 => "Precondition Failed",
        413 => "Request Entity Too Large",
        414 => "Request Uri Too Long",
        415 => "Unsupported Media Type",
        416 => "Requested Range Not Satisfiable",
        417 => "Expectation Failed",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Server Unavailable",
        504 => "Gateway Timeout",
        505 => "Http Version Not Supported",
        _ => return None,
    })
}

/// The two innermost frames, as published; `~~` stands for a line break.
const TRACE: &str = "~~  at System.Net.HttpWebRequest.EndGetResponse(IAsyncResult asyncResult)~~  at \
                     Microsoft.ConfigurationManager.CloudConnection.ProxyConnector.ConnectionBase.\
                     InternalResponseCallBack(IAsyncResult asynchronousResult)";
