use proptest::prelude::*;

use super::*;

const CMTRACE: &str = "<![LOG[one\r\ntwo  $$<x>\r\n\r\nthree]LOG]!><time=\"15:31:46.376+000\" date=\"06-24-2020\" \
    component=\"c\" context=\"\" type=\"2\" thread=\"1\" file=\"\">";
const SIMPLE: &str = "text~~  $$<CMGService><06-24-2020 15:31:46.376+00><thread=4992 (0x1380)>";
const HEADER: &str =
    "#Software: S\r\n#Version: 1.0\r\n#Date: 2020-06-24 15:31:46\r\n#Fields: cs-method sc-status";

fn formats(text: &str) -> Vec<Option<Format>> {
    parse_any(text).map(|line| line.format()).collect()
}

fn other(text: &str) -> Vec<(usize, String, Option<Error>)> {
    let others = parse_any(text).filter_map(|line| match line {
        AnyLine::Other { line, text, cause } => Some((line, text, cause)),
        _ => None,
    });
    others.collect()
}

#[test]
fn mixed_formats_are_told_apart() {
    let text =
        format!("\u{feff}{CMTRACE}\r\n{SIMPLE}\r\n\r\n{HEADER}\r\nGET 200\r\nfree text here\r\n{SIMPLE}");
    use Format::{CmTrace, Simple, W3c};
    assert_eq!(formats(&text), [Some(CmTrace), Some(Simple), Some(W3c), Some(W3c), None, Some(Simple)]);
    assert_eq!(
        other(&text),
        [(12, "free text here".to_owned(), Some(Error::Columns { expected: 2, found: 3 }))]
    );
}

#[test]
fn a_text_of_several_lines_is_one_record() {
    let text = format!("{CMTRACE}\n{CMTRACE}");
    let texts: Vec<String> = parse_any(&text)
        .map(|line| match line {
            AnyLine::CmTrace(line) => line.text,
            line => panic!("{line:?}"),
        })
        .collect();
    assert_eq!(texts, ["one\r\ntwo  $$<x>\r\n\r\nthree"; 2]);
}

#[test]
fn a_record_that_was_cut_off_does_not_swallow_the_next() {
    let text = format!("<![LOG[half\r\na record\r\n{CMTRACE}\r\n<![LOG[end");
    assert_eq!(formats(&text), [None, None, Some(Format::CmTrace), None]);
    let cause = Some(Error::Missing { format: Format::CmTrace, what: "]LOG]!>" });
    assert_eq!(other(&text)[0], (1, "<![LOG[half".to_owned(), cause.clone()));
    assert_eq!(other(&text)[1], (2, "a record".to_owned(), None));
    assert_eq!(other(&text)[2], (7, "<![LOG[end".to_owned(), cause));
}

#[test]
fn a_damaged_line_tells_its_cause() {
    let damaged = SIMPLE.replace("0x1380", "0x1381");
    let cause = Error::Thread { value: "thread=4992 (0x1381)".into() };
    assert_eq!(other(&damaged), [(1, damaged.clone(), Some(cause))]);
    let damaged = CMTRACE.replace("type=\"2\"", "type=\"9\"");
    assert_eq!(other(&damaged), [(1, damaged.clone(), Some(Error::Severity { value: "9".into() }))]);
    let long = "x".repeat(crate::MAX_LINE_BYTES + 1);
    assert!(matches!(other(&long)[..], [(1, _, Some(Error::LineTooLong { .. }))]));
    assert!(matches!(other(&long[1..])[..], [(1, _, None)]));
}

#[test]
fn a_hash_alone_makes_no_directive() {
    assert_eq!(formats(&format!("#{SIMPLE}")), [Some(Format::Simple)]);
    assert_eq!(formats("#Remark: x"), [None]);
}

#[test]
fn the_first_known_line_decides() {
    assert_eq!(detect(&format!("hello\n{SIMPLE}")), Some(Format::Simple));
    assert_eq!(detect(CMTRACE), Some(Format::CmTrace));
    assert_eq!(detect(HEADER), Some(Format::W3c));
    assert_eq!(detect("GET 200"), None);
    assert_eq!(detect(""), None);
}

proptest! {
    #[test]
    fn no_text_panics_and_no_line_is_lost(
        parts in prop::collection::vec(
            prop_oneof![
                Just(CMTRACE), Just(SIMPLE), Just(HEADER), Just("<![LOG["), Just("]LOG]!>"), Just("$$<"),
                Just("\r\n"), Just("\n"), Just("GET 200"), Just("#Fields: "), Just("é"),
            ],
            0..30,
        ),
    ) {
        let text = parts.concat();
        prop_assert!(parse_any(&text).count() <= text.lines().count());
        for line in parse_any(&text) {
            if let AnyLine::Other { line, text: found, .. } = line {
                prop_assert!(text.lines().nth(line - 1).unwrap().starts_with(found.lines().next().unwrap()));
            }
        }
    }

    #[test]
    fn written_records_are_found_again(texts in prop::collection::vec("(?s:(.|\n<!\\[LOG\\[|\\]LOG\\]!>|\r\n){0,6})", 1..6)) {
        let Some(AnyLine::CmTrace(frame)) = parse_any(CMTRACE).next() else { panic!() };
        let lines: Vec<cmtrace::Line> =
            texts.into_iter().map(|text| cmtrace::Line { text, ..frame.clone() }).collect();
        let file: String = lines.iter().map(|line| format!("{line}\r\n")).collect();
        let read: Vec<AnyLine> = parse_any(&file).collect();
        let written: Vec<AnyLine> = lines.iter().map(|line| AnyLine::CmTrace(line.as_written())).collect();
        prop_assert_eq!(read, written);
    }
}
