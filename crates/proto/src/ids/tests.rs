use proptest::prelude::*;

use super::*;

const GUID: &str = "5dd100cd-df1d-45f5-ba17-a327f43465f8";

#[test]
fn each_guid_type_has_one_spelling_and_reads_them_all() {
    let upper = GUID.to_ascii_uppercase();
    for text in [GUID.to_owned(), upper.clone(), format!("{{{upper}}}")] {
        let tenant: TenantId = text.parse().unwrap();
        assert_eq!(tenant.to_string(), GUID);
        assert_eq!(tenant.upper(), upper);
        assert_eq!(tenant.braced(), format!("{{{upper}}}"));
    }
    let client: ClientGuid = format!("guid:{GUID}").parse().unwrap();
    assert_eq!(client.to_string(), format!("GUID:{upper}"));
}

#[test]
fn what_is_not_a_guid_is_refused() {
    for text in
        ["", "5dd100cddf1d45f5ba17a327f43465f8", "{5dd1", &format!("{GUID}'--"), &format!("x{}", &GUID[1..])]
    {
        assert!(
            matches!(text.parse::<DeviceId>(), Err(IdError::NotAGuid { what: "device id", .. })),
            "{text}"
        );
    }
    assert!(matches!(GUID.parse::<ClientGuid>(), Err(IdError::NoGuidPrefix { .. })));
    assert!(format!("GUID:{GUID}").parse::<ClientGuid>().is_ok());
}

#[test]
fn role_ids_add_the_site_in_the_top_byte() {
    let role = RoleId::new(1, 10280);
    assert_eq!(role.to_string(), "72057594037938216");
    assert_eq!((role.site(), role.counter()), (1, 10280));
    assert_eq!("72057594037938216".parse(), Ok(role));
    assert_eq!("9".parse(), Ok(RoleId::from_u64(9)));
    for text in ["", "+9", "-1", "0x9", "18446744073709551616", "9 ", "09", "00"] {
        assert!(text.parse::<RoleId>().is_err(), "{text}");
    }
}

#[test]
fn site_codes_are_three_characters_in_upper_case() {
    assert_eq!("lab".parse::<SiteCode>().unwrap().as_str(), "LAB");
    for text in ["", "LA", "LABS", "L-B", "Läb"] {
        assert!(text.parse::<SiteCode>().is_err(), "{text}");
    }
}

#[test]
fn json_holds_the_written_spelling() {
    let client: ClientGuid = format!("GUID:{GUID}").parse().unwrap();
    let json = serde_json::to_string(&(client, RoleId::new(1, 3))).unwrap();
    assert_eq!(json, format!("[\"GUID:{}\",\"72057594037927939\"]", GUID.to_ascii_uppercase()));
    assert_eq!(serde_json::from_str::<(ClientGuid, RoleId)>(&json).unwrap(), (client, RoleId::new(1, 3)));
    assert!(serde_json::from_str::<SiteCode>("\"LAB!\"").is_err());
}

proptest! {
    #[test]
    fn any_text_is_read_without_panic(text in ".*") {
        let _ = (text.parse::<ClientGuid>(), text.parse::<TenantId>(), text.parse::<RoleId>(), text.parse::<SiteCode>());
    }

    #[test]
    fn every_id_round_trips(bytes: [u8; 16], number: u64) {
        let client = ClientGuid::new(Uuid::from_bytes(bytes));
        prop_assert_eq!(client.to_string().parse(), Ok(client));
        prop_assert_eq!(RoleId::from_u64(number).to_string().parse(), Ok(RoleId::from_u64(number)));
    }
}
