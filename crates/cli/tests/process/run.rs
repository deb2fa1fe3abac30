//! `cmglab run`.

use std::fs;
use std::thread;

use crate::support::{Running, evidence, folder, ran};

#[test]
fn the_default_run_passes_and_leaves_its_evidence() {
    let (_keep, at) = folder();
    let (code, out, errors) = ran(&at, &["run"]);
    assert_eq!(code, Some(0), "{out}{errors}");
    assert!(out.contains("PASS install/device-token"), "{out}");
    assert!(out.contains("not for production"), "{out}");
    assert!(!out.contains('\x1b'), "no colours into a pipe");
    let left = evidence(&at.join("cmglab-out"));
    for file in ["events.jsonl", "sequence.mmd", "logs/LABPC1/ccmsetup.log", "logs/MP.LAB.TEST/CCM_STS.log"] {
        assert!(left.join(file).is_file(), "{file}");
    }
    let iis = fs::read_to_string(left.join("logs/RD0003FF74AB12/IIS.log")).unwrap();
    assert!(iis.contains("#Fields: date time s-computername"), "{iis}");
}

#[test]
fn json_goes_to_standard_output_alone() {
    let (_keep, at) = folder();
    let (code, out, _errors) = ran(&at, &["run", "--json", "failures/wpj-certificate-missing"]);
    assert_eq!(code, Some(0), "{out}");
    let json: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert!(json.to_string().contains("failures/wpj-certificate-missing"));
}

#[test]
fn a_failed_expectation_is_exit_code_1_and_says_what_was_seen() {
    let (_keep, at) = folder();
    let scenario = "name: wrong\nabout: Expects what cannot be.\nsteps:\n  - install: ccmsetup.exe \
                    CCMHOSTNAME=\"CMG.LAB.TEST/CCM_Proxy_MutualAuth/72057594037938216\" SMSSITECODE=LAB\nexpect:\n  \
                    install: { return_code: 7 }\n";
    fs::write(at.join("wrong.yaml"), scenario).unwrap();
    let (code, out, errors) = ran(&at, &["run", "wrong.yaml", "--junit", "report.xml"]);
    assert_eq!(code, Some(1), "{out}{errors}");
    assert!(out.contains("FAIL wrong") && out.contains("expected") && out.contains("actual"), "{out}");
    assert!(fs::read_to_string(at.join("report.xml")).unwrap().contains("<failure"));
}

#[test]
fn what_cannot_run_is_exit_code_2_with_where_what_and_what_to_do() {
    let (_keep, at) = folder();
    let (code, _out, errors) = ran(&at, &["run", "install/device-tokem"]);
    assert_eq!(code, Some(2));
    assert!(errors.contains("install/device-token"), "did you mean: {errors}");

    fs::write(at.join("typo.yaml"), "name: typo\nabout: A typo.\nlab:\n  cgm: {}\nsteps: []\nexpect: {}\n")
        .unwrap();
    let (code, _out, errors) = ran(&at, &["run", "typo.yaml"]);
    assert_eq!(code, Some(2));
    assert!(errors.contains("typo.yaml") && errors.contains("cgm"), "{errors}");
    assert!(errors.contains(":4:") || errors.contains("line 4"), "{errors}");

    fs::write(at.join("file"), "").unwrap();
    let (code, _out, errors) = ran(&at, &["run", "--out", "file/below"]);
    assert_eq!(code, Some(2));
    assert!(errors.contains("--out"), "{errors}");

    assert_eq!(ran(&at, &["runn"]).0, Some(2));
}

#[test]
fn two_runs_at_once_do_not_disturb_each_other() {
    let (_keep, at) = folder();
    let runs: Vec<_> = (0..2)
        .map(|_| {
            let at = at.clone();
            thread::spawn(move || ran(&at, &["run"]))
        })
        .collect();
    for run in runs {
        let (code, out, errors) = run.join().unwrap();
        assert_eq!(code, Some(0), "{out}{errors}");
    }
    assert_eq!(fs::read_dir(at.join("cmglab-out")).unwrap().count(), 2);
}

#[cfg(unix)]
#[test]
fn an_interrupted_run_keeps_its_evidence_so_far() {
    let (_keep, at) = folder();
    let step = "  - install: ccmsetup.exe CCMHOSTNAME=\"CMG.LAB.TEST/CCM_Proxy_MutualAuth/72057594037938216\" \
                SMSSITECODE=LAB\n";
    // Sooner over than anybody would wait, later than the signal.
    let steps = step.repeat(60);
    let scenario = format!(
        "name: long\nabout: Installs again and again.\nsteps:\n{steps}expect:\n  install: {{ return_code: 0 }}\n"
    );
    fs::write(at.join("long.yaml"), scenario).unwrap();
    let mut running = Running::start(&at, &["run", "long.yaml", "-v"], true);
    running.wait_for("install:");
    assert_eq!(running.stop("-INT"), Some(130));
    let events = fs::read_to_string(evidence(&at.join("cmglab-out")).join("events.jsonl")).unwrap();
    assert!(events.lines().count() > 10);
    for line in events.lines() {
        let _whole: serde_json::Value = serde_json::from_str(line).unwrap();
    }
}

#[test]
fn help_shows_examples_and_completions_are_printed() {
    let (_keep, at) = folder();
    let (code, out, _) = ran(&at, &["run", "--help"]);
    assert_eq!(code, Some(0));
    assert!(out.contains("Examples:"), "{out}");
    let (code, out, _) = ran(&at, &["completions", "bash"]);
    assert_eq!(code, Some(0));
    assert!(out.contains("_cmglab"), "{out}");
    let (code, out, _) = ran(&at, &["scenarios"]);
    assert_eq!(code, Some(0));
    assert!(out.contains("failures/crl-offline"), "{out}");
}

#[test]
fn a_file_that_is_not_there_is_told_as_such() {
    let (_keep, at) = folder();
    let (code, _out, errors) = ran(&at, &["run", "nowhere.yaml"]);
    assert_eq!(code, Some(2));
    assert!(errors.contains("nowhere.yaml: there is no such file"), "{errors}");
    assert!(!errors.contains("install/device-token"), "the list of names is no help here: {errors}");
}
