//! The kinds of records.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::ParseIdError;

/// What the records of a collection are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A person or an organisation of an address book (see [`super::contact`]).
    Contact,
    /// A row of a table (see [`super::row`]).
    Row,
}

/// What the keys of records are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keys {
    /// Ids that say nothing: they never change, and two of them may turn out to be one record.
    Ids,
    /// Content (key columns, a path): they change with it, and two of them are two records.
    Content,
}

impl Kind {
    /// Returns what the keys of such records are.
    pub const fn keys(self) -> Keys {
        match self {
            Self::Contact => Keys::Ids,
            Self::Row => Keys::Content,
        }
    }

    /// Returns the word that commands and files use.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Contact => "contact",
            Self::Row => "row",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl FromStr for Kind {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, ParseIdError> {
        match text {
            "contact" => Ok(Self::Contact),
            "row" => Ok(Self::Row),
            _ => Err(ParseIdError),
        }
    }
}
