//! The documents inside payloads.

use super::*;
use crate::ccm::location::*;
use crate::ccm::registration::*;
use crate::ccm::sign::HashAlgorithm;

fn registration() -> RegistrationData {
    RegistrationData {
        request_type: RequestType::Registration,
        smsid: Some(client()),
        hash_algorithm: HashAlgorithm::Sha256,
        timestamp: time(),
        agent: AgentInformation {
            identity: "CCMSetup.exe".to_owned(),
            version: "5.00.9128.1000".to_owned(),
            agent_type: 0,
        },
        certificates: Some(Certificates { signing: vec![0x30, 1], encryption: vec![0x30, 2] }),
        properties: vec![("Netbios Name".to_owned(), "<\"LAB\" & 'PC'>\n".to_owned())],
        registration_hint: Some("AB".to_owned()),
    }
}

#[test]
fn a_registration_survives_the_wire() {
    let sent = ClientRegistrationRequest::sign(registration(), &*KEY).unwrap();
    let read = ClientRegistrationRequest::parse(&sent.to_xml(), &limits()).unwrap();
    assert_eq!(read, sent);
    assert_eq!(read.data(), &registration());
    assert_eq!(read.verify_signature(&sign::Signer::public_key(&*KEY).unwrap()), Ok(()));

    let sha1 = RegistrationData { hash_algorithm: HashAlgorithm::Sha1, ..registration() };
    assert!(matches!(ClientRegistrationRequest::sign(sha1, &*KEY), Err(CcmError::UnsupportedHash { .. })));
}

#[test]
fn certificates_come_in_either_order() {
    let xml = ClientRegistrationRequest::sign(registration(), &*KEY).unwrap().to_xml();
    let encryption = "<Encryption Encoding=\"HexBinary\" KeyType=\"1\">3002</Encryption>";
    let signing = "<Signing Encoding=\"HexBinary\" KeyType=\"1\">3001</Signing>";
    let both = format!("{encryption}{signing}");
    assert!(xml.contains(&both));
    let swapped = xml.replace(&both, &format!("{signing}{encryption}"));
    let read = ClientRegistrationRequest::parse(&swapped, &limits()).unwrap();
    assert_eq!(read.data().certificates, registration().certificates);
    let odd = xml.replace(">3001<", ">300<");
    assert!(matches!(ClientRegistrationRequest::parse(&odd, &limits()), Err(CcmError::BadValue { .. })));
}

#[test]
fn only_a_confirmation_may_come_without_certificates() {
    let confirmation =
        RegistrationData { request_type: RequestType::Confirmation, certificates: None, ..registration() };
    let xml = ClientRegistrationRequest::sign(confirmation, &*KEY).unwrap().to_xml();
    assert!(ClientRegistrationRequest::parse(&xml, &limits()).is_ok());
    let wrong = xml.replace("\"Confirmation\"", "\"Registration\"");
    let error = ClientRegistrationRequest::parse(&wrong, &limits()).unwrap_err();
    assert_eq!(error, CcmError::Missing { parent: "Data".to_owned(), name: "Certificates" });
}

#[test]
fn the_id_of_a_client_is_a_client_guid_or_nothing() {
    let xml = ClientRegistrationRequest::sign(registration(), &*KEY).unwrap().to_xml();
    let with =
        |id: &str| ClientRegistrationRequest::parse(&xml.replace(&client().to_string(), id), &limits());
    assert_eq!(with("").unwrap().data().smsid, None);
    for bad in ["5DD100CD-DF1D-45F5-BA17-A327F43465F8", "GUID:", "GUID:1' OR 1=1", "x"] {
        assert!(matches!(with(bad), Err(CcmError::BadValue { .. })), "{bad}");
    }
}

#[test]
fn the_response_is_written_attribute_for_attribute() {
    let mut response = ClientRegistrationResponse {
        response_type: RequestType::Registration,
        timestamp: "2026-01-02T03:04:06Z".parse().unwrap(),
        status: RegistrationStatus::Success,
        smsid: Some(client()),
        approval: Approval::Approved,
    };
    assert_eq!(response.to_xml(), vector("reply_xml"));
    assert_eq!(ClientRegistrationResponse::parse(&response.to_xml(), &limits()), Ok(response));

    response.status = RegistrationStatus::Rejected;
    assert!(!response.to_xml().contains("SMSID"));
    let strange = vector("reply_xml").replace("Status=\"0\"", "Status=\"4\"");
    assert!(ClientRegistrationResponse::parse(&strange, &limits()).is_err());
    for approval in [Approval::Unknown, Approval::Pending, Approval::Blocked, Approval::Automatic] {
        response.approval = approval;
        let read = ClientRegistrationResponse::parse(&response.to_xml(), &limits()).unwrap();
        assert_eq!(read.approval, approval);
    }
}

#[test]
fn site_information_survives_the_wire() {
    let request = SiteInformationRequest { site_code: "ABC".parse().unwrap() };
    let text =
        "<SiteInformationRequest SchemaVersion=\"1.00\"><SiteCode Name=\"ABC\"/></SiteInformationRequest>";
    assert_eq!(request.to_xml(), text);
    assert_eq!(LocationRequest::parse(text, &limits()), Ok(LocationRequest::Site(request)));
    assert!(SiteInformationRequest::parse(&text.replace("ABC", "A'C"), &limits()).is_err());

    for settings in [None, Some(true), Some(false)] {
        let reply = SiteInfoReply {
            sites: vec![SiteInfo {
                site_code: "ABC".parse().unwrap(),
                version: "5.00.9128.1000".to_owned(),
                build: 9128,
                default_mp: "mp1.lab.invalid".to_owned(),
                capabilities: vec![Capability::with_version("SSL", "1")],
                settings: settings.map(|clients_check_crl| OperationalSettings { clients_check_crl }),
            }],
        };
        assert_eq!(SiteInfoReply::parse(&reply.to_xml(), &limits()), Ok(reply.clone()));
        assert_eq!(reply.to_xml().contains("<OperationalSettings/>"), settings.is_none());
    }
    let none = SiteInfoReply { sites: Vec::new() };
    assert_eq!(none.to_xml(), "<SiteInfoReply SchemaVersion=\"1.00\"><Sites/></SiteInfoReply>");
    assert_eq!(SiteInfoReply::parse(&none.to_xml(), &limits()), Ok(none));
}

fn content_request(content: ContentWanted) -> ContentLocationRequest {
    ContentLocationRequest {
        content,
        site_code: "ABC".parse().unwrap(),
        client: ClientLocation {
            location_type: "SMSPACKAGE".to_owned(),
            flags: LocationFlags::internet(),
            ad_site: "Default".to_owned(),
            forest: "lab".to_owned(),
            domain: "lab".to_owned(),
            addresses: vec![NetworkAddress {
                subnet: "127.0.0.0".to_owned(),
                address: "127.0.0.1".to_owned(),
            }],
        },
    }
}

#[test]
fn content_is_asked_for_in_two_ways() {
    let package = content_request(ContentWanted::Package { id: "ABC00002".to_owned(), version: 1 });
    let client = content_request(ContentWanted::client_package());
    assert!(client.to_xml().contains("<ClientPackage RequestForLatest=\"0\" DeploymentFlags=\"4098\"/>"));
    assert!(
        package.to_xml().contains("<Package ID=\"ABC00002\" Version=\"1\"/><AssignedSite SiteCode=\"ABC\"/>")
    );
    assert!(package.to_xml().starts_with("<ContentLocationRequest SchemaVersion=\"1.00\" BGRVersion=\"1\">"));
    for request in [package, client] {
        assert_eq!(ContentLocationRequest::parse(&request.to_xml(), &limits()), Ok(request.clone()));
        let both =
            request.to_xml().replace("<AssignedSite", "<Package ID='x'/><ClientPackage/><AssignedSite");
        assert!(matches!(ContentLocationRequest::parse(&both, &limits()), Err(CcmError::Ambiguous { .. })));
        let switch = request.to_xml().replace("UseAzure=\"1\"", "UseAzure=\"2\"");
        assert!(matches!(ContentLocationRequest::parse(&switch, &limits()), Err(CcmError::BadValue { .. })));
    }
    let other = LocationRequest::parse("<AssignedSiteRequest/>", &limits());
    assert_eq!(other, Ok(LocationRequest::Other("AssignedSiteRequest".to_owned())));
}

#[test]
fn content_locations_survive_the_wire() {
    let site = "ABC".parse().unwrap();
    let mut reply = ContentLocationReply {
        hash: Some("AB12".to_owned()),
        hash_algorithm: Some(ContentLocationReply::SHA256),
        package_flags: 0,
        sites: vec![ContentSite {
            site_code: site,
            master_site_code: site,
            locality: "LOCAL".to_owned(),
            http_port: 80,
            https_port: 443,
            records: vec![LocationRecord {
                url: "https://cmg.lab.invalid/get?pid=1&cid=2".to_owned(),
                signature_url: None,
                ad_site: "Default".to_owned(),
                subnets: vec!["127.0.0.0".to_owned()],
                build: 9128,
                capabilities: vec![Capability::with_value("SSLState", "0")],
                server: "dp.lab.invalid".to_owned(),
                kind: "SERVER".to_owned(),
                trusted: true,
                locality: "LOCAL".to_owned(),
            }],
        }],
    };
    let text = reply.to_xml();
    assert!(text.contains("HashAlgorithm=\"32780\"") && text.contains("pid=1&amp;cid=2"), "{text}");
    assert_eq!(ContentLocationReply::parse(&text, &limits()), Ok(reply.clone()));
    assert_eq!(reply.records().count(), 1);

    reply.sites[0].records.clear();
    assert!(reply.to_xml().contains("<LocationRecords/>"));
    assert_eq!(ContentLocationReply::parse(&reply.to_xml(), &limits()), Ok(reply));
}
