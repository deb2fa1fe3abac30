//! `cmglab analyze`.

#[cfg(unix)]
use crate::support::{Running, evidence};
use crate::support::{folder, ran};

#[test]
fn without_a_lab_it_says_how_to_start_one() {
    let (_keep, at) = folder();
    let (code, _out, errors) = ran(&at, &["analyze"]);
    assert_eq!(code, Some(2));
    assert!(errors.contains("cmglab up"), "{errors}");
}

#[test]
fn a_user_and_a_certificate_exclude_each_other() {
    let (_keep, at) = folder();
    let (code, _out, errors) = ran(&at, &["analyze", "--user", "alice@lab.test", "--certificate", "a.pem"]);
    assert_eq!(code, Some(2));
    assert!(errors.contains("--certificate"), "{errors}");
    let (code, out, _errors) = ran(&at, &["analyze", "--help"]);
    assert_eq!(code, Some(0));
    assert!(out.contains("Examples:") && out.contains("Exit codes: 0"), "{out}");
}

#[cfg(unix)]
#[test]
fn a_running_lab_is_analyzed_as_a_user_and_with_a_certificate() {
    let (_keep, at) = folder();
    let mut lab = Running::start(&at, &["up"], false);
    lab.wait_for("Ctrl-C stops the lab.");

    let (code, out, errors) = ran(&at, &["analyze"]);
    assert_eq!(code, Some(0), "{out}{errors}");
    assert!(out.contains("Testing the CMG channel for management point 'MP.LAB.TEST'"), "{out}");
    assert!(out.contains("analyze: all 5 steps passed"), "{out}");

    let client = evidence(&at.join("cmglab-out")).join("client.pem");
    let (code, out, errors) = ran(&at, &["analyze", "--certificate", client.to_str().unwrap(), "-v"]);
    assert_eq!(code, Some(0), "{out}{errors}");
    assert!(out.contains("analyze: all 4 steps passed"), "{out}");
    assert!(out.contains("client -> cmg"), "the requests: {out}");

    let (code, out, _errors) = ran(&at, &["analyze", "--user", "bob@lab.test"]);
    assert_eq!(code, Some(1), "{out}");
    assert!(
        out.contains("Status code is '401' and status description is 'CMGConnector_Unauthorized'."),
        "{out}"
    );
    assert!(out.contains("fix: Run Azure AD user discovery"), "{out}");
    assert!(out.contains("1 of 5 steps failed, 1 skipped"), "{out}");

    let (code, out, _errors) = ran(&at, &["analyze", "--user", "bob@lab.test", "--json"]);
    assert_eq!(code, Some(1), "{out}");
    let report: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(report["passed"], false);
    let verdicts: Vec<_> = report["steps"].as_array().unwrap().iter().map(|step| &step["verdict"]).collect();
    assert_eq!(verdicts, ["passed", "passed", "passed", "failed", "skipped"]);

    let (code, _out, errors) = ran(&at, &["analyze", "--user", "nobody@contoso.com"]);
    assert_eq!(code, Some(2));
    assert!(errors.contains("no tenant of this lab"), "{errors}");
    let (code, _out, errors) = ran(&at, &["analyze", "--certificate", "missing.pem"]);
    assert_eq!(code, Some(2));
    assert!(errors.contains("missing.pem"), "{errors}");
    assert_eq!(lab.stop("-INT"), Some(0));
}
