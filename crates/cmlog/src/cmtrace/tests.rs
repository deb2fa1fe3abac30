use proptest::prelude::*;

use super::*;

const ISSUED: &str = r#"<![LOG[Issued token]LOG]!><time="17:31:46.376-120" date="06-24-2020" component="CCM_STS" context="" type="1" thread="4992" file="sts.cpp:12">"#;

fn issued() -> Line {
    Line {
        text: "Issued token".into(),
        at: "2020-06-24T15:31:46.376Z".parse().unwrap(),
        bias: Bias::new(-120).unwrap(),
        component: "CCM_STS".into(),
        context: String::new(),
        severity: Severity::Info,
        thread: 4992,
        source: "sts.cpp:12".into(),
    }
}

#[test]
fn golden_line_both_ways() {
    assert_eq!(issued().to_string(), ISSUED);
    assert_eq!(Line::parse(ISSUED), Ok(issued()));
    assert_eq!(Line::parse(&format!("{ISSUED}\r\n")), Ok(issued()));
}

#[test]
fn local_time_crosses_midnight_at_each_bias() {
    for (bias, at, stamp) in [
        (0, "2020-06-24T23:59:59.999Z", r#"time="23:59:59.999+000" date="06-24-2020""#),
        (-120, "2020-12-31T22:30:00.001Z", r#"time="00:30:00.001-120" date="01-01-2021""#),
        (480, "2020-03-01T07:59:00Z", r#"time="23:59:00.000+480" date="02-29-2020""#),
        (-345, "2020-06-24T18:15:00Z", r#"time="00:00:00.000-345" date="06-25-2020""#),
        (-345, "2020-06-24T18:14:59.999Z", r#"time="23:59:59.999-345" date="06-24-2020""#),
    ] {
        let line = Line { bias: Bias::new(bias).unwrap(), at: at.parse().unwrap(), ..issued() };
        assert!(line.to_string().contains(stamp), "{line}");
        assert_eq!(Line::parse(&line.to_string()), Ok(line));
    }
}

#[test]
fn text_keeps_its_line_breaks() {
    let line = Line { text: "one\r\n  two\n\nthree".into(), ..issued() };
    assert_eq!(Line::parse(&line.to_string()), Ok(line));
}

#[test]
fn text_cannot_forge_an_end_or_a_start() {
    let line = Line { text: "a]LOG]!>b\n<![LOG[c".into(), ..issued() };
    let read = Line::parse(&line.to_string()).unwrap();
    assert_eq!(read.text, "a]LOG]! >b\n <![LOG[c");
    assert_eq!(read, line.as_written());
    let harmless = Line { text: "a]LOG]".into(), ..issued() };
    assert_eq!(Line::parse(&harmless.to_string()), Ok(harmless));
}

#[test]
fn attributes_cannot_be_forged() {
    let line = Line { component: "a\" type=\"3".into(), source: "x\r\ny".into(), ..issued() };
    let read = Line::parse(&line.to_string()).unwrap();
    assert_eq!((read.component.as_str(), read.severity), ("a' type='3", Severity::Info));
    assert_eq!(read.source, "x  y");
}

#[test]
fn attributes_come_in_any_order() {
    let line = Line::parse(
        r#"<![LOG[x]LOG]!><thread="1" type="0" component="c" date="6-4-2020" extra="e" time="01:02:03.5+0">"#,
    )
    .unwrap();
    assert_eq!(line.at.to_string(), "2020-06-04T01:02:03.5Z");
    assert_eq!((line.severity, line.thread, line.source.as_str()), (Severity::Verbose, 1, ""));
}

#[test]
fn each_defect_has_its_error() {
    let changed = |from: &str, to: &str| {
        assert!(ISSUED.contains(from), "{from}");
        Line::parse(&ISSUED.replace(from, to)).unwrap_err()
    };
    let missing = |what| Error::Missing { format: Format::CmTrace, what };
    assert_eq!(changed(START, ""), missing(START));
    assert_eq!(changed(END, ""), missing(END));
    assert_eq!(changed(r#" component="CCM_STS""#, ""), missing("component"));
    assert_eq!(changed(r#"type="1""#, r#"type="4""#), Error::Severity { value: "4".into() });
    assert_eq!(changed(r#"thread="4992""#, r#"thread="-1""#), Error::Thread { value: "-1".into() });
    assert_eq!(changed("-120", "-1441"), Error::Bias { value: "-1441".into() });
    assert_eq!(changed(r#"context="""#, r#"type="1""#), Error::Duplicate { name: "type".into() });
    for (from, to) in [("-120", "+-120"), ("-120", ""), ("17:31", "24:31"), ("06-24", "02-30")] {
        assert!(matches!(changed(from, to), Error::Time { .. }), "{from} {to}");
    }
    for (from, to) in
        [(r#":12">"#, r#":12""#), (r#":12">"#, ":12>"), ("<time", "time"), (r#""4992""#, "4992")]
    {
        assert!(matches!(changed(from, to), Error::Attributes { .. }), "{from} {to}");
    }
}

#[test]
fn the_longest_line_is_read_and_no_longer_one() {
    let frame = Line { text: String::new(), ..issued() }.to_string().len();
    let longest = Line { text: "x".repeat(crate::MAX_LINE_BYTES - frame), ..issued() };
    assert_eq!(Line::parse(&format!("{longest}\r\n")), Ok(longest.clone()));
    let longer = Line { text: format!("{}x", longest.text), ..longest };
    let (bytes, limit) = (crate::MAX_LINE_BYTES + 1, crate::MAX_LINE_BYTES);
    assert_eq!(Line::parse(&longer.to_string()), Err(Error::LineTooLong { bytes, limit }));
}

#[test]
fn every_instant_can_be_written() {
    for at in [Timestamp::MIN, Timestamp::MAX, Timestamp::UNIX_EPOCH] {
        for bias in [-1440, 0, 1440] {
            let line = Line { at, bias: Bias::new(bias).unwrap(), ..issued() };
            assert_eq!(Line::parse(&line.to_string()), Ok(line.as_written()));
        }
    }
    let exact = Line { at: "1969-12-31T23:59:59.9996Z".parse().unwrap(), ..issued() };
    assert_eq!(exact.as_written().at.to_string(), "1969-12-31T23:59:59.999Z");
}

prop_compose! {
    fn any_line()(
        text in "(?s:(.|\\]LOG\\]!>|<!\\[LOG\\[|\r\n|\n|~|\\$\\$<){0,12})",
        (component, context, source) in ("(?s:.{0,8})", "(?s:.{0,8})", "(?s:[\"<>\n].{0,8})"),
        milliseconds in -60_000_000_000_000_i64..250_000_000_000_000,
        bias in -1440..=1440_i32,
        severity in prop::sample::select(vec![
            Severity::Verbose, Severity::Info, Severity::Warning, Severity::Error,
        ]),
        thread: u32,
    ) -> Line {
        let at = Timestamp::from_millisecond(milliseconds).unwrap();
        Line { text, at, bias: Bias::new(bias).unwrap(), component, context, severity, thread, source }
    }
}

proptest! {
    #[test]
    fn what_is_written_is_read(line in any_line()) {
        let written = line.to_string();
        let read = Line::parse(&written).unwrap();
        prop_assert_eq!(read.at, line.at);
        prop_assert_eq!(&read, &line.as_written());
        prop_assert_eq!(read.to_string(), written);
    }

    #[test]
    fn no_text_panics(text in "(?s:.{0,200})") {
        let _ = Line::parse(&text);
    }

    #[test]
    fn no_damage_panics(at in 0..ISSUED.len(), cut in 0..8_usize, put in "(?s:.{0,3})") {
        let damaged = [&ISSUED[..at], &put, &ISSUED[(at + cut).min(ISSUED.len())..]].concat();
        let _ = Line::parse(&damaged);
    }
}
