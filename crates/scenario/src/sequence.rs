//! Hops as a Mermaid sequence diagram.

use std::fmt::Write as _;

use cmglab_events::Role;
use cmglab_lab::Hop;

/// The diagram's source (`sequence.mmd`): who asked whom for what and how it was answered. An arrow with
/// a cross is a request that failed.
#[must_use]
pub fn sequence(title: &str, hops: &[Hop]) -> String {
    let mut text = format!("sequenceDiagram\n    title {}\n", escaped(title, LONGEST));
    for role in ORDER {
        // The stranger of a scenario speaks through the lab; most scenarios have none.
        if role != Role::Lab || hops.iter().any(|hop| hop.from == role || hop.to == role) {
            let _infallible = writeln!(text, "    participant {} as {}", id(role), role.label());
        }
    }
    for hop in hops.iter().take(MOST_ARROWS) {
        let arrow = if hop.succeeded() { "->>" } else { "-x" };
        let (from, to) = (id(hop.from), id(hop.to));
        let _infallible = writeln!(text, "    {from}{arrow}{to}: {}", label(hop));
    }
    if let Some(more) = hops.len().checked_sub(MOST_ARROWS).filter(|more| *more > 0) {
        let _infallible = writeln!(text, "    note over client: {more} more are not drawn");
    }
    text
}

fn label(hop: &Hop) -> String {
    let status = hop.status.map_or_else(|| "no answer".to_owned(), |status| status.to_string());
    let answer = format!("{status} {}", hop.reason);
    format!(
        "{} {} → {}",
        escaped(&hop.method, LONGEST),
        escaped(&hop.target, LONGEST),
        escaped(answer.trim(), LONGEST)
    )
}

/// A participant's name in the source; Mermaid takes a hyphen for the start of an arrow.
fn id(role: Role) -> String {
    role.label().replace('-', "_")
}

/// What ends a statement, starts a comment or an entity, or would be taken for markup, as an entity.
fn escaped(text: &str, most: usize) -> String {
    let mut safe = String::new();
    for (count, c) in text.chars().enumerate() {
        if count == most {
            safe.push('…');
            break;
        }
        match c {
            '#' | ';' | '"' | '\'' | '`' | '<' | '>' | '{' | '}' | '%' | '&' | '\\' => {
                let _infallible = write!(safe, "#{};", u32::from(c));
            }
            c if c.is_control() => safe.push(' '),
            c => safe.push(c),
        }
    }
    safe
}

const ORDER: [Role; 7] = [
    Role::Lab,
    Role::Client,
    Role::Aad,
    Role::Cmg,
    Role::ConnectionPoint,
    Role::ManagementPoint,
    Role::Revocation,
];
const LONGEST: usize = 110;
const MOST_ARROWS: usize = 500;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::hop;

    #[test]
    fn participants_stand_in_the_order_of_the_path() {
        let hops = [
            hop(Role::Client, Role::Cmg, "GET", "/CCM_STS", Some(200), "OK"),
            hop(
                Role::ConnectionPoint,
                Role::ManagementPoint,
                "forward",
                "/CCM_STS",
                Some(401),
                "CMGConnector_Unauthorized",
            ),
            hop(Role::Client, Role::Revocation, "GET", "/cmg-root.crl", None, "refused; \"gone\" #1"),
        ];
        let expected = "sequenceDiagram
    title failures/x
    participant client as client
    participant aad as aad
    participant cmg as cmg
    participant connection_point as connection-point
    participant management_point as management-point
    participant revocation as revocation
    client->>cmg: GET /CCM_STS → 200 OK
    connection_point-xmanagement_point: forward /CCM_STS → 401 CMGConnector_Unauthorized
    client-xrevocation: GET /cmg-root.crl → no answer refused#59; #34;gone#34; #35;1
";
        assert_eq!(sequence("failures/x", &hops), expected);
    }

    #[test]
    fn a_stranger_is_drawn_only_where_there_is_one() {
        assert!(!sequence("x", &[]).contains("participant lab"));
        let hops = [hop(Role::Lab, Role::Cmg, "GET", "/", Some(404), "Not Found")];
        assert!(sequence("x", &hops).contains("participant lab as lab"));
    }

    #[test]
    fn nothing_breaks_out_of_its_line() {
        let nasty = "a\nend\r; %% {x}".repeat(40);
        let hops = [hop(Role::Client, Role::Cmg, "G;T", &nasty, Some(200), "O\nK")];
        let text = sequence("t;\nx", &hops);
        assert_eq!(text.lines().count(), 9, "{text}");
        assert!(text.lines().all(|line| {
            !line
                .replace("#59;", "")
                .replace("#37;", "")
                .replace("#123;", "")
                .replace("#125;", "")
                .contains([';', '%', '{'])
        }));
        let many = vec![hop(Role::Client, Role::Cmg, "GET", "/", Some(200), "OK"); 503];
        assert!(sequence("x", &many).ends_with("note over client: 3 more are not drawn\n"));
    }
}
