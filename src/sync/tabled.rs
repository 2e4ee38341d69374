//! Items in tables: contacts in a database, by way of a copy as a file ([`crate::source::table::ItemTable`]).
//!
//! The rest of `sync` sees that file and nothing else. It is brought up to date before a scan, and what a write-back did to it
//! goes into the table after it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::config::SourceConfig;
use super::report::SetAside;
use super::work::Work;
use super::{Environment, SyncError, SyncResult, source_error, table};
use crate::format::{Confidence, Edit, Format};
use crate::source::table::{self as tables, ItemTable, Location};

/// How much of a file is looked at to recognise it.
const HEAD_BYTES: u64 = 64 * 1024;

/// Returns whether a source has its items in a table.
pub(super) fn is_meant(config: &SourceConfig) -> bool {
    config.table.is_some() && table::format_of(config).is_none()
}

/// Returns the name of a source's format if it is that of tables, whose sources are rows.
pub(super) fn name_taken(config: &SourceConfig) -> Option<&str> {
    table::format_named(&config.format).map(|_| config.format.as_str())
}

/// Returns the file that holds the copy of a table.
pub(super) fn copy_path(root: &Path, source: &str) -> PathBuf {
    root.join("tables").join(format!("{source}.csv"))
}

/// Returns the table of a source with its copy.
pub(super) fn item_table(env: &Environment, root: &Path, config: &SourceConfig) -> SyncResult<ItemTable> {
    let location = table::location_of(config);
    let format = format_at(env, &location)?;
    let format =
        format.ok_or_else(|| SyncError::Usage(format!("`{location}` is no table of a database or a workbook")))?;
    Ok(ItemTable {
        format,
        location,
        copy: copy_path(root, &config.name),
    })
}

/// Returns the format of the place of a table, by what the place is.
pub(super) fn format_at(env: &Environment, location: &Location) -> SyncResult<Option<Arc<dyn tables::TableFormat>>> {
    if tables::is_server(&location.path.to_string_lossy()) {
        return Ok(table::format_named(tables::postgres::NAME));
    }
    let name = location
        .path
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let with_tables = tables::formats().into_iter().filter(|format| format.info().has_tables);
    if env.disk.stat(&location.path)?.is_none() {
        let ending = location
            .path
            .extension()
            .unwrap_or_default()
            .to_string_lossy()
            .to_lowercase();
        let mut made = with_tables.filter(|format| format.info().extensions.contains(&ending.as_str()));
        return Ok(made.next().map(Arc::from));
    }
    let head = env.disk.read_range(&location.path, 0, HEAD_BYTES)?;
    let mut known = with_tables.filter(|format| format.detect(&name, &head) > Confidence::No);
    Ok(known.next().map(Arc::from))
}

/// Returns the columns that a format of items has in a table.
pub(super) fn columns_of(format: &dyn Format) -> SyncResult<Vec<String>> {
    // A header comes with the first row.
    let bytes = format.create(None).assemble(&[Edit::Append(Vec::new())]);
    tables::names_of(&bytes).map_err(|error| SyncError::Usage(format!("{}: {}", format.info().name, error.reason)))
}

/// Brings what happened to the table of a source into its copy, before that is scanned.
pub(super) fn refresh(work: &Work<'_>, config: &SourceConfig) -> SyncResult<()> {
    if !is_meant(config) {
        return Ok(());
    }
    let table = item_table(work.env, work.root, config)?;
    table
        .refresh(&work.env.disk)
        .map_err(|error| source_error(config, error))
}

/// Writes what happened to the copy of a source's table into the table; returns what it did not take.
pub(super) fn push(work: &Work<'_>, config: &SourceConfig) -> SyncResult<Vec<SetAside>> {
    if !is_meant(config) {
        return Ok(Vec::new());
    }
    let wrap = |error| source_error(config, error);
    let table = item_table(work.env, work.root, config)?;
    if !table.is_ahead(&work.env.disk).map_err(wrap)? {
        return Ok(Vec::new());
    }
    let columns = columns_of(&*work.format(config)?)?;
    let refused = table.push(&work.env.disk, &columns).map_err(wrap)?;
    let set_aside = |(row, reason)| SetAside {
        item: format!("{} `{row}`", table.location),
        reason,
    };
    Ok(refused.into_iter().map(set_aside).collect())
}
