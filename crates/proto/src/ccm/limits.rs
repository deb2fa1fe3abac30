//! What a decoder refuses to go beyond.

/// Upper bounds of decoding, in bytes unless said otherwise. The default suits every message that a
/// client of the lab sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The multipart body as received.
    pub body: usize,
    /// The payload once inflated. A zlib stream shrinks text a thousandfold, so this is a bound of its own.
    pub inflated: usize,
    /// Elements inside each other, the root included.
    pub xml_depth: u16,
    /// Elements in one document.
    pub xml_elements: usize,
    /// Attributes of one element.
    pub xml_attributes: usize,
    /// Hooks of one message.
    pub hooks: usize,
    /// Properties of one hook.
    pub properties: usize,
    /// Attachments of one message.
    pub attachments: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body: 2 * MIB,
            inflated: 8 * MIB,
            xml_depth: 32,
            xml_elements: 16_384,
            xml_attributes: 64,
            hooks: 16,
            properties: 32,
            attachments: 64,
        }
    }
}

const MIB: usize = 1024 * 1024;
