//! Requests whose meaning two readers could see differently are refused before any handler.

use http::header::HOST;
use http::{Request, Version};

use crate::wire::Head;

/// Why a request is refused, or `None` when its form is sound (RFC 9112 §3.2, §6.1, §6.3). `head` is what
/// came over the wire; `None` when the end of the request before it was not clear.
pub(crate) fn flaw<B>(request: &Request<B>, head: Option<&Head>) -> Option<&'static str> {
    let Some(Head { form, .. }) = head else { return Some("a request behind an ambiguous one") };
    if request.uri().authority().is_some() {
        return Some("absolute-form target: only a proxy may be asked that way");
    }
    match request.headers().get_all(HOST).iter().count() {
        0 if request.version() >= Version::HTTP_11 => return Some("no Host header"),
        0 | 1 => {}
        _ => return Some("more than one Host header"),
    }
    if form.encodings > 0 && form.lengths > 0 {
        return Some("both Transfer-Encoding and Content-Length");
    }
    if form.lengths > 1 {
        return Some("more than one Content-Length");
    }
    if form.exotic || form.encodings > 1 {
        return Some("a Transfer-Encoding other than one «chunked»");
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Form;

    fn judge(uri: &str, hosts: usize, form: Form) -> Option<&'static str> {
        let mut request = Request::get(uri);
        for _ in 0..hosts {
            request = request.header(HOST, "cmg.lab.test");
        }
        let head = Head { form, bytes: 0, received: std::sync::Arc::default() };
        flaw(&request.body(()).unwrap(), Some(&head))
    }

    #[test]
    fn one_host_and_one_length_are_sound_and_every_ambiguity_is_not() {
        let form = |lengths, encodings, exotic| Form { lengths, encodings, exotic };
        for sound in [form(0, 0, false), form(1, 0, false), form(0, 1, false)] {
            assert_eq!(judge("/path", 1, sound), None);
            assert!(judge("/path", 0, sound).is_some());
            assert!(judge("/path", 2, sound).is_some());
            assert!(judge("http://other/path", 1, sound).is_some());
        }
        for ambiguous in [form(2, 0, false), form(0, 2, false), form(1, 1, false), form(0, 1, true)] {
            assert!(judge("/path", 1, ambiguous).is_some());
        }
        assert!(flaw(&Request::get("/path").header(HOST, "a").body(()).unwrap(), None).is_some());
    }
}
