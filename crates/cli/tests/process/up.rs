//! `cmglab up`.

use std::net::TcpListener;

use crate::support::{Running, folder, ran};

#[cfg(unix)]
#[test]
fn up_runs_until_a_signal_and_takes_its_ready_file_away() {
    for signal in ["-INT", "-TERM"] {
        let (_keep, at) = folder();
        let mut lab = Running::start(&at, &["up"], false);
        lab.wait_for("Ctrl-C stops the lab.");
        let ready = at.join("cmglab-out/lab.json");
        assert!(ready.is_file());
        assert_eq!(lab.stop(signal), Some(0));
        assert!(!ready.exists());
    }
}

#[test]
fn a_taken_port_is_named() {
    let (_keep, at) = folder();
    let Ok(_taken) = TcpListener::bind("127.0.0.10:80") else {
        assert!(std::env::var_os("CI").is_none(), "CI runs as a user who can open port 80");
        eprintln!("skipped: this user cannot open port 80, or something has it");
        return;
    };
    let (code, _out, errors) = ran(&at, &["up", "--real-ports"]);
    assert_eq!(code, Some(2), "{errors}");
    assert!(errors.contains("cannot listen on 127.0.0.10:80"), "{errors}");
    assert!(errors.contains("free the port"), "{errors}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_second_lab_does_not_take_over_the_first_ones_file() {
    let (_keep, at) = folder();
    let mut lab = Running::start(&at, &["up"], false);
    lab.wait_for("Ctrl-C stops the lab.");
    let before = std::fs::read(at.join("cmglab-out/lab.json")).unwrap();
    let (code, _out, errors) = ran(&at, &["up"]);
    assert_eq!(code, Some(2));
    assert!(errors.contains("--ready-file"), "{errors}");
    assert_eq!(std::fs::read(at.join("cmglab-out/lab.json")).unwrap(), before);
}
