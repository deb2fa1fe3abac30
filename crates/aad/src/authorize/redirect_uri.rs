//! Whether a redirect URI is one that an application has registered.
//!
//! Fidelity: documented. URIs are compared as they stand; at the loopback interface the port is whatever
//! the client found free (RFC 8252 §7.3).

/// Whether `given` is among the registered ones.
pub(crate) fn registered(given: &str, known: &[String]) -> bool {
    if given.contains('#') || given.chars().any(char::is_control) {
        return false;
    }
    known.iter().any(|known| {
        known == given || at_loopback(given).is_some_and(|rest| at_loopback(known) == Some(rest))
    })
}

/// What comes after host and port of a URI at the loopback interface.
fn at_loopback(uri: &str) -> Option<&str> {
    let rest = uri.strip_prefix("http://")?;
    let rest = HOSTS.iter().find_map(|host| rest.strip_prefix(host))?;
    let rest = match rest.strip_prefix(':') {
        Some(rest) => {
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            let (port, rest) = rest.split_at(digits);
            port.parse::<u16>().ok()?;
            rest
        }
        None => rest,
    };
    match rest {
        "" => Some("/"),
        rest if rest.starts_with(['/', '?']) => Some(rest),
        _ => None,
    }
}

const HOSTS: [&str; 2] = ["localhost", "127.0.0.1"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_port_at_loopback_is_free() {
        let known = ["https://app.test/back", "http://localhost", "http://localhost/auth"].map(str::to_owned);
        let good = [
            "https://app.test/back",
            "http://localhost",
            "http://localhost/",
            "http://localhost:8400",
            "http://localhost:8400/",
            "http://127.0.0.1:50123/auth",
        ];
        for uri in good {
            assert!(registered(uri, &known), "{uri}");
        }
        let bad = [
            "https://app.test/back/",
            "https://app.test:444/back",
            "https://app.test/back?x=1",
            "https://app.test/back#x",
            "http://app.test/back",
            "https://localhost",
            "http://localhost.evil.test/",
            "http://localhost:80@evil.test/",
            "http://localhost:99999/",
            "http://localhost:/",
            "http://localhost:80evil/",
            "http://localhost:8400/other",
            "http://localhost:8400/?x=1",
            "http://localhost:8400/\r\nx",
        ];
        for uri in bad {
            assert!(!registered(uri, &known), "{uri}");
        }
        assert!(!registered("http://localhost:1", &["https://app.test/back".to_owned()]));
    }
}
