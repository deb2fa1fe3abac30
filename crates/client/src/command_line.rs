//! The command line of ccmsetup, as administrators type it (configmgr §2).
//!
//! Fidelity: documented. `ccmsetup.exe [/parameter[:value]]… [PROPERTY=value]…`, parameters first. What
//! the product knows and this client does not do is refused by name, since an installation that quietly
//! passed over `/UsePKICert` would prove nothing.

mod error;
mod known;
mod words;

use cmglab_proto::ids::{AppId, SiteCode, TenantId};
use cmglab_proto::url::CcmHostName;

pub use error::CommandLineError;

use known::{Kind, parameter, property};

/// What an installation is asked to do.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CommandLine {
    /// `CCMHOSTNAME`: the internet management point that the client will use.
    pub ccm_host_name: CcmHostName,
    /// `SMSSITECODE`: the site to assign the client to.
    pub site_code: SiteCode,
    /// `/mp:`: where to install from, when that is not `CCMHOSTNAME`.
    pub source: Option<CcmHostName>,
    /// `SMSMP`: the initial management point of the intranet.
    pub sms_mp: Option<String>,
    /// `AADTENANTID`.
    pub tenant: Option<TenantId>,
    /// `AADCLIENTAPPID`: the native app.
    pub client_app: Option<AppId>,
    /// `AADRESOURCEURI`: App ID URI of the server app.
    pub resource: Option<String>,
    /// `/NoCRLCheck`: certificates are not checked for revocation during the installation.
    pub no_crl_check: bool,
}

impl CommandLine {
    /// Reads a command line as it is typed. Words are separated by white space outside double quotes;
    /// `\"` is a quote.
    ///
    /// # Errors
    /// [`CommandLineError`] names the first thing that is wrong and what to write instead.
    pub fn parse(text: &str) -> Result<Self, CommandLineError> {
        Self::from_words(&words::split(text)?)
    }

    /// Reads a command line that a shell has split already.
    ///
    /// # Errors
    /// As [`CommandLine::parse`].
    pub fn from_args<A: AsRef<str>>(args: &[A]) -> Result<Self, CommandLineError> {
        let bytes = args.iter().map(|arg| arg.as_ref().len()).sum();
        words::check_size(bytes, args.len())?;
        Self::from_words(&args.iter().map(|arg| arg.as_ref().to_owned()).collect::<Vec<_>>())
    }

    /// Where the installation is taken from: `/mp:`, else `CCMHOSTNAME`.
    #[must_use]
    pub fn installs_from(&self) -> &CcmHostName {
        self.source.as_ref().unwrap_or(&self.ccm_host_name)
    }

    fn from_words(words: &[String]) -> Result<Self, CommandLineError> {
        let words = without_program(words)?;
        let mut draft = Draft::default();
        let mut seen: Vec<&str> = Vec::new();
        let mut property_before: Option<&str> = None;
        for word in words {
            let name = match word.strip_prefix('/').or_else(|| word.strip_prefix('-')) {
                Some(rest) => {
                    if let Some(property) = property_before {
                        let (parameter, property) = (words::shown(word), property.to_owned());
                        return Err(CommandLineError::ParameterAfterProperty { parameter, property });
                    }
                    draft.parameter(rest)?
                }
                None => {
                    let name = draft.property(word)?;
                    property_before = Some(name);
                    name
                }
            };
            if seen.contains(&name) {
                return Err(CommandLineError::Twice { name });
            }
            seen.push(name);
        }
        draft.finish()
    }
}

/// A command line in the form that may be shown: the value of `/regtoken` and anything that looks like a
/// token is blotted out.
pub(crate) fn redacted(text: &str) -> String {
    let shown: Vec<_> = text.split_whitespace().take(words::MOST_WORDS).map(words::redacted).collect();
    shown.join(" ")
}

#[derive(Default)]
struct Draft {
    ccm_host_name: Option<CcmHostName>,
    site_code: Option<String>,
    source: Option<CcmHostName>,
    sms_mp: Option<String>,
    tenant: Option<TenantId>,
    client_app: Option<AppId>,
    resource: Option<String>,
    no_crl_check: bool,
}

impl Draft {
    /// Takes in a parameter without its slash; answers its canonical name.
    fn parameter(&mut self, text: &str) -> Result<&'static str, CommandLineError> {
        let (name, value) = text.split_once(':').map_or((text, None), |(name, value)| (name, Some(value)));
        let known = parameter(name)?;
        let full = known.name;
        match (known.kind, value) {
            (Kind::NotBuilt(gap), _) => return Err(CommandLineError::NotBuilt { name: full, gap }),
            (Kind::Switch, Some(_)) => return Err(CommandLineError::NoValueWanted { name: full }),
            (Kind::Switch, None) => self.no_crl_check |= full == known::NO_CRL_CHECK,
            (_, None | Some("")) => return Err(CommandLineError::ValueMissing { name: full }),
            (Kind::Number(range), Some(value)) => range.check(full, value)?,
            (Kind::Word(words), Some(value)) => words.check(full, value)?,
            (Kind::Text, Some(value)) => self.source = Some(source(value)?),
        }
        Ok(full)
    }

    /// Takes in `NAME=value`; answers its canonical name.
    fn property(&mut self, word: &str) -> Result<&'static str, CommandLineError> {
        let Some((name, value)) = word.split_once('=') else {
            return Err(CommandLineError::NotAnArgument { got: words::shown(word) });
        };
        let known = property(name)?;
        let full = known.name;
        match known.kind {
            Kind::NotBuilt(gap) => return Err(CommandLineError::NotBuilt { name: full, gap }),
            _ if value.is_empty() => return Err(CommandLineError::ValueMissing { name: full }),
            Kind::Number(range) => range.check(full, value)?,
            Kind::Word(words) => words.check(full, value)?,
            Kind::Text | Kind::Switch => self.text(full, value)?,
        }
        Ok(full)
    }

    fn text(&mut self, name: &'static str, value: &str) -> Result<(), CommandLineError> {
        let bad = |expected| CommandLineError::BadValue { name, expected, got: words::shown(value) };
        match name {
            "CCMHOSTNAME" => self.ccm_host_name = Some(value.parse()?),
            "SMSSITECODE" => self.site_code = Some(value.to_owned()),
            "SMSMP" => self.sms_mp = Some(value.to_owned()),
            "AADTENANTID" => self.tenant = Some(value.parse().map_err(|_| bad(GUID))?),
            "AADCLIENTAPPID" => self.client_app = Some(value.parse().map_err(|_| bad(GUID))?),
            "AADRESOURCEURI" => {
                let usable = value.len() <= LONGEST_URI && value.contains(':');
                self.resource = Some(usable.then(|| value.to_owned()).ok_or_else(|| bad(APP_ID_URI))?);
            }
            // The others are taken and have no effect on the protocol.
            _ => {}
        }
        Ok(())
    }

    fn finish(self) -> Result<CommandLine, CommandLineError> {
        let missing = |name| CommandLineError::Missing { name };
        let ccm_host_name = self.ccm_host_name.ok_or_else(|| missing("CCMHOSTNAME"))?;
        let site_code = self.site_code.ok_or_else(|| missing("SMSSITECODE"))?;
        if site_code.eq_ignore_ascii_case("AUTO") {
            return Err(CommandLineError::AutomaticSite);
        }
        let bad = |_| CommandLineError::BadValue {
            name: "SMSSITECODE",
            expected: "three letters or digits",
            got: words::shown(&site_code),
        };
        Ok(CommandLine {
            ccm_host_name,
            site_code: site_code.parse().map_err(bad)?,
            source: self.source,
            sms_mp: self.sms_mp,
            tenant: self.tenant,
            client_app: self.client_app,
            resource: self.resource,
            no_crl_check: self.no_crl_check,
        })
    }
}

/// `/mp:` takes a URL, unlike `CCMHOSTNAME`; this client installs through a CMG alone, and from one.
fn source(value: &str) -> Result<CcmHostName, CommandLineError> {
    if value.contains(';') {
        return Err(CommandLineError::NotBuilt { name: "/mp", gap: "a choice among several sources" });
    }
    let lower = value.to_ascii_lowercase();
    let Some(name) = lower.strip_prefix("https://").and_then(|rest| value.get(value.len() - rest.len()..))
    else {
        return Err(CommandLineError::BadValue { name: "/mp", expected: MP_URL, got: words::shown(value) });
    };
    if !name.contains('/') {
        return Err(CommandLineError::NotBuilt { name: "/mp", gap: "installing from an intranet MP" });
    }
    Ok(name.parse()?)
}

/// The program's name may stand in front, with or without its folder.
fn without_program(words: &[String]) -> Result<&[String], CommandLineError> {
    let Some((first, rest)) = words.split_first() else { return Err(CommandLineError::Empty) };
    if first.starts_with(['/', '-']) || first.contains('=') {
        return Ok(words);
    }
    let program = first.rsplit(['\\', '/']).next().unwrap_or(first).to_ascii_lowercase();
    match program.as_str() {
        "ccmsetup" | "ccmsetup.exe" => Ok(rest),
        "ccmsetup.msi" => Err(CommandLineError::NotBuilt {
            name: "ccmsetup.msi",
            gap: "the MSI wrapper; give the text of its CCMSETUPCMD to ccmsetup.exe",
        }),
        _ => Err(CommandLineError::NotCcmSetup { got: words::shown(first) }),
    }
}

const GUID: &str = "a GUID such as 5dd100cd-df1d-45f5-ba17-a327f43465f8";
const APP_ID_URI: &str = "an App ID URI such as https://ConfigMgrService";
const MP_URL: &str = "https://<CMG>/CCM_Proxy_MutualAuth/<MP role id>";
const LONGEST_URI: usize = 1024;

#[cfg(test)]
mod tests;
