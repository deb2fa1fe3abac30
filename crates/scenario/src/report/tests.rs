use super::*;
use crate::RunReport;
use crate::testing::{failed, passed};

fn runs() -> [RunReport; 2] {
    [passed("install/device-token"), failed("failures/x<y")]
}

#[test]
fn json_has_everything_and_a_version() {
    let value: serde_json::Value = serde_json::from_str(&json(&runs())).unwrap();
    assert_eq!(value["version"], 1);
    assert_eq!(value["runs"][0]["verdict"]["passed"], true);
    assert_eq!(value["runs"][1]["steps"][0]["outcome"]["ended"], "failed");
    assert_eq!(value["runs"][1]["verdict"]["first_failing_hop"]["to"], "cmg");
}

#[test]
fn junit_is_well_formed_and_counts() {
    let xml = junit(&runs());
    let expected = r#"<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="cmglab" tests="2" failures="1" errors="0" time="3.000">
  <testsuite name="scenarios" tests="2" failures="1" errors="0" time="3.000">
    <testcase classname="install" name="device-token" time="1.500"/>
    <testcase classname="failures" name="x&lt;y" time="1.500">
      <failure type="expectation" message="a line &quot;b&quot; # c">none | of  them&#10;look</failure>
    </testcase>
  </testsuite>
</testsuites>
"#;
    assert_eq!(xml, expected);
    let mut reader = quick_xml::Reader::from_str(&xml);
    loop {
        if matches!(reader.read_event().unwrap(), quick_xml::events::Event::Eof) {
            break;
        }
    }
}

#[test]
fn tap_has_a_plan_and_a_block_for_what_failed() {
    let expected = r#"TAP version 14
1..2
ok 1 - install/device-token
not ok 2 - failures/x<y
  ---
  failures:
    - expected: "a line \"b\" # c"
      actual: "none | of\n them"
      hint: "look"
  ...
"#;
    assert_eq!(tap(&runs()), expected);
}

#[test]
fn markdown_is_a_table_with_details_of_what_failed() {
    let expected = r#"# Scenarios: 1 of 2 passed

| Scenario | Result | Hops | First failing hop | Time |
|---|---|---:|---|---:|
| install/device-token | passed | 0 |  | 1500 ms |
| failures/x\<y | **failed** | 1 | client → cmg: 401 CMGService\_Invalid\_Token | 1500 ms |

## failures/x\<y

About.

- expected a line "b" \# c
  - actual: none \| of  them
  - hint: look

Steps:

1. register (failed: no)
"#;
    assert_eq!(markdown(&runs()), expected);
}

#[test]
fn no_runs_are_no_trouble() {
    assert!(json(&[]).contains("\"runs\": []"));
    assert!(junit(&[]).contains("tests=\"0\""));
    assert_eq!(tap(&[]), "TAP version 14\n1..0\n");
    assert!(markdown(&[]).starts_with("# Scenarios: 0 of 0 passed"));
}
