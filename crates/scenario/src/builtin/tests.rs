use std::path::Path;

use super::ALL;
use crate::model::{Expect, LineExpectation, RequestExpectation, Scenario};
use crate::pattern::Extent;

fn folder() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../scenarios"))
}

#[test]
fn every_file_is_listed_and_nothing_else() {
    let in_folder: Vec<String> =
        Scenario::load_folder(folder()).unwrap().into_iter().map(|scenario| scenario.name).collect();
    let listed: Vec<&str> = ALL.iter().map(|(name, _text)| *name).collect();
    assert_eq!(in_folder, listed);
}

#[test]
fn every_one_is_valid_and_expects_something() {
    for (name, _text) in ALL {
        let scenario = Scenario::builtin(name).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(scenario.name, *name);
        assert_ne!(scenario.expect, Expect::default(), "{name}");
    }
}

#[test]
fn an_unknown_name_is_answered_with_the_nearest() {
    let error = Scenario::builtin("install/device-tokne").unwrap_err();
    assert_eq!(error.fix, "did you mean `install/device-token`?");
}

/// What must be absent proves nothing unless the same words are seen elsewhere.
#[test]
fn what_is_absent_here_is_present_elsewhere() {
    let all: Vec<Scenario> = ALL.iter().map(|(name, _text)| Scenario::builtin(name).unwrap()).collect();
    for scenario in &all {
        let others = || all.iter().filter(|other| other.name != scenario.name).map(|other| &other.expect);
        for absent in &scenario.expect.no_log {
            let found = others().flat_map(|other| &other.log).any(|present| is_line(absent, present));
            assert!(found, "{}: no other scenario has {absent}", scenario.name);
        }
        for absent in &scenario.expect.no_requests {
            let found = others().flat_map(|other| &other.requests).any(|present| is_request(absent, present));
            assert!(found, "{}: no other scenario has {absent}", scenario.name);
        }
    }
}

fn is_line(absent: &LineExpectation, present: &LineExpectation) -> bool {
    let (absent_text, present_text) = (absent.line.as_str(), present.line.as_str());
    let same = match absent.extent {
        Extent::Start => present_text.starts_with(absent_text),
        Extent::Whole => present_text == absent_text,
    };
    absent.file == present.file && same
}

fn is_request(absent: &RequestExpectation, present: &RequestExpectation) -> bool {
    fn narrower<T: PartialEq>(absent: &Option<T>, present: &Option<T>) -> bool {
        absent.is_none() || absent == present
    }
    absent.at == present.at
        && narrower(&absent.method, &present.method)
        && narrower(&absent.path, &present.path)
        && narrower(&absent.status, &present.status)
        && narrower(&absent.reason, &present.reason)
}
