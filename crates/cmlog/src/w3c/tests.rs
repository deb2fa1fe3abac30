use jiff::Timestamp;
use proptest::prelude::*;

use super::*;
use crate::any::Format;

/// A scanner's request, from `s-computername` on, with a documentation address as `c-ip`.
const SCANNER: &str = "RD0003FF74XX2 10.0.0.4 GET /CCM_STS - 443 - 192.0.2.7 HTTP/1.1 python-requests/2.20.0 - - \
    13.95.234.44 404 0 2 1477 154 15";

const FILE: &str = "#Software: Microsoft Internet Information Services 10.0\r\n\
    #Version: 1.0\r\n\
    #Date: 2020-06-24 15:31:46\r\n\
    #Fields: date time s-sitename s-computername s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip \
    cs-version cs(User-Agent) cs(Cookie) cs(Referer) cs-host sc-status sc-substatus sc-win32-status sc-bytes \
    cs-bytes time-taken\r\n\
    2020-06-24 15:31:46 W3SVC1 RD0003FF74XX2 10.0.0.4 GET /CCM_STS - 443 - 192.0.2.7 HTTP/1.1 \
    python-requests/2.20.0 - - 13.95.234.44 404 0 2 1477 154 15\r\n";

fn at() -> Timestamp {
    "2020-06-24T15:31:46Z".parse().unwrap()
}

fn scanner() -> Record {
    Record::new(at())
        .with(Field::SiteName, "W3SVC1")
        .with(Field::ComputerName, "RD0003FF74XX2")
        .with(Field::ServerIp, "10.0.0.4")
        .with(Field::Method, "GET")
        .with(Field::UriStem, "/CCM_STS")
        .with(Field::UriQuery, "")
        .with(Field::ServerPort, 443)
        .with(Field::ClientIp, "192.0.2.7")
        .with(Field::Version, "HTTP/1.1")
        .with(Field::UserAgent, "python-requests/2.20.0")
        .with(Field::Host, "13.95.234.44")
        .with(Field::Status, 404)
        .with(Field::Substatus, 0)
        .with(Field::Win32Status, 2)
        .with(Field::BytesSent, 1477)
        .with(Field::BytesReceived, 154)
        .with(Field::TimeTaken, 15)
}

#[test]
fn golden_file_both_ways() {
    let log = Log { sections: vec![Section { header: Header::iis(at()), records: vec![scanner()] }] };
    assert_eq!(log.to_string(), FILE);
    assert_eq!(FILE.parse(), Ok(log));
}

#[test]
fn golden_record_without_its_first_columns() {
    let fields = &Field::ALL[3..];
    let record = Record::parse(SCANNER, fields).unwrap();
    assert_eq!(record.line(fields), SCANNER);
    assert_eq!(record.value(&Field::ClientIp), Some("192.0.2.7"));
    assert_eq!(record.value(&Field::Host), Some("13.95.234.44"));
    assert_eq!(record.value(&Field::TimeTaken), Some("15"));
    assert_eq!((record.value(&Field::UserName), record.at()), (None, None));
    assert_eq!(Record::parse(FILE.lines().last().unwrap(), &Field::ALL).unwrap().at(), Some(at()));
}

#[test]
fn values_take_the_form_of_the_file() {
    let fields = [Field::UserName, Field::UserAgent, Field::Referer];
    let record = Record::default()
        .with(Field::UserName, "#1")
        .with(Field::UserAgent, "SMS CCM\t5.0\r\n")
        .with(Field::Referer, "-");
    assert_eq!(record.line(&fields), "%231 SMS+CCM+5.0++ -");
    assert_eq!(Record::parse(&record.line(&fields), &fields), Ok(record));
}

#[test]
fn columns_follow_the_last_fields_line() {
    let log: Log =
        "\u{feff}#Software: S\n#Version: 1.0\n#Date: 2020-06-24 15:31:46\n#Fields: cs-method X-Own\n\
        GET 1\n\n#Remark: x\nPOST 2\n#Date: 2020-06-25 00:00:00\n#Fields: sc-status\n200\n"
            .parse()
            .unwrap();
    let own: Field = "X-Own".parse().unwrap();
    assert!(matches!(own, Field::Custom(_)));
    let [first, second] = log.sections.as_slice() else { panic!("{log:?}") };
    assert_eq!(first.records[1].value(&own), Some("2"));
    assert_eq!(second.records[0].value(&Field::Status), Some("200"));
    assert_eq!(second.header.software, "S");
    assert_eq!(second.header.date.to_string(), "2020-06-25T00:00:00Z");
    assert_eq!(log.to_string().parse(), Ok(log));
}

#[test]
fn each_defect_has_its_error_and_line() {
    let changed = |from: &str, to: &str| {
        assert!(FILE.contains(from), "{from}");
        match FILE.replace(from, to).parse::<Log>() {
            Err(Error::AtLine { line, cause }) => (line, *cause),
            other => panic!("{other:?}"),
        }
    };
    let missing = |what| Error::Missing { format: Format::W3c, what };
    assert_eq!(changed("#Software", "#Other"), (4, missing("#Software")));
    assert_eq!(changed("#Date", "#Other"), (4, missing("#Date")));
    assert_eq!(changed("#Fields", "#Other"), (5, missing("#Fields")));
    assert_eq!(changed(" 404", ""), (5, Error::Columns { expected: 22, found: 21 }));
    assert_eq!(changed("date time", "date date"), (4, Error::Duplicate { name: "date".into() }));
    assert!(matches!(changed("#Date: 2020", "#Date: x"), (3, Error::Directive { name: "Date", .. })));
    assert!(matches!(changed(" W3SVC1", "x W3SVC1"), (5, Error::Time { .. })));
    assert!(matches!(changed("date time", "d\u{e4}te time"), (4, Error::Field { .. })));
    let long = "x".repeat(257);
    assert!(matches!(changed("Microsoft", &long), (1, Error::Directive { name: "Software", .. })));
}

#[test]
fn fields_have_a_limit() {
    let file = |count: usize| {
        let names: Vec<String> = (0..count).map(|n| format!("x{n}")).collect();
        format!("#Software: S\n#Version: 1\n#Date: 2020-06-24 15:31:46\n#Fields: {}\n", names.join(" "))
    };
    assert!(file(MAX_FIELDS).parse::<Log>().is_ok());
    let limit = MAX_FIELDS;
    assert_eq!(file(limit + 1).parse::<Log>(), Err(Error::TooManyFields { limit }.at_line(4)));
}

#[test]
fn every_standard_name_is_read_as_its_field() {
    for field in Field::ALL {
        assert_eq!(field.to_string().parse(), Ok(field));
    }
}

proptest! {
    #[test]
    fn what_is_written_is_read(
        values in prop::collection::vec(("(?s:[-#+]?.{0,10})", 2..22_usize), 0..20),
        second in -60_000_000_000_i64..250_000_000_000,
    ) {
        let at = Timestamp::from_second(second).unwrap();
        let mut record = Record::new(at);
        for (value, index) in values {
            record.set(Field::ALL[index].clone(), value);
        }
        let log = Log { sections: vec![Section { header: Header::iis(at), records: vec![record.clone(), record] }] };
        let read: Log = log.to_string().parse().unwrap();
        prop_assert_eq!(read.sections[0].records[0].at(), Some(at));
        prop_assert_eq!(read, log);
    }

    #[test]
    fn no_text_panics(text in "((#Software|#Version|#Date|#Fields): ?|[ -~]{0,20}|\n|2020-01-01 00:00:00|é){0,20}") {
        let _ = text.parse::<Log>();
    }

    #[test]
    fn no_damage_panics(at in 0..FILE.len(), cut in 0..8_usize, put in "(?s:.{0,3})") {
        let damaged = [&FILE[..at], &put, &FILE[(at + cut).min(FILE.len())..]].concat();
        let _ = damaged.parse::<Log>();
    }
}
