//! Binding tables of servers.

use std::path::{Path, PathBuf};

use super::bind::{direction_of, line, only_table, shown_location};
use super::config::SourceConfig;
use super::report::SourceReportLine;
use super::repository::Repository;
use super::table::{self as tables};
use super::{AddSource, SyncError, SyncResult};
use crate::source::table::{self, postgres};

impl Repository {
    /// Binds a table of a server. The password of the URL goes into a file of its own, so that no text shows it.
    pub(super) fn add_server_table(
        &mut self,
        cwd: &Path,
        options: &AddSource,
    ) -> SyncResult<(SourceReportLine, Vec<String>)> {
        let parts = postgres::split(&options.location).map_err(SyncError::Usage)?;
        let map = options.map.as_ref().map(|map| cwd.join(map));
        let map = map.map(|map| std::path::absolute(&map).unwrap_or(map));
        if options.format.as_deref().is_some_and(|name| name != postgres::NAME) {
            return Err(SyncError::Usage(format!(
                "`{}` is a table of PostgreSQL, and of no other format",
                parts.url
            )));
        }
        let stem = parts.table.as_deref().unwrap_or("postgres");
        let name = self.source_name(options.name.as_deref(), Path::new(last_name(stem)))?;
        let mut place = table::Location {
            path: PathBuf::from(&parts.url),
            table: parts.table,
            password_file: None,
        };
        let Some(password) = &parts.password else {
            return self.add_found_table(options, place, name, map, None);
        };
        let relative = Path::new("keys").join(format!("source-{name}.password"));
        let file = self.root.join(&relative);
        if self.env.disk.stat(&file)?.is_some() {
            // Of a source of that name that is not bound any more.
            self.env.disk.remove(&file)?;
        }
        self.env.disk.create_private(&file, password.as_bytes())?;
        place.password_file = Some(file.clone());
        let added = self.add_found_table(options, place, name, map, Some(relative));
        if added.is_err() || options.dry_run {
            self.env.disk.remove(&file)?;
        }
        added
    }

    /// Binds a table of a server that can be asked for it.
    fn add_found_table(
        &mut self,
        options: &AddSource,
        mut place: table::Location,
        name: String,
        map: Option<PathBuf>,
        password_file: Option<PathBuf>,
    ) -> SyncResult<(SourceReportLine, Vec<String>)> {
        let Some(format) = tables::format_named(postgres::NAME) else {
            return Err(SyncError::NotBuilt("PostgreSQL"));
        };
        if map.is_some() && !self.maps_rows(map.as_deref())? {
            return self.add_items(options, &place, map, true);
        }
        super::prefer::refuse(options.prefer.as_deref())?;
        let mut source = SourceConfig {
            name,
            collection: String::new(),
            location: place.path.clone(),
            table: None,
            password_file: place.password_file.clone(),
            format: postgres::NAME.to_owned(),
            key: options.key.clone(),
            map,
            encoding: None,
            filter: options.filter.clone(),
            fields: options.fields.clone(),
            prefer: None,
            direction: direction_of(options)?,
        };
        let wrap = |error| super::source_error(&source, error);
        let table = if let Some(table) = &place.table {
            table.clone()
        } else {
            let tables = format.tables(&self.env.disk, &place).map_err(wrap)?;
            only_table(&place, &tables)?
        };
        place.table = Some(table.clone());
        let same = |other: &&SourceConfig| {
            tables::location_of(other) == place || other.location == place.path && other.table == place.table
        };
        if let Some(other) = self.config.sources().iter().find(same) {
            return Err(SyncError::SameLocation {
                name: other.name.clone(),
                location: shown_location(other),
            });
        }
        source.collection = options
            .collection
            .clone()
            .unwrap_or_else(|| last_name(&table).to_owned());
        self.check_rows(&source.collection)?;
        source.table.clone_from(&place.table);
        let mut notes = Vec::new();
        let text = tables::map_text(&self.env, &self.root, &source)?;
        let format = tables::mapped(format, &source, text.as_deref())?;
        let items = match self.look_at_table(&source, &*format, &place, &mut notes) {
            Err(SyncError::SourceMissing { .. }) if options.create => {
                notes.push(format!("`{place}` is new and empty; the next sync fills it"));
                0
            }
            Err(SyncError::SourceMissing { .. }) => return Err(SyncError::LocationMissing(place.to_string().into())),
            items => items?,
        };
        if !options.dry_run {
            let written = SourceConfig {
                password_file,
                ..source.clone()
            };
            self.commit_config(self.config.with_source(&written)?)?;
        }
        Ok((line(&source, items), notes))
    }
}

/// Returns the name of a table without its schema.
fn last_name(table: &str) -> &str {
    table.rsplit_once('.').map_or(table, |(_, name)| name)
}
