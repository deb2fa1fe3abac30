//! The documented parameters and properties, and which of them this client carries out.

use super::{CommandLineError, words};

/// One parameter (with its slash) or property.
pub(super) struct Known {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
}

#[derive(Clone, Copy)]
pub(super) enum Kind {
    /// Documented and refused; the text names the gap.
    NotBuilt(&'static str),
    /// A number in a range; no effect on the protocol.
    Number(Range),
    /// No value.
    Switch,
    /// Any text.
    Text,
    /// One of these words; no effect on the protocol.
    Word(Words),
}

#[derive(Clone, Copy)]
pub(super) struct Range {
    from: u32,
    to: u32,
    words: &'static str,
}

impl Range {
    pub(super) fn check(self, name: &'static str, value: &str) -> Result<(), CommandLineError> {
        let within = |number| (self.from..=self.to).contains(&number);
        if value.parse().is_ok_and(within) {
            return Ok(());
        }
        Err(CommandLineError::BadValue { name, expected: self.words, got: words::shown(value) })
    }
}

#[derive(Clone, Copy)]
pub(super) struct Words {
    allowed: &'static [&'static str],
    words: &'static str,
}

impl Words {
    pub(super) fn check(self, name: &'static str, value: &str) -> Result<(), CommandLineError> {
        if self.allowed.iter().any(|word| word.eq_ignore_ascii_case(value)) {
            return Ok(());
        }
        Err(CommandLineError::BadValue { name, expected: self.words, got: words::shown(value) })
    }
}

/// The parameter of that name, without its slash and in any case.
pub(super) fn parameter(name: &str) -> Result<&'static Known, CommandLineError> {
    let same = |known: &&Known| known.name[1..].eq_ignore_ascii_case(name);
    PARAMETERS.iter().find(same).ok_or_else(|| CommandLineError::UnknownParameter {
        name: words::shown(name),
        suggestion: nearest(&format!("/{name}"), PARAMETERS),
    })
}

/// The property of that name, in any case.
pub(super) fn property(name: &str) -> Result<&'static Known, CommandLineError> {
    PROPERTIES.iter().find(|known| known.name.eq_ignore_ascii_case(name)).ok_or_else(|| {
        CommandLineError::UnknownProperty { name: words::shown(name), suggestion: nearest(name, PROPERTIES) }
    })
}

/// The most similar name, when a third of its letters or fewer differ.
fn nearest(name: &str, all: &'static [Known]) -> Option<&'static str> {
    if name.len() > LONGEST_NAME {
        return None;
    }
    let name = name.to_ascii_lowercase();
    let by_distance = all.iter().map(|known| (distance(&name, &known.name.to_ascii_lowercase()), known.name));
    let (distance, nearest) = by_distance.min()?;
    (distance * 3 <= nearest.len()).then_some(nearest)
}

/// Levenshtein distance in bytes.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, left) in a.bytes().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, right) in b.bytes().enumerate() {
            let replaced = diagonal + usize::from(left != right);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

const fn known(name: &'static str, kind: Kind) -> Known {
    Known { name, kind }
}

const fn gap(name: &'static str, gap: &'static str) -> Known {
    known(name, Kind::NotBuilt(gap))
}

const fn one_of(allowed: &'static [&'static str], words: &'static str) -> Kind {
    Kind::Word(Words { allowed, words })
}

const fn number(name: &'static str, from: u32, to: u32, words: &'static str) -> Known {
    known(name, Kind::Number(Range { from, to, words }))
}

pub(super) const NO_CRL_CHECK: &str = "/NoCRLCheck";
const LONGEST_NAME: usize = 64;
const TRUE: Kind = one_of(&["1", "TRUE"], "1 or TRUE");
const SWITCHED: Kind = one_of(&["0", "1"], "0 or 1");
const PRIORITY: Kind = one_of(&["FOREGROUND", "HIGH", "NORMAL", "LOW"], "FOREGROUND, HIGH, NORMAL or LOW");
const INTERNET: Kind = one_of(&["1"], "1, since every client here is on the internet");

const PARAMETERS: &[Known] = &[
    known("/AllowMetered", Kind::Switch),
    gap("/AlwaysExcludeUpgrade", "the upgrade of clients"),
    known("/BITSPriority", PRIORITY),
    gap("/config", "reading a configuration file"),
    number("/downloadtimeout", 1, 100_000, "minutes"),
    gap("/ExcludeFeatures", "leaving out features"),
    gap("/forcereboot", "restarting a computer"),
    known("/forceinstall", Kind::Switch),
    known("/logon", Kind::Switch),
    known("/mp", Kind::Text),
    known(NO_CRL_CHECK, Kind::Switch),
    known("/noservice", Kind::Switch),
    gap("/regtoken", "registration with a bulk registration token"),
    number("/retry", 1, 100_000, "minutes"),
    known("/service", Kind::Switch),
    gap("/skipprereq", "the installation of prerequisites"),
    gap("/source", "installing from a folder"),
    gap("/uninstall", "removing the client"),
    gap("/UsePKICert", "authentication by a certificate of a PKI"),
];

const PROPERTIES: &[Known] = &[
    known("AADCLIENTAPPID", Kind::Text),
    known("AADRESOURCEURI", Kind::Text),
    known("AADTENANTID", Kind::Text),
    known("CCMALWAYSINF", INTERNET),
    gap("CCMCERTISSUERS", "the choice of a certificate of a PKI"),
    gap("CCMCERTSEL", "the choice of a certificate of a PKI"),
    gap("CCMCERTSTORE", "the choice of a certificate of a PKI"),
    known("CCMDEBUGLOGGING", SWITCHED),
    known("CCMENABLELOGGING", TRUE),
    gap("CCMFIRSTCERT", "the choice of a certificate of a PKI"),
    known("CCMHOSTNAME", Kind::Text),
    number("CCMHTTPPORT", 1, 65_535, "a port number"),
    number("CCMHTTPSPORT", 443, 443, "443, the only port that a CMG serves"),
    gap("CCMINSTALLDIR", "the choice of a folder"),
    number("CCMLOGLEVEL", 0, 3, "a number from 0 to 3"),
    number("CCMLOGMAXHISTORY", 0, 100_000, "a number"),
    number("CCMLOGMAXSIZE", 10_000, u32::MAX, "bytes, at least 10000"),
    gap("CCMSETUPCMD", "the MSI wrapper"),
    known("DNSSUFFIX", Kind::Text),
    gap("FSP", "the fallback status point"),
    gap("PROVISIONTS", "task sequences"),
    gap("RESETKEYINFORMATION", "the trusted root key"),
    gap("SMSCONFIGSOURCE", "the choice where settings come from"),
    known("SMSMP", Kind::Text),
    gap("SMSPUBLICROOTKEY", "the trusted root key"),
    gap("SMSROOTKEYPATH", "the trusted root key"),
    gap("SMSSIGNCERT", "the site server's signing certificate"),
    known("SMSSITECODE", Kind::Text),
];
