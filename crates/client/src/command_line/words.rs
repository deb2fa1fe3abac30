//! Splitting a command line into words, and showing words without secrets.

use super::CommandLineError;

/// Splits at white space outside double quotes; the quotes go, `\"` is one.
pub(super) fn split(text: &str) -> Result<Vec<String>, CommandLineError> {
    check_size(text.len(), 0)?;
    if let Some(quote) = text.chars().find(|char| TYPOGRAPHIC.contains(char)) {
        return Err(CommandLineError::TypographicQuote { quote });
    }
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quoted = false;
    let mut chars = text.chars().peekable();
    while let Some(char) = chars.next() {
        match char {
            '\\' if chars.peek() == Some(&'"') => {
                chars.next();
                word.get_or_insert_default().push('"');
            }
            '"' => {
                quoted = !quoted;
                word.get_or_insert_default();
            }
            char if char.is_whitespace() && !quoted => words.extend(word.take()),
            char => word.get_or_insert_default().push(char),
        }
    }
    if quoted {
        return Err(CommandLineError::OpenQuote);
    }
    words.extend(word);
    check_size(text.len(), words.len())?;
    Ok(words)
}

pub(super) fn check_size(bytes: usize, words: usize) -> Result<(), CommandLineError> {
    if bytes > LONGEST || words > MOST_WORDS {
        return Err(CommandLineError::TooLong { bytes, words });
    }
    Ok(())
}

/// A word for an error message: short, and without what it may keep secret.
pub(super) fn shown(word: &str) -> String {
    redacted(word).chars().take(64).collect()
}

pub(super) fn redacted(word: &str) -> String {
    if word.to_ascii_lowercase().contains("regtoken") {
        return "/regtoken:[REDACTED]".to_owned();
    }
    let jwt = word.split(['=', ':', '"']).any(|part| part.starts_with("eyJ") && part.contains('.'));
    if jwt { "[REDACTED]".to_owned() } else { word.to_owned() }
}

/// What the command interpreter of Windows takes.
pub(super) const LONGEST: usize = 8191;
pub(super) const MOST_WORDS: usize = 128;
const TYPOGRAPHIC: [char; 6] = ['\u{201c}', '\u{201d}', '\u{201e}', '\u{2018}', '\u{2019}', '\u{2033}'];
