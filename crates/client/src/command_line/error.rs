//! What is wrong with a command line.

use cmglab_proto::url::HostNameError;

use super::words;

/// Why a command line is refused, and what to write instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CommandLineError {
    /// `SMSSITECODE=AUTO` with `CCMHOSTNAME`.
    #[error("SMSSITECODE=AUTO does not go with CCMHOSTNAME; over the internet give the site's code")]
    AutomaticSite,
    /// A value is not of its form.
    #[error("{name}: expected {expected}, got {got:?}")]
    BadValue {
        /// The parameter or property.
        name: &'static str,
        /// What it takes.
        expected: &'static str,
        /// What was given, shortened.
        got: String,
    },
    /// Nothing was given.
    #[error("the command line is empty; give at least CCMHOSTNAME and SMSSITECODE")]
    Empty,
    /// `CCMHOSTNAME` or `/mp:` is not what it should be.
    #[error(transparent)]
    HostName(#[from] HostNameError),
    /// A property that an installation over the internet needs.
    #[error("{name} is missing; an installation through a CMG needs CCMHOSTNAME and SMSSITECODE")]
    Missing {
        /// The property.
        name: &'static str,
    },
    /// A word that is neither a parameter nor a property.
    #[error("{got:?} is neither /parameter nor PROPERTY=value; put quotes around values with spaces")]
    NotAnArgument {
        /// The word, shortened.
        got: String,
    },
    /// Documented, and not done by this client.
    #[error("{name} is documented, but {gap} is not built here; leave it out")]
    NotBuilt {
        /// The parameter or property.
        name: &'static str,
        /// What is not built.
        gap: &'static str,
    },
    /// Another program.
    #[error("{got:?} is not ccmsetup.exe")]
    NotCcmSetup {
        /// The first word, shortened.
        got: String,
    },
    /// A switch was given a value.
    #[error("{name} takes no value")]
    NoValueWanted {
        /// The parameter.
        name: &'static str,
    },
    /// A quote is not closed.
    #[error("a double quote is not closed")]
    OpenQuote,
    /// A parameter stands behind a property.
    #[error("{parameter} stands behind {property}; give every /parameter before the first PROPERTY=value")]
    ParameterAfterProperty {
        /// The parameter, shortened.
        parameter: String,
        /// The property before it.
        property: String,
    },
    /// Longer than Windows takes.
    #[error(
        "command line of {bytes} bytes and {words} words; at most {} and {} are read",
        words::LONGEST,
        words::MOST_WORDS
    )]
    TooLong {
        /// Bytes.
        bytes: usize,
        /// Words counted.
        words: usize,
    },
    /// Given more than once, so that two readers could differ.
    #[error("{name} is given twice")]
    Twice {
        /// The parameter or property.
        name: &'static str,
    },
    /// A quote that a word processor made.
    #[error("the quote {quote} is not a double quote; type \" by hand")]
    TypographicQuote {
        /// The character.
        quote: char,
    },
    /// Not a parameter.
    #[error("/{name} is not a parameter of ccmsetup{}", did_you_mean(*.suggestion))]
    UnknownParameter {
        /// The name, shortened.
        name: String,
        /// The nearest one.
        suggestion: Option<&'static str>,
    },
    /// Not a property.
    #[error("{name} is not a property of the client{}", did_you_mean(*.suggestion))]
    UnknownProperty {
        /// The name, shortened.
        name: String,
        /// The nearest one.
        suggestion: Option<&'static str>,
    },
    /// A value is wanted and not there.
    #[error("{name} needs a value")]
    ValueMissing {
        /// The parameter or property.
        name: &'static str,
    },
}

fn did_you_mean(suggestion: Option<&str>) -> String {
    suggestion.map(|name| format!("; did you mean {name}?")).unwrap_or_default()
}
