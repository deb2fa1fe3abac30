//! The exchange with CCM_STS: an Azure AD or bulk registration token goes in, a CCM token comes out.
//!
//! Fidelity: lab. Neither the verb, the header nor the answer's form is public (mp-wire §8.2, §8.3 and
//! OPEN-1, OPEN-2); this module alone decides them: `GET`, an empty body, `Authorization: Bearer`, and
//! the answer a compact JWT as plain text, or, because one log sample shows 200 with no body, in a
//! header of an empty answer.

mod bearer;

pub use bearer::{BearerError, BearerToken, MAX_TOKEN, authorization, bearer};

use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use serde::{Deserialize, Serialize};

/// Where the answer carries the token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TokenDelivery {
    /// The body, `text/plain`.
    #[default]
    Body,
    /// The header [`TOKEN_HEADER`]; the body is empty.
    Header,
}

/// Writes the request for `url`, which ends in [`PATH`].
///
/// # Errors
/// [`http::Error`] when `url` is not a URI.
pub fn request(url: &str, token: &BearerToken) -> Result<Request<()>, http::Error> {
    let mut request = Request::get(url).body(())?;
    request.headers_mut().insert(http::header::AUTHORIZATION, authorization(token));
    Ok(request)
}

/// Writes the answer that hands out `token`.
#[must_use]
pub fn answer(token: &BearerToken, delivery: TokenDelivery) -> Response<Vec<u8>> {
    let mut response = Response::new(Vec::new());
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    match delivery {
        TokenDelivery::Body => {
            response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
            *response.body_mut() = token.expose().as_bytes().to_vec();
        }
        TokenDelivery::Header => {
            response.headers_mut().insert(TOKEN_HEADER, token.header_value(""));
        }
    }
    response
}

/// Reads the token from the headers and body of a 200, in either form.
///
/// # Errors
/// [`StsError`] when neither holds a compact JWT.
pub fn read_answer(headers: &HeaderMap, body: &[u8]) -> Result<BearerToken, StsError> {
    let bytes = match headers.get(TOKEN_HEADER) {
        Some(value) if body.is_empty() => value.as_bytes(),
        Some(_) => return Err(StsError::TwoTokens),
        None => body.trim_ascii(),
    };
    if bytes.is_empty() {
        return Err(StsError::NoToken);
    }
    let token = BearerToken::from_bytes(bytes)?;
    if token.is_compact_jwt() { Ok(token) } else { Err(StsError::NotAJwt) }
}

/// Why an answer of CCM_STS holds no token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StsError {
    /// Neither body nor header holds a token.
    #[error("CCM_STS answered 200 without a token, neither in the body nor in {TOKEN_HEADER}")]
    NoToken,
    /// There is a body and the header.
    #[error("CCM_STS answered with a body and with {TOKEN_HEADER}; expected one of them")]
    TwoTokens,
    /// The token has characters or a length that a bearer token cannot have.
    #[error("CCM_STS answered with something else than a token: {0}")]
    BadToken(#[from] BearerError),
    /// The token is not three base64url parts with dots between.
    #[error("CCM_STS answered with a token that is not a compact JWT")]
    NotAJwt,
}

/// The path on the management point, and below an external URL.
pub const PATH: &str = "/CCM_STS";
/// The header of [`TokenDelivery::Header`].
pub const TOKEN_HEADER: HeaderName = HeaderName::from_static("x-lab-ccm-token");

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn token(text: &str) -> BearerToken {
        text.parse().unwrap()
    }

    #[test]
    fn both_deliveries_round_trip() {
        let jwt = token("eyJh.eyJi.c2ln");
        for delivery in [TokenDelivery::Body, TokenDelivery::Header] {
            let answer = answer(&jwt, delivery);
            assert_eq!(answer.body().is_empty(), delivery == TokenDelivery::Header);
            assert_eq!(read_answer(answer.headers(), answer.body()), Ok(jwt.clone()));
        }
    }

    #[test]
    fn the_request_is_a_get_with_a_bearer_token() {
        let request = request("https://MP.LAB.TEST/CCM_STS", &token("a.b.c")).unwrap();
        assert_eq!((request.method(), request.uri().path()), (&http::Method::GET, PATH));
        assert_eq!(bearer(request.headers()), Ok(token("a.b.c")));
    }

    #[test]
    fn answers_without_a_token_are_told_apart() {
        let none = HeaderMap::new();
        assert_eq!(read_answer(&none, b"\r\n"), Err(StsError::NoToken));
        assert_eq!(read_answer(&none, b"a.b"), Err(StsError::NotAJwt));
        assert!(matches!(read_answer(&none, b"<html> x"), Err(StsError::BadToken(_))));
        let both = answer(&token("a.b.c"), TokenDelivery::Header);
        assert_eq!(read_answer(both.headers(), b"a.b.c"), Err(StsError::TwoTokens));
        assert_eq!(read_answer(&none, b"a.b.c\r\n"), Ok(token("a.b.c")));
    }

    proptest! {
        #[test]
        fn any_body_is_read_without_panic(body: Vec<u8>) {
            let _ = read_answer(&HeaderMap::new(), &body);
        }
    }
}
