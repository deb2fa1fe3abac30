use proptest::prelude::*;

use super::*;

const SAMPLE: &str = "RequestUri: /CCM_PROXY_SERVERAUTH/<id>/CCM_STS  RequestCount: 1  RequestSize: 1974 Bytes  \
    ResponseCount: 1  ResponseSize: 1566 Bytes  AverageElapsedTime: 218 ms~~  \
    $$<CMGService><06-24-2020 15:31:46.376+00><thread=4992 (0x1380)>";

fn sample() -> Line {
    let (text, _) = SAMPLE.split_once("~~").unwrap();
    Line {
        text: text.into(),
        component: "CMGService".into(),
        at: "2020-06-24T15:31:46.376Z".parse().unwrap(),
        bias: Bias::UTC,
        thread: 4992,
    }
}

#[test]
fn golden_line_both_ways() {
    assert_eq!(sample().to_string(), SAMPLE);
    assert_eq!(Line::parse(SAMPLE), Ok(sample()));
    assert_eq!(Line::parse(&format!("{SAMPLE}\r\n")), Ok(sample()));
}

#[test]
fn local_time_crosses_midnight_at_each_bias() {
    for (bias, at, stamp) in [
        (0, "2020-06-24T00:00:00Z", "<06-24-2020 00:00:00.000+00>"),
        (-120, "2020-12-31T22:30:00.001Z", "<01-01-2021 00:30:00.001-120>"),
        (480, "2020-03-01T07:59:00Z", "<02-29-2020 23:59:00.000+480>"),
        (-345, "2020-06-24T18:15:00Z", "<06-25-2020 00:00:00.000-345>"),
    ] {
        let line = Line { bias: Bias::new(bias).unwrap(), at: at.parse().unwrap(), ..sample() };
        assert!(line.to_string().contains(stamp), "{line}");
        assert_eq!(Line::parse(&line.to_string()), Ok(line));
    }
}

#[test]
fn a_line_break_is_one_mark_for_each_character() {
    let line = Line { text: "WebException: (403) Forbidden.\r\n   at A()\n at B()".into(), ..sample() };
    let written = line.to_string();
    assert!(written.starts_with("WebException: (403) Forbidden.~~   at A()~ at B()~~  $$<"), "{written}");
    assert_eq!(Line::parse(&written), Ok(line.as_written()));
}

#[test]
fn the_end_of_the_text_may_have_fewer_marks() {
    for (end, text) in [("~~  ", "a"), ("~  ", "a"), ("  ", "a"), ("", "a"), ("~~~  ", "a~"), (" ~~  ", "a ")]
    {
        let line = format!("a{end}$$<C><06-24-2020 15:31:46.376+000><thread=10 (0xa)>");
        assert_eq!(Line::parse(&line).map(|line| line.text).as_deref(), Ok(text), "{line}");
    }
}

#[test]
fn neither_text_nor_component_can_forge_the_end() {
    let tail = SAMPLE.split_once("~~").unwrap().1;
    let line = Line { text: format!("x~~{tail}"), component: "a><b$$<c".into(), ..sample() };
    let read = Line::parse(&line.to_string()).unwrap();
    assert_eq!((&read.text, read.component.as_str()), (&line.text, "a__b$$_c"));
    assert_eq!(read.at, line.at);
}

#[test]
fn each_defect_has_its_error() {
    let changed = |from: &str, to: &str| {
        assert!(SAMPLE.contains(from), "{from}");
        Line::parse(&SAMPLE.replace(from, to)).unwrap_err()
    };
    let missing = |what| Error::Missing { format: Format::Simple, what };
    assert_eq!(changed(MARK, "$<"), missing(MARK));
    assert_eq!(changed("(0x1380)>", "(0x1380)"), missing("the closing >"));
    assert_eq!(changed("<thread=4992 (0x1380)>", ""), missing("the thread"));
    assert_eq!(
        changed("<06-24-2020 15:31:46.376+00><thread=4992 (0x1380)>", ""),
        missing("the date and time")
    );
    assert_eq!(changed("2020 15", "2020-15"), missing("the time"));
    assert_eq!(changed("+00", "+1441"), Error::Bias { value: "+1441".into() });
    assert!(matches!(changed("06-24", "13-24"), Error::Time { .. }));
    assert!(matches!(changed("+00", ""), Error::Time { .. }));
    for (from, to) in [("0x1380", "0x1381"), ("4992 ", "4992"), ("4992", "-1"), ("<thread", "<x><thread")] {
        assert!(matches!(changed(from, to), Error::Thread { .. } | Error::Time { .. }), "{from} {to}");
    }
}

#[test]
fn a_longer_line_than_the_limit_is_refused() {
    let line = Line { text: "x".repeat(crate::MAX_LINE_BYTES), ..sample() }.to_string();
    let (bytes, limit) = (line.len(), crate::MAX_LINE_BYTES);
    assert_eq!(Line::parse(&line), Err(Error::LineTooLong { bytes, limit }));
}

prop_compose! {
    fn any_line()(
        text in "(?s:(.|~|  |\\$\\$<|><|\r\n|\n){0,12})",
        component in "(?s:.{0,8}[<>$\n]?)",
        milliseconds in -60_000_000_000_000_i64..250_000_000_000_000,
        bias in -1440..=1440_i32,
        thread: u32,
    ) -> Line {
        let at = Timestamp::from_millisecond(milliseconds).unwrap();
        Line { text, component, at, bias: Bias::new(bias).unwrap(), thread }
    }
}

proptest! {
    #[test]
    fn what_is_written_is_read(line in any_line()) {
        let written = line.to_string();
        prop_assert!(!written.contains(['\r', '\n']));
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
    fn no_damage_panics(at in 0..SAMPLE.len(), cut in 0..8_usize, put in "(?s:.{0,3})") {
        let damaged = [&SAMPLE[..at], &put, &SAMPLE[(at + cut).min(SAMPLE.len())..]].concat();
        let _ = Line::parse(&damaged);
    }
}
