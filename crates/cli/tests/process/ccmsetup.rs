//! `cmglab ccmsetup`.

use crate::support::{Running, folder, ran};

#[test]
fn without_a_lab_it_says_how_to_start_one() {
    let (_keep, at) = folder();
    let (code, _out, errors) = ran(
        &at,
        &["ccmsetup", "CCMHOSTNAME=CMG.LAB.TEST/CCM_Proxy_MutualAuth/72057594037938216", "SMSSITECODE=LAB"],
    );
    assert_eq!(code, Some(2));
    assert!(errors.contains("cmglab up"), "{errors}");
}

#[cfg(unix)]
#[test]
fn a_client_of_another_process_installs_and_registers() {
    let (_keep, at) = folder();
    let mut lab = Running::start(&at, &["up"], false);
    lab.wait_for("Ctrl-C stops the lab.");
    let install = |host: &str| {
        let host = format!("CCMHOSTNAME={host}");
        ran(&at, &["ccmsetup", "ccmsetup.exe", &host, "SMSSITECODE=LAB"])
    };

    let (code, out, errors) = install("CMG.LAB.TEST/CCM_Proxy_MutualAuth/72057594037938216");
    assert_eq!(code, Some(0), "{out}{errors}");
    assert!(out.contains("approval status 3"), "{out}");

    let (code, out, errors) = install("cmg.lab.test/ccm_proxy_mutualauth/72057594037938216");
    assert_eq!(code, Some(0), "the role path in lower case: {out}{errors}");

    let (code, _, errors) = install("https://CMG.LAB.TEST/CCM_Proxy_MutualAuth/72057594037938216");
    assert_eq!(code, Some(2));
    assert!(errors.contains("https://"), "{errors}");

    let (code, out, _) = install("CMG.LAB.TSET/CCM_Proxy_MutualAuth/72057594037938216");
    assert_eq!(code, Some(1));
    assert!(out.contains("not a name of this lab"), "{out}");

    let unknown =
        ["ccmsetup", "CCMHOSTNAME=CMG.LAB.TEST/CCM_Proxy_MutualAuth/72057594037938216", "SMSSITECOD=LAB"];
    let (code, _, errors) = ran(&at, &unknown);
    assert_eq!(code, Some(2));
    assert!(errors.contains("SMSSITECODE"), "did you mean: {errors}");

    let (code, out, _) = install("CMG.LAB.TEST/CCM_Proxy_MutualAuth/72057594037938217");
    assert_eq!(code, Some(1));
    assert!(out.contains("role id"), "{out}");
    assert_eq!(lab.stop("-INT"), Some(0));
}
