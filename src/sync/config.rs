//! `config.toml`: what a person may edit by hand. Comments and layout survive our own changes.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml_edit::{DocumentMut, InlineTable, Item, Table, value};

use super::{SyncError, SyncResult};
use crate::disk::Disk;
use crate::model::at_place;
use crate::model::contact::Fields;
use crate::model::filter::Filter;
use crate::source::table::{is_server, postgres};

/// Which way changes flow through a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// Edits are taken in and changes written out.
    #[default]
    Both,
    /// Edits are taken in, nothing is written.
    In,
    /// Changes are written out; edits there are overwritten at the next change.
    Out,
}

impl Direction {
    /// Returns the word that files and commands use.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Both => "both",
            Self::In => "in",
            Self::Out => "out",
        }
    }

    /// Reads the word.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Both, Self::In, Self::Out]
            .into_iter()
            .find(|direction| direction.name() == word)
    }
}

/// A bound source.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceConfig {
    /// Its name.
    pub name: String,
    /// The collection it shows.
    pub collection: String,
    /// Its path, absolute, or the URL of a server, without a password.
    pub location: PathBuf,
    /// The table at the location, where there can be several.
    #[serde(default)]
    pub table: Option<String>,
    /// The file with the server's password, beside the configuration or absolute.
    #[serde(default)]
    pub password_file: Option<PathBuf>,
    /// The format's name.
    pub format: String,
    /// The columns that identify a row, by name.
    #[serde(default)]
    pub key: Vec<String>,
    /// A mapping file of the person's own, beside the configuration or absolute.
    #[serde(default)]
    pub map: Option<PathBuf>,
    /// The encoding of its files, where they do not say it: a label of the Encoding Standard.
    #[serde(default)]
    pub encoding: Option<String>,
    /// Which records it shows, in the language of [`Filter`].
    #[serde(default)]
    pub filter: Option<String>,
    /// Which fields or columns it shows, by name; all when empty.
    #[serde(default)]
    pub fields: Vec<String>,
    /// Whose value it shows while a field is in conflict: a system's name, or `newest`.
    #[serde(default)]
    pub prefer: Option<String>,
    /// Which way changes flow.
    #[serde(default)]
    pub direction: Direction,
}

impl SourceConfig {
    /// Completes what was read of a file in `folder`; a reason where it cannot stand so.
    fn settle(&mut self, folder: &Path) -> Result<(), String> {
        if let Some(path) = &mut self.password_file {
            *path = folder.join(&path);
        }
        if let Some(filter) = &self.filter {
            Filter::parse(filter).map_err(|error| format!("source `{}`: {error}", self.name))?;
        }
        let location = self.location.to_string_lossy();
        if is_server(&location) && postgres::split(&location)?.password.is_some() {
            // The text of this file is shown and kept with operations.
            return Err(format!(
                "source `{}` has a password in its location; write it to a file of its own and name that as `password_file`",
                self.name
            ));
        }
        Ok(())
    }
}

impl SourceConfig {
    /// Returns which fields a source of contacts shows; `None` where it shows all that its format can.
    pub(super) fn contact_fields(&self) -> SyncResult<Option<Fields>> {
        if self.fields.is_empty() {
            return Ok(None);
        }
        let fields = Fields::parse(&self.fields);
        let fields = fields.map_err(|error| SyncError::Usage(format!("source `{}`: {error}", self.name)))?;
        Ok(Some(fields))
    }
}

/// A remote.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RemoteConfig {
    /// Its name.
    pub name: String,
    /// Where it is.
    pub url: String,
    /// The key file if it is not `.dsync/keys/<name>`.
    #[serde(default)]
    pub key_file: Option<PathBuf>,
    /// A file that holds the passphrase.
    #[serde(default)]
    pub passphrase_file: Option<PathBuf>,
    /// How it is reached.
    #[serde(default)]
    pub transport: TransportConfig,
}

/// How a remote on the network is reached.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TransportConfig {
    /// A file whose first line is the password of the address's user.
    #[serde(default)]
    pub password_file: Option<PathBuf>,
    /// A file whose first line is the token of bearer authentication.
    #[serde(default)]
    pub token_file: Option<PathBuf>,
    /// Certificates (PEM) that are trusted instead of the system's.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
    /// The most bytes of content sent and received in a second.
    #[serde(default)]
    pub limit_rate: Option<u64>,
    /// The command line that stands for `ssh` on the way to a peer.
    #[serde(default)]
    pub ssh_command: Option<String>,
    /// What dsync is called on the machine of a peer.
    #[serde(default)]
    pub peer_program: Option<String>,
}

impl TransportConfig {
    /// Returns what is not left at its default, as a table.
    fn table(&self) -> InlineTable {
        let mut table = InlineTable::new();
        for (key, path) in [
            ("password_file", &self.password_file),
            ("token_file", &self.token_file),
            ("ca_file", &self.ca_file),
        ] {
            if let Some(path) = path {
                table.insert(key, path.to_string_lossy().as_ref().into());
            }
        }
        if let Some(limit) = self.limit_rate {
            table.insert("limit_rate", i64::try_from(limit).unwrap_or(i64::MAX).into());
        }
        for (key, text) in [("ssh_command", &self.ssh_command), ("peer_program", &self.peer_program)] {
            if let Some(text) = text {
                table.insert(key, text.into());
            }
        }
        table
    }
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Content {
    #[serde(default)]
    source: Vec<SourceConfig>,
    #[serde(default)]
    remote: Vec<RemoteConfig>,
}

/// The configuration of a store.
#[derive(Debug, Clone)]
pub struct Config {
    path: PathBuf,
    text: String,
    content: Content,
}

/// What a new configuration starts with.
const HEADER: &str = "# Sources and remotes of this dsync system. You may edit this file; your comments stay.\n";

impl Config {
    /// Reads the configuration of the store in `root`; a missing file is an empty one.
    pub fn load(disk: &Disk, root: &Path) -> SyncResult<Self> {
        let path = root.join("config.toml");
        let text = match disk.read(&path) {
            Ok(bytes) => String::from_utf8(bytes).map_err(|_| SyncError::Config {
                path: path.clone(),
                reason: "it is not UTF-8".to_owned(),
            })?,
            Err(error) if error.is_not_found() => HEADER.to_owned(),
            Err(error) => return Err(error.into()),
        };
        Self::parse(path, text)
    }

    fn parse(path: PathBuf, text: String) -> SyncResult<Self> {
        let mut content: Content = match toml::from_str(&text) {
            Ok(content) => content,
            Err(error) => {
                return Err(SyncError::Config {
                    path,
                    reason: at_place(&text, error.span(), error.message()),
                });
            }
        };
        for source in &mut content.source {
            if let Err(reason) = source.settle(path.parent().unwrap_or(&path)) {
                return Err(SyncError::Config { path, reason });
            }
        }
        Ok(Self { path, text, content })
    }

    /// Returns the text, for keeping it with an operation.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns the configuration with another text.
    pub fn with_text(&self, text: String) -> SyncResult<Self> {
        Self::parse(self.path.clone(), text)
    }

    /// Writes the file.
    pub fn save(&self, disk: &Disk) -> SyncResult<()> {
        Ok(disk.replace(&self.path, self.text.as_bytes())?)
    }

    /// Returns the sources in file order.
    pub fn sources(&self) -> &[SourceConfig] {
        &self.content.source
    }

    /// Returns the remotes in file order.
    pub fn remotes(&self) -> &[RemoteConfig] {
        &self.content.remote
    }

    /// Returns a source by name.
    pub fn source(&self, name: &str) -> SyncResult<&SourceConfig> {
        self.content
            .source
            .iter()
            .find(|source| source.name == name)
            .ok_or_else(|| SyncError::Unknown {
                what: "source",
                name: name.to_owned(),
                candidates: self.content.source.iter().map(|source| source.name.clone()).collect(),
            })
    }

    /// Returns a remote by name.
    pub fn remote(&self, name: &str) -> SyncResult<&RemoteConfig> {
        self.content
            .remote
            .iter()
            .find(|remote| remote.name == name)
            .ok_or_else(|| SyncError::Unknown {
                what: "remote",
                name: name.to_owned(),
                candidates: self.content.remote.iter().map(|remote| remote.name.clone()).collect(),
            })
    }

    /// Returns the configuration with one more source.
    pub fn with_source(&self, source: &SourceConfig) -> SyncResult<Self> {
        let mut table = Table::new();
        table["name"] = value(&source.name);
        table["collection"] = value(&source.collection);
        table["location"] = value(source.location.to_string_lossy().as_ref());
        if let Some(name) = &source.table {
            table["table"] = value(name);
        }
        if let Some(path) = &source.password_file {
            table["password_file"] = value(path.to_string_lossy().as_ref());
        }
        table["format"] = value(&source.format);
        if !source.key.is_empty() {
            table["key"] = value(source.key.iter().collect::<toml_edit::Array>());
        }
        if let Some(map) = &source.map {
            table["map"] = value(map.to_string_lossy().as_ref());
        }
        if let Some(encoding) = &source.encoding {
            table["encoding"] = value(encoding);
        }
        if let Some(filter) = &source.filter {
            table["filter"] = value(filter);
        }
        if !source.fields.is_empty() {
            table["fields"] = value(source.fields.iter().collect::<toml_edit::Array>());
        }
        if let Some(prefer) = &source.prefer {
            table["prefer"] = value(prefer);
        }
        if source.direction != Direction::Both {
            table["direction"] = value(source.direction.name());
        }
        self.with_table("source", table)
    }

    /// Returns the configuration with one more remote.
    pub fn with_remote(&self, remote: &RemoteConfig) -> SyncResult<Self> {
        let mut table = Table::new();
        table["name"] = value(&remote.name);
        table["url"] = value(&remote.url);
        for (key, path) in [
            ("key_file", &remote.key_file),
            ("passphrase_file", &remote.passphrase_file),
        ] {
            if let Some(path) = path {
                table[key] = value(path.to_string_lossy().as_ref());
            }
        }
        let transport = remote.transport.table();
        if !transport.is_empty() {
            table["transport"] = value(transport);
        }
        self.with_table("remote", table)
    }

    /// Returns the configuration without the source or remote (`what`) of that name.
    pub fn without(&self, what: &str, name: &str) -> SyncResult<Self> {
        let mut document = self.document()?;
        if let Some(tables) = document.get_mut(what).and_then(Item::as_array_of_tables_mut) {
            tables.retain(|table| table.get("name").and_then(Item::as_str) != Some(name));
        }
        self.with_text(document.to_string())
    }

    fn document(&self) -> SyncResult<DocumentMut> {
        self.text
            .parse()
            .map_err(|error: toml_edit::TomlError| SyncError::Config {
                path: self.path.clone(),
                reason: at_place(&self.text, error.span(), error.message()),
            })
    }

    fn with_table(&self, what: &str, table: Table) -> SyncResult<Self> {
        let mut document = self.document()?;
        let tables = document
            .entry(what)
            .or_insert_with(|| Item::ArrayOfTables(toml_edit::ArrayOfTables::new()));
        let Some(tables) = tables.as_array_of_tables_mut() else {
            let reason = format!("`{what}` is no array of tables");
            return Err(SyncError::Config {
                path: self.path.clone(),
                reason,
            });
        };
        tables.push(table);
        self.with_text(document.to_string())
    }
}
