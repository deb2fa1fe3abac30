//! The heartbeat: a discovery data record with its report attached (mp-wire §7.1).
//!
//! Fidelity: documented for the elements, lab for how little the report says.

use cmglab_proto::ccm::xml::Element;
use cmglab_proto::ccm::{Endpoint, ReplyMode};
use cmglab_proto::ids::ClientGuid;
use jiff::Timestamp;

use super::Message;
use crate::Machine;

pub(super) fn heartbeat(client: ClientGuid, version: &str, machine: &Machine, now: Timestamp) -> Message {
    let header = header(client, version, machine, now);
    let report = Element::new("Report").with_child(header.clone()).with_child(body(machine));
    Message {
        endpoint: Endpoint::Ddr,
        payload: Element::new("Report").with_child(header).to_xml(),
        attachments: vec![(ACTION.to_owned(), report.to_xml())],
        mode: ReplyMode::Async,
    }
}

fn header(client: ClientGuid, version: &str, machine: &Machine, now: Timestamp) -> Element {
    let date = now.strftime("%Y%m%d%H%M%S.000000+000").to_string();
    let identification = Element::new("Machine")
        .with_leaf("ClientInstalled", 1)
        .with_leaf("ClientType", 1)
        .with_leaf("ClientID", client)
        .with_leaf("ClientVersion", version)
        .with_leaf("NetBIOSName", &machine.host_name)
        .with_leaf("CodePage", 437)
        .with_leaf("SystemDefaultLCID", 1033)
        .with_leaf("Priority", 5);
    let details = Element::new("ReportDetails")
        .with_leaf("ReportContent", "Inventory Data")
        .with_leaf("ReportType", "Full")
        .with_leaf("Date", &date)
        .with_leaf("Version", "1.0")
        .with_leaf("Format", "1.1");
    let action = Element::new("InventoryAction")
        .with_attribute("ActionType", "Predefined")
        .with_leaf("InventoryActionID", ACTION)
        .with_leaf("Description", "Discovery")
        .with_leaf("InventoryActionLastUpdateTime", &date);
    Element::new("ReportHeader")
        .with_child(Element::new("Identification").with_child(identification))
        .with_child(details)
        .with_child(action)
}

fn body(machine: &Machine) -> Element {
    let system = Element::new("CCM_ComputerSystem")
        .with_leaf("Name", &machine.host_name)
        .with_leaf("Domain", &machine.domain);
    let instance = Element::new("Instance")
        .with_attribute("Class", "CCM_ComputerSystem")
        .with_attribute("Content", "New")
        .with_attribute("Namespace", r"\\.\root\ccm\invagt")
        .with_attribute("ParentClass", "CCM_ComputerSystem")
        .with_child(system);
    Element::new("ReportBody").with_child(instance)
}

/// Discovery, as an action and as the name of the report.
const ACTION: &str = "{00000000-0000-0000-0000-000000000003}";
