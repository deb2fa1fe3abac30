//! Writing PEM (RFC 7468): 64 columns, LF line ends on every platform.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// One PEM block.
pub(crate) fn encode(label: &str, der: &[u8]) -> String {
    let mut text = format!("-----BEGIN {label}-----\n");
    // 48 bytes make 64 characters.
    for line in der.chunks(48) {
        STANDARD.encode_string(line, &mut text);
        text.push('\n');
    }
    text.push_str("-----END ");
    text.push_str(label);
    text.push_str("-----\n");
    text
}

/// The certificates, one block after another.
pub(crate) fn certificates<'a>(ders: impl IntoIterator<Item = &'a Vec<u8>>) -> String {
    ders.into_iter().map(|der| encode("CERTIFICATE", der)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_64_columns() {
        let text = encode("X", &[0; 49]);
        let lines: Vec<_> = text.lines().map(str::len).collect();
        assert_eq!(lines, [17, 64, 4, 15]);
    }
}
