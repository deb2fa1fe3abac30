use proptest::prelude::*;

use super::*;

fn whole(pattern: &str, text: &str) -> bool {
    Pattern::parse(pattern).unwrap().matches(text, Extent::Whole)
}

#[test]
fn each_variable_stands_for_its_kind_alone() {
    let guid = "5dd100cd-df1d-45f5-ba17-a327f43465f8";
    assert!(whole("for GUID:{guid} ...", &format!("for GUID:{} ...", guid.to_uppercase())));
    assert!(!whole("{guid}", "5dd100cd-df1d-45f5-ba17-a327f43465f"));
    assert!(whole(
        "'{host}/CCM_Proxy_MutualAuth/{id}'",
        "'CMG.LAB.TEST/CCM_Proxy_MutualAuth/72057594037938216'"
    ));
    assert!(!whole("'{host}/x'", "'CMG_LAB/x'"));
    assert!(!whole("{id}", "7a"));
    assert!(whole("expire at '{time}'", "expire at '06/25/2020 08:29:35'"));
    assert!(!whole("expire at '{time}'", "expire at '06/25/2020'"));
    assert!(whole("{time} RD {address} x", "2026-06-25 08:29:35 RD 10.0.0.4 x"));
    assert!(whole("{address}", "::1"));
    assert!(!whole("{address}", "10.0.0.400"));
    assert!(whole("Average: {time}", "Average: 218 ms") && whole("Average: {time} ms", "Average: 218 ms"));
    assert!(!whole("Size: {size} Bytes", "Size: -1 Bytes") && !whole("Size: {size} Bytes", "Size:  Bytes"));
}

#[test]
fn neighbours_share_the_text_between_them() {
    assert!(whole("{host}.TEST", "CMG.LAB.TEST"));
    assert!(whole("{count}0{count}", "1001"));
    assert!(!whole("{count}5{count}", "1001"));
    assert!(whole("{host}:{count}", "CMG.LAB.TEST:10124"));
}

#[test]
fn a_start_leaves_the_rest_open_and_a_whole_does_not() {
    let pattern = Pattern::parse("Sending '{host}'").unwrap();
    assert!(pattern.matches("Sending 'a' with payload", Extent::Start));
    assert!(!pattern.matches("Sending 'a' with payload", Extent::Whole));
    assert!(!pattern.matches("Then Sending 'a'", Extent::Start));
    assert_eq!(pattern.agreement("Sending 'a"), 10);
    assert_eq!(pattern.agreement("Sent"), 3);
}

#[test]
fn braces_are_doubled() {
    assert!(whole("code {{{guid}}", "code {5dd100cd-df1d-45f5-ba17-a327f43465f8}"));
    assert!(whole("a } b {{ c", "a } b { c"));
    assert_eq!(Pattern::parse("a {guid").unwrap_err(), PatternError::Unclosed { at: 3 });
    assert_eq!(
        Pattern::parse("a {giud}").unwrap_err().to_string(),
        "`{giud}` is not a variable; did you mean `guid`? (`{{` stands for a brace)"
    );
    assert_eq!(Pattern::parse("").unwrap_err(), PatternError::Empty);
    assert_eq!(Pattern::parse(&"x".repeat(5000)).unwrap_err(), PatternError::TooLong { bytes: 5000 });
}

proptest! {
    #[test]
    fn literal_text_matches_itself_only(text in ".{1,60}", other in ".{1,60}") {
        let pattern = Pattern::parse(&Pattern::escaped(&text)).unwrap();
        prop_assert!(pattern.matches(&text, Extent::Whole));
        prop_assert_eq!(pattern.matches(&other, Extent::Whole), text == other);
        prop_assert_eq!(pattern.matches(&other, Extent::Start), other.starts_with(&text));
    }

    #[test]
    fn any_text_is_read_and_compared_without_panic(
        pattern in "([a-c0-9 :{}]|\\{(guid|host|time|address|id)\\}){1,12}", text in "[a-c0-9 :.é-]{0,80}"
    ) {
        if let Ok(pattern) = Pattern::parse(&pattern) {
            let whole = pattern.matches(&text, Extent::Whole);
            prop_assert!(!whole || pattern.matches(&text, Extent::Start));
            prop_assert!(pattern.agreement(&text) <= text.len());
        }
    }
}
