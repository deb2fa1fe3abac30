//! The bounded reader.

use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

use super::{Element, is_xml_char};
use crate::ccm::{CcmError, Limits};

/// Reads one document.
///
/// # Errors
///
/// [`CcmError::BadXml`] for anything that is not well-formed or not allowed, [`CcmError::TooDeep`],
/// [`CcmError::TooMany`].
pub fn parse(text: &str, limits: &Limits) -> Result<Element, CcmError> {
    if let Some((at, c)) = text.char_indices().find(|(_, c)| !is_xml_char(*c)) {
        return Err(bad(at, format!("character U+{:04X} is not allowed", u32::from(c))));
    }
    Parser { limits, open: Vec::new(), root: None, elements: 0 }.run(text)
}

struct Parser<'l> {
    limits: &'l Limits,
    open: Vec<Element>,
    root: Option<Element>,
    elements: usize,
}

impl Parser<'_> {
    fn run(mut self, text: &str) -> Result<Element, CcmError> {
        let mut reader = Reader::from_str(text);
        loop {
            let start = position(reader.buffer_position());
            let event = reader.read_event();
            let end = position(reader.buffer_position());
            match event.map_err(|cause| bad(position(reader.error_position()), cause.to_string()))? {
                Event::Start(tag) => self.open(&tag, start)?,
                Event::Empty(tag) => {
                    self.open(&tag, start)?;
                    self.close(end)?;
                }
                Event::End(_) => self.close(end)?,
                Event::Text(text) => self.text(&text.xml10_content(), start)?,
                Event::CData(text) => self.text(&text.xml10_content(), start)?,
                Event::GeneralRef(entity) => self.entity(&entity, start)?,
                Event::Comment(_) => {}
                Event::Decl(_) if start == 0 => {}
                Event::Decl(_) => return Err(bad(start, "declaration inside the document".to_owned())),
                Event::PI(_) => return Err(bad(start, "processing instruction".to_owned())),
                Event::DocType(_) => return Err(bad(start, "document type".to_owned())),
                Event::Eof => return self.finish(end),
            }
        }
    }

    fn open(&mut self, tag: &BytesStart<'_>, start: usize) -> Result<(), CcmError> {
        let depth = usize::from(self.limits.xml_depth);
        if self.open.len() >= depth {
            return Err(CcmError::TooDeep { limit: self.limits.xml_depth });
        }
        self.elements += 1;
        if self.elements > self.limits.xml_elements {
            return Err(CcmError::TooMany { what: "XML elements", limit: self.limits.xml_elements });
        }
        if self.open.is_empty() && self.root.is_some() {
            return Err(bad(start, "second root element".to_owned()));
        }
        let name = tag.name().as_ref().to_owned();
        if !is_name(&name) {
            return Err(bad(start, "element without a proper name".to_owned()));
        }
        let attributes = self.attributes(tag, start)?;
        self.open.push(Element { name, attributes, span: start..start, ..Element::default() });
        Ok(())
    }

    fn attributes(&self, tag: &BytesStart<'_>, start: usize) -> Result<Vec<(String, String)>, CcmError> {
        let mut all = Vec::new();
        for attribute in tag.attributes() {
            let attribute = attribute.map_err(|cause| bad(start, cause.to_string()))?;
            let name = attribute.key.as_ref().to_owned();
            let value = attribute
                .normalized_value(XmlVersion::Implicit1_0)
                .map_err(|cause| bad(start, cause.to_string()))?;
            if !is_name(&name) || attribute.value.contains('<') || !value.chars().all(is_xml_char) {
                return Err(bad(start, "attribute with a character that is not allowed".to_owned()));
            }
            if all.len() == self.limits.xml_attributes {
                let limit = self.limits.xml_attributes;
                return Err(CcmError::TooMany { what: "attributes of one XML element", limit });
            }
            all.push((name, value.into_owned()));
        }
        Ok(all)
    }

    fn close(&mut self, end: usize) -> Result<(), CcmError> {
        let Some(mut element) = self.open.pop() else {
            return Err(bad(end, "end tag without a start tag".to_owned()));
        };
        element.span.end = end;
        // The line ends and blanks of a document that was written for reading.
        if !element.children.is_empty() && element.text.trim().is_empty() {
            element.text.clear();
        }
        match self.open.last_mut() {
            Some(parent) => parent.children.push(element),
            None => self.root = Some(element),
        }
        Ok(())
    }

    fn text(&mut self, text: &str, start: usize) -> Result<(), CcmError> {
        match self.open.last_mut() {
            Some(element) => element.text.push_str(text),
            None if text.trim().is_empty() => {}
            None => return Err(bad(start, "text outside the root element".to_owned())),
        }
        Ok(())
    }

    fn entity(&mut self, entity: &BytesRef<'_>, start: usize) -> Result<(), CcmError> {
        let character = entity.resolve_char_ref().map_err(|cause| bad(start, cause.to_string()))?;
        match (character, quick_xml::escape::resolve_xml_entity(entity)) {
            (Some(c), _) if is_xml_char(c) => self.text(c.encode_utf8(&mut [0; 4]), start),
            (None, Some(text)) => self.text(text, start),
            _ => Err(bad(start, "entity other than the five of XML".to_owned())),
        }
    }

    fn finish(self, end: usize) -> Result<Element, CcmError> {
        if let Some(element) = self.open.last() {
            return Err(bad(element.span.start, "element without an end tag".to_owned()));
        }
        self.root.ok_or_else(|| bad(end, "no root element".to_owned()))
    }
}

// The reader takes nearly anything as a name; markup characters in one would not survive writing.
fn is_name(name: &str) -> bool {
    name.chars().next().is_some_and(|c| c.is_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | ':'))
}

fn bad(at: usize, cause: String) -> CcmError {
    CcmError::BadXml { at, cause: crate::ccm::error::cut(&cause) }
}

fn position(at: u64) -> usize {
    usize::try_from(at).unwrap_or(usize::MAX)
}
