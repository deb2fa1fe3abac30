//! What the type of a profiles file does not say by itself.

use std::collections::HashSet;

use jiff::{SignedDuration, Span, SpanRelativeTo};

use super::{AuthorityProfile, File, LeafProfile};

/// The first thing wrong with the file.
pub(super) fn file(file: &File) -> Result<(), String> {
    host(&file.crl_host)?;
    let mut seen = HashSet::new();
    for profile in &file.authorities {
        authority(profile, &seen)?;
        unique(&mut seen, &profile.name)?;
    }
    let authorities = seen;
    let mut seen = HashSet::new();
    for profile in &file.leaves {
        leaf(profile, &authorities)?;
        unique(&mut seen, &profile.name)?;
    }
    Ok(())
}

/// A host name with an optional port.
pub(super) fn host(host: &str) -> Result<(), String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || ".-:[]".contains(c);
    if !host.is_empty() && host.len() <= 253 && host.chars().all(plain) {
        Ok(())
    } else {
        Err(format!("crl_host {host:?} must be a host name, with a port if need be"))
    }
}

fn authority(profile: &AuthorityProfile, before: &HashSet<&str>) -> Result<(), String> {
    let name = &profile.name;
    entry_name(name)?;
    if let Some(parent) = profile.parent.as_deref().filter(|parent| !before.contains(parent)) {
        return Err(format!("authority {name:?}: no authority {parent:?} stands before it"));
    }
    if profile.common_name.is_empty() {
        return Err(format!("authority {name:?}: common_name is empty"));
    }
    spans(name, &profile.lifetime, &profile.backdate)?;
    let Some(crl) = &profile.crl else { return Ok(()) };
    spans(name, &crl.lifetime, &Span::new())?;
    let plain = |c: char| c.is_ascii_alphanumeric() || ".-_".contains(c);
    if crl.file.is_empty() || crl.file.starts_with('.') || !crl.file.chars().all(plain) {
        return Err(format!("authority {name:?}: crl.file {:?} must be a plain file name", crl.file));
    }
    Ok(())
}

fn leaf(profile: &LeafProfile, authorities: &HashSet<&str>) -> Result<(), String> {
    let name = &profile.name;
    entry_name(name)?;
    if let Some(issuer) = profile.issuer.as_deref().filter(|issuer| !authorities.contains(issuer)) {
        return Err(format!("leaf {name:?}: no authority {issuer:?}"));
    }
    if profile.eku.len() > MAX_EKUS {
        return Err(format!("leaf {name:?}: more than {MAX_EKUS} entries in eku"));
    }
    spans(name, &profile.lifetime, &profile.backdate)
}

fn entry_name(name: &str) -> Result<(), String> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if !name.is_empty() && name.len() <= 64 && name.chars().all(plain) {
        Ok(())
    } else {
        Err(format!("name {name:?} must be small letters, digits and hyphens"))
    }
}

fn unique<'a>(seen: &mut HashSet<&'a str>, name: &'a str) -> Result<(), String> {
    if seen.insert(name) { Ok(()) } else { Err(format!("{name:?} is there twice")) }
}

fn spans(name: &str, lifetime: &Span, backdate: &Span) -> Result<(), String> {
    if duration(name, lifetime)? <= SignedDuration::ZERO {
        return Err(format!("{name:?}: lifetime must be positive"));
    }
    if duration(name, backdate)? < SignedDuration::ZERO {
        return Err(format!("{name:?}: backdate must not be negative"));
    }
    Ok(())
}

/// The span as if it began in 1970, which is close enough to tell its sign.
fn duration(name: &str, span: &Span) -> Result<SignedDuration, String> {
    let start = SpanRelativeTo::from(jiff::civil::date(1970, 1, 1));
    span.to_duration(start).map_err(|error| format!("{name:?}: {error}"))
}

/// Keeps the hand-written DER of ExtendedKeyUsage in one-byte lengths.
const MAX_EKUS: usize = 8;
