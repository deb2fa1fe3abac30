//! Small XML documents as trees: a bounded reader and an escaping writer.
//!
//! The messages of this protocol use elements, attributes, text and CDATA, and nothing else. The reader
//! refuses document types, processing instructions and every entity but the five predefined ones, so no
//! document can name a file or grow while it is read.

use std::fmt::{Display, Write};
use std::ops::Range;
use std::str::FromStr;

use super::CcmError;
use super::error::cut;

mod read;

pub use read::parse;

/// One element of a document that was read, or is being built.
#[derive(Debug, Clone, Default)]
pub struct Element {
    name: String,
    attributes: Vec<(String, String)>,
    children: Vec<Self>,
    text: String,
    span: Range<usize>,
}

/// Building and writing.
impl Element {
    /// An element without content.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), ..Self::default() }
    }

    /// Adds an attribute behind those there are.
    #[must_use]
    pub fn with_attribute(mut self, name: &str, value: impl Display) -> Self {
        self.attributes.push((name.to_owned(), value.to_string()));
        self
    }

    /// Adds an attribute when there is a value for it.
    #[must_use]
    pub fn with_optional(self, name: &str, value: Option<impl Display>) -> Self {
        match value {
            Some(value) => self.with_attribute(name, value),
            None => self,
        }
    }

    /// Adds a child behind those there are.
    #[must_use]
    pub fn with_child(mut self, child: Self) -> Self {
        self.children.push(child);
        self
    }

    /// Adds children behind those there are; `None` adds nothing.
    #[must_use]
    pub fn with_children(mut self, children: impl IntoIterator<Item = Self>) -> Self {
        self.children.extend(children);
        self
    }

    /// Adds a child that holds only text.
    #[must_use]
    pub fn with_leaf(self, name: &str, text: impl Display) -> Self {
        self.with_child(Self::new(name).with_text(text))
    }

    /// Sets the text, which is written before the children.
    #[must_use]
    pub fn with_text(mut self, text: impl Display) -> Self {
        self.text = text.to_string();
        self
    }

    /// The element as a document: one line, no declaration, `<a/>` for an empty element. Characters
    /// that XML cannot hold become U+FFFD.
    #[must_use]
    pub fn to_xml(&self) -> String {
        let mut out = String::new();
        self.write(&mut out);
        out
    }

    fn write(&self, out: &mut String) {
        out.push('<');
        out.push_str(&self.name);
        for (name, value) in &self.attributes {
            out.push(' ');
            out.push_str(name);
            out.push_str("=\"");
            escape(out, value, true);
            out.push('"');
        }
        if self.text.is_empty() && self.children.is_empty() {
            out.push_str("/>");
            return;
        }
        out.push('>');
        escape(out, &self.text, false);
        for child in &self.children {
            child.write(out);
        }
        out.push_str("</");
        out.push_str(&self.name);
        out.push('>');
    }
}

/// Reading.
impl Element {
    /// The name, with its prefix if it has one.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The text directly in this element, without surrounding white space.
    #[must_use]
    pub fn text(&self) -> &str {
        self.text.trim()
    }

    /// The attributes in their order.
    #[must_use]
    pub fn attributes(&self) -> &[(String, String)] {
        &self.attributes
    }

    /// The children in their order.
    #[must_use]
    pub fn children(&self) -> &[Self] {
        &self.children
    }

    /// Where the element stands in the text it was read from, in bytes; empty for one that was built.
    #[must_use]
    pub fn span(&self) -> Range<usize> {
        self.span.clone()
    }

    /// Accepts this element as the root of a document.
    ///
    /// # Errors
    ///
    /// [`CcmError::WrongRoot`].
    pub fn expect_root(self, expected: &'static str) -> Result<Self, CcmError> {
        if self.name == expected {
            Ok(self)
        } else {
            Err(CcmError::WrongRoot { expected, got: cut(&self.name) })
        }
    }

    /// The value of an attribute.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The value of an attribute that must be there.
    ///
    /// # Errors
    ///
    /// [`CcmError::Missing`].
    pub fn required_attribute(&self, name: &'static str) -> Result<&str, CcmError> {
        self.attribute(name).ok_or_else(|| CcmError::Missing { parent: cut(&self.name), name })
    }

    /// An attribute as a value; absent and empty are `None`. `expected` is for the reader of the error.
    ///
    /// # Errors
    ///
    /// [`CcmError::BadValue`].
    pub fn parsed_attribute<T: FromStr>(
        &self,
        name: &str,
        expected: &'static str,
    ) -> Result<Option<T>, CcmError> {
        match self.attribute(name).map(str::trim) {
            None | Some("") => Ok(None),
            Some(value) => parse_value(name, expected, value).map(Some),
        }
    }

    /// An attribute that is `0` or `1` (or `false`, `true`); absent is `false`.
    ///
    /// # Errors
    ///
    /// [`CcmError::BadValue`].
    pub fn flag(&self, name: &str) -> Result<bool, CcmError> {
        self.attribute(name).map_or(Ok(false), |value| parse_flag(name, value))
    }

    /// The children of that name.
    pub fn children_named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Self> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The child of that name.
    ///
    /// # Errors
    ///
    /// [`CcmError::Ambiguous`] when there are several: two readers could then take different ones.
    pub fn child(&self, name: &'static str) -> Result<Option<&Self>, CcmError> {
        let mut children = self.children.iter().filter(|child| child.name == name);
        let first = children.next();
        match children.next() {
            None => Ok(first),
            Some(_) => Err(CcmError::Ambiguous { name: name.to_owned() }),
        }
    }

    /// The child of that name, which must be there.
    ///
    /// # Errors
    ///
    /// [`CcmError::Missing`], [`CcmError::Ambiguous`].
    pub fn required(&self, name: &'static str) -> Result<&Self, CcmError> {
        self.child(name)?.ok_or_else(|| CcmError::Missing { parent: cut(&self.name), name })
    }

    /// The text of a child; empty when there is no such child.
    ///
    /// # Errors
    ///
    /// [`CcmError::Ambiguous`].
    pub fn child_text(&self, name: &'static str) -> Result<&str, CcmError> {
        Ok(self.child(name)?.map_or("", Self::text))
    }
}

/// Reads `value`, which stands in `name`.
pub(crate) fn parse_value<T: FromStr>(
    name: &str,
    expected: &'static str,
    value: &str,
) -> Result<T, CcmError> {
    value.parse().map_err(|_| CcmError::bad_value(name, expected, value))
}

/// Reads a switch in the spellings that occur.
pub(crate) fn parse_flag(name: &str, value: &str) -> Result<bool, CcmError> {
    match value.trim() {
        "1" => Ok(true),
        "0" => Ok(false),
        word if word.eq_ignore_ascii_case("true") => Ok(true),
        word if word.eq_ignore_ascii_case("false") => Ok(false),
        other => Err(CcmError::bad_value(name, "0 or 1", other)),
    }
}

/// Whether XML 1.0 can hold the character at all, escaped or not.
pub(crate) fn is_xml_char(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..)
}

fn escape(out: &mut String, text: &str, attribute: bool) {
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' if attribute => out.push_str("&quot;"),
            // A reader would turn these into spaces or plain line ends.
            '\r' => out.push_str("&#13;"),
            '\n' | '\t' if attribute => {
                let _always_ok = write!(out, "&#{};", u32::from(c));
            }
            c if is_xml_char(c) => out.push(c),
            _ => out.push(char::REPLACEMENT_CHARACTER),
        }
    }
}
