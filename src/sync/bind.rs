//! Binding sources and listing what is bound.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::config::{Direction, SourceConfig};
use super::report::{CollectionStatus, FormatReport, SourceReportLine};
use super::repository::Repository;
use super::table::{self as tables};
use super::work::{format_named, in_encoding, place_of, read_mapping};
use super::{AddSource, Environment, SyncError, SyncResult, other, tabled};
use crate::disk::Disk;
use crate::format::{self, Confidence, Format};
use crate::merge;
use crate::model::filter::Filter;
use crate::model::{Kind, SnapshotId};
use crate::source::table::{self, RowMapping, TableFormat};
use crate::source::{Place, SourceError, StatCache};
use crate::tree;

/// How much of a file is looked at to recognise its format.
const HEAD_BYTES: u64 = 256 * 1024;
/// How many files of a folder are looked at.
const FOLDER_SAMPLES: usize = 5;

impl Repository {
    /// Binds a source; writes nothing into it. Returns it and what is worth telling.
    pub fn add_source(&mut self, cwd: &Path, options: &AddSource) -> SyncResult<(SourceReportLine, Vec<String>)> {
        if let Some(filter) = &options.filter {
            Filter::parse(filter)?;
        }
        self.begin()?;
        if table::is_server(&options.location) {
            return self.add_server_table(cwd, options);
        }
        let (path, table) = self.split_location(cwd, &options.location)?;
        let map = options
            .map
            .as_ref()
            .map(|map| cwd.join(map))
            .map(|map| std::path::absolute(&map).unwrap_or(map));
        let exists = self.env.disk.stat(&path)?.is_some();
        if !exists && !options.create {
            return Err(SyncError::LocationMissing(path));
        }
        let is_written = direction_of(options)? != Direction::In;
        check_place(&self.env.disk, &path, &self.root, exists, is_written)?;
        let path = if exists {
            path.canonicalize().unwrap_or(path)
        } else {
            path
        };
        let same = |source: &&SourceConfig| source.location == path && source.table == table;
        if let Some(other) = self.config.sources().iter().find(same) {
            let location = shown_location(other);
            return Err(SyncError::SameLocation {
                name: other.name.clone(),
                location,
            });
        }
        let place = table::Location {
            path: path.clone(),
            table,
            password_file: None,
        };
        let wanted = options
            .collection
            .as_ref()
            .and_then(|name| self.store.view().collections.get(name));
        let is_known = wanted.is_some_and(|view| view.kind == Kind::Row);
        let has_rows = self.maps_rows(map.as_deref())?;
        if map.is_none() || has_rows {
            if let Some(format) = choose_table(&self.env, &place, options, exists, is_known || has_rows)? {
                return self.add_table(options, format, place, map, exists);
            }
            if has_rows {
                return Err(SyncError::Usage(format!("`{}` is no table of rows", options.location)));
            }
        }
        super::selection::Sieve::new(options.filter.as_deref())?;
        if !options.key.is_empty() || place.table.is_some() && map.is_none() {
            return Err(SyncError::Usage(format!("`{}` is no table of rows", options.location)));
        }
        self.add_items(options, &place, map, exists)
    }

    /// Returns whether a mapping is one of rows.
    pub(super) fn maps_rows(&self, map: Option<&Path>) -> SyncResult<bool> {
        let Some(map) = map else { return Ok(false) };
        let text = self.env.disk.read(map)?;
        Ok(std::str::from_utf8(&text).is_ok_and(RowMapping::is_meant))
    }

    /// Binds a file or folder of items, or a table of them.
    pub(super) fn add_items(
        &mut self,
        options: &AddSource,
        place: &table::Location,
        map: Option<PathBuf>,
        exists: bool,
    ) -> SyncResult<(SourceReportLine, Vec<String>)> {
        let mut notes = Vec::new();
        let path = place.path.as_path();
        let format = choose_format(&self.env, path, options.format.as_deref(), map.as_deref(), exists)?;
        let format = in_encoding(format, options.encoding.as_deref())?;
        let direction = direction_of(options)?;
        let kind = format.info().kind;
        let collection = options.collection.clone().unwrap_or_else(|| format!("{kind}s"));
        if let Some(known) = self.store.view().collections.get(&collection)
            && known.kind != kind
        {
            return Err(SyncError::Usage(format!(
                "collection `{collection}` holds {} records, not {kind}",
                known.kind
            )));
        }
        let named = place
            .table
            .as_ref()
            .map_or_else(|| path.to_owned(), |table| path.with_file_name(table));
        let source = SourceConfig {
            name: self.source_name(options.name.as_deref(), &named)?,
            collection,
            location: path.to_owned(),
            table: place.table.clone(),
            password_file: place.password_file.clone(),
            format: format.info().name.clone(),
            key: Vec::new(),
            map,
            // A file that is made now is read as it was written from then on.
            encoding: options.encoding.clone().or_else(|| {
                let new = format.new_encoding().filter(|_| !exists);
                new.map(str::to_owned)
            }),
            filter: options.filter.clone(),
            fields: options.fields.clone(),
            prefer: options.prefer.clone(),
            direction,
        };
        source.contact_fields()?;
        if place.table.is_some() {
            return self.add_item_table(options, &source, &*format, notes);
        }
        let mut items = 0;
        if exists {
            items = count_items(&self.env, &*format, path, &mut notes)?;
        } else {
            notes.push(format!("`{}` is new and empty; the next sync fills it", path.display()));
        }
        if !options.dry_run {
            if !exists {
                create_place(&self.env.disk, &*format, path)?;
            }
            let config = self.config.with_source(&source)?;
            self.commit_config(config)?;
        }
        Ok((line(&source, items), notes))
    }

    /// Binds a table of items; its copy is made at once.
    fn add_item_table(
        &mut self,
        options: &AddSource,
        source: &SourceConfig,
        format: &dyn Format,
        mut notes: Vec<String>,
    ) -> SyncResult<(SourceReportLine, Vec<String>)> {
        let (env, root) = (self.env.clone(), self.root.clone());
        let items = tabled::item_table(&env, &root, source)?;
        if let Some(name) = tabled::name_taken(source) {
            return Err(SyncError::Usage(format!(
                "a mapping cannot be named `{name}`, which is a format of tables"
            )));
        }
        let wrap = |error| super::source_error(source, error);
        let exists = match items.format.open(&env.disk, &items.location) {
            Ok(_) => true,
            Err(SourceError::Missing(_)) if options.create => false,
            Err(error) => return Err(wrap(error)),
        };
        if options.dry_run {
            return Ok((line(source, 0), notes));
        }
        if !exists {
            items.create(&env.disk, &tabled::columns_of(format)?).map_err(wrap)?;
            notes.push(format!(
                "`{}` is new and empty; the next sync fills it",
                shown_location(source)
            ));
        }
        // What a source of this name left.
        for left in items.files() {
            env.disk.remove(&left)?;
        }
        items.refresh(&env.disk).map_err(wrap)?;
        let count = count_items(&env, format, &items.copy, &mut notes)?;
        let config = self.config.with_source(source)?;
        self.commit_config(config)?;
        Ok((line(source, count), notes))
    }

    /// Splits `file.db#table`, unless a file has that whole name.
    fn split_location(&self, cwd: &Path, typed: &str) -> SyncResult<(PathBuf, Option<String>)> {
        let whole = absolute(cwd, typed)?;
        match typed.rsplit_once('#') {
            Some((file, table)) if !table.is_empty() && self.env.disk.stat(&whole)?.is_none() => {
                Ok((absolute(cwd, file)?, Some(table.to_owned())))
            }
            _ => Ok((whole, None)),
        }
    }

    /// Binds a table.
    fn add_table(
        &mut self,
        options: &AddSource,
        format: Arc<dyn TableFormat>,
        mut place: table::Location,
        map: Option<PathBuf>,
        exists: bool,
    ) -> SyncResult<(SourceReportLine, Vec<String>)> {
        super::prefer::refuse(options.prefer.as_deref())?;
        let mut notes = Vec::new();
        let path = place.path.clone();
        let wrap = |error| other("looking at the table", error);
        let mut is_there = exists;
        if format.info().has_tables {
            let tables = if exists {
                format.tables(&self.env.disk, &place).map_err(wrap)?
            } else {
                Vec::new()
            };
            let named = place.table.take();
            let name = match named {
                Some(name) => name,
                None => only_table(&place, &tables)?,
            };
            is_there = tables.contains(&name);
            if !is_there && !options.create {
                return Err(SyncError::Unknown {
                    what: "table",
                    name,
                    candidates: tables,
                });
            }
            place.table = Some(name);
        }
        let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let collection = options
            .collection
            .clone()
            .or_else(|| place.table.clone())
            .unwrap_or(stem);
        self.check_rows(&collection)?;
        let named = match &place.table {
            Some(table) => path.with_file_name(table),
            None => path.clone(),
        };
        let source = SourceConfig {
            name: self.source_name(options.name.as_deref(), &named)?,
            collection,
            location: path.clone(),
            table: place.table.clone(),
            password_file: None,
            format: format.info().name.to_owned(),
            key: options.key.clone(),
            map,
            encoding: options.encoding.clone(),
            filter: options.filter.clone(),
            fields: options.fields.clone(),
            prefer: None,
            direction: direction_of(options)?,
        };
        let text = tables::map_text(&self.env, &self.root, &source)?;
        let format = tables::mapped(format, &source, text.as_deref())?;
        let mut items = 0;
        if is_there {
            items = self.look_at_table(&source, &*format, &place, &mut notes)?;
        } else {
            self.check_fields(&source, &[])?;
            notes.push(format!(
                "`{}` is new and empty; the next sync fills it",
                shown_location(&source)
            ));
        }
        if !options.dry_run {
            let config = self.config.with_source(&source)?;
            self.commit_config(config)?;
        }
        Ok((line(&source, items), notes))
    }

    /// Refuses a collection that holds records of another kind.
    pub(super) fn check_rows(&self, collection: &str) -> SyncResult<()> {
        match self.store.view().collections.get(collection) {
            Some(known) if known.kind != Kind::Row => Err(SyncError::Usage(format!(
                "collection `{collection}` holds {} records, not rows",
                known.kind
            ))),
            _ => Ok(()),
        }
    }

    /// Refuses chosen columns that neither the table nor its collection has, where it is known what these have.
    fn check_fields(&self, source: &SourceConfig, columns: &[table::TableColumn]) -> SyncResult<()> {
        if source.fields.is_empty() {
            return Ok(());
        }
        let work = self.reading();
        let schema = tables::schema_of(&work, &work.state(&source.collection)?)?;
        if columns.is_empty() && schema.columns.is_empty() {
            return Ok(());
        }
        tables::check_fields(&source.fields, columns, &schema)
    }

    /// Reads a table that is to be bound: how many rows it has, and whether it can be bound so.
    pub(super) fn look_at_table(
        &self,
        source: &SourceConfig,
        format: &dyn TableFormat,
        place: &table::Location,
        notes: &mut Vec<String>,
    ) -> SyncResult<u64> {
        let wrap = |error| super::source_error(source, error);
        let opened = format.open(&self.env.disk, place).map_err(wrap)?;
        let mut rows = 0;
        let mut each = |_: table::RawRow<'_>| {
            rows += 1;
            Ok(())
        };
        opened.read(&mut each).map_err(wrap)?;
        for name in &source.key {
            let known = |column: &table::TableColumn| column.name.trim().eq_ignore_ascii_case(name.trim());
            if !opened.columns().iter().any(known) {
                let names: Vec<&str> = opened.columns().iter().map(|column| column.name.as_str()).collect();
                return Err(SyncError::Usage(format!(
                    "the table has no column `{name}`; it has {}",
                    names.join(", ")
                )));
            }
        }
        let is_new = !self.store.view().collections.contains_key(&source.collection);
        self.check_fields(source, opened.columns())?;
        if let Some(Ok(filter)) = source.filter.as_deref().map(Filter::parse) {
            let work = self.reading();
            let schema = tables::schema_of(&work, &work.state(&source.collection)?)?;
            let mut names: Vec<&str> = opened.columns().iter().map(|column| column.name.as_str()).collect();
            names.extend(schema.columns.iter().map(|column| column.name.as_str()));
            names.dedup();
            let is_known = |field: &str| names.iter().any(|name| name.trim().eq_ignore_ascii_case(field));
            if let Some(field) = filter.fields().into_iter().find(|field| !is_known(field)) {
                return Err(tables::unknown_column(field, &names));
            }
        }
        let has_key = !source.key.is_empty() || opened.columns().iter().any(|column| column.key.is_some());
        if is_new && !has_key {
            notes.push(
                "no key: rows are recognised by what they hold; with `--key` edits of a row are always edits"
                    .to_owned(),
            );
        }
        Ok(rows)
    }

    pub(super) fn source_name(&self, wanted: Option<&str>, path: &Path) -> SyncResult<String> {
        let taken = |name: &str| self.config.sources().iter().any(|source| source.name == name);
        if let Some(name) = wanted {
            let plain = !name.is_empty() && !name.starts_with('.') && !name.contains(['/', '\0']);
            return match (plain, taken(name)) {
                (false, _) => Err(SyncError::Usage(format!("`{name}` is no name for a source"))),
                (true, true) => Err(SyncError::Exists {
                    what: "source",
                    name: name.to_owned(),
                }),
                (true, false) => Ok(name.to_owned()),
            };
        }
        let stem = path
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .trim_start_matches('.')
            .to_owned();
        let stem = if stem.is_empty() { "source".to_owned() } else { stem };
        let names = std::iter::once(stem.clone()).chain((2..).map(|n| format!("{stem}-{n}")));
        names
            .into_iter()
            .find(|name| !taken(name))
            .ok_or_else(|| SyncError::Exists {
                what: "source",
                name: stem,
            })
    }

    /// Records a changed configuration: the file first written aside, then the operation, then the file in place.
    pub(super) fn commit_config(&mut self, config: super::Config) -> SyncResult<()> {
        use crate::port::Objects;
        let mut view = self.store.view().clone();
        let blob = self.store.put(crate::model::Domain::Blob, config.text().as_bytes())?;
        if view.config.is_none() {
            // What was there before the first change, so that the change can be undone.
            let before = self
                .store
                .put(crate::model::Domain::Blob, self.config.text().as_bytes())?;
            let mut first = view.clone();
            first.config = Some(before);
            let command = self.env.command.clone();
            self.commit(first, &command)?;
        }
        view.config = Some(blob);
        view.sources.retain(|name, _| config.source(name).is_ok());
        view.remotes.retain(|name, _| config.remote(name).is_ok());
        config.save(&self.env.disk)?;
        self.config = config;
        let command = self.env.command.clone();
        self.commit(view, &command)
    }

    /// Unbinds a source; touches neither records nor the source.
    pub fn remove_source(&mut self, name: &str, dry_run: bool) -> SyncResult<()> {
        self.begin()?;
        self.config.source(name)?;
        if dry_run {
            return Ok(());
        }
        let config = self.config.without("source", name)?;
        self.commit_config(config)
    }

    /// Lists the sources.
    pub fn sources(&self) -> SyncResult<Vec<SourceReportLine>> {
        let mut list = Vec::new();
        for source in self.config.sources() {
            let items = match self.store.view().sources.get(&source.name) {
                Some(_) if tables::format_of(source).is_some() => tables::count(&self.reading(), source)?,
                Some(view) => {
                    tree::count(&self.store, &view.index).map_err(|error| other("reading a source", error))?
                }
                None => 0,
            };
            list.push(line(source, items));
        }
        Ok(list)
    }

    /// Lists the collections.
    pub fn collections(&self) -> SyncResult<Vec<CollectionStatus>> {
        let work = self.reading();
        let mut list = Vec::new();
        for (name, view) in &work.view.collections {
            let state = work.state(name)?;
            let records = work.record_count(&state)?;
            let mut status = CollectionStatus {
                name: name.clone(),
                kind: view.kind.name().to_owned(),
                records,
                conflicts: (merge::conflicts(work.objects, &state).count() + tables::broken(&work, name)?.len()) as u64,
                root: state.content.to_string(),
                heads: view.heads.iter().map(SnapshotId::to_string).collect(),
                policies: BTreeMap::new(),
                versions: BTreeMap::new(),
            };
            super::settings::describe(&work, &state, &mut status)?;
            list.push(status);
        }
        Ok(list)
    }

    /// Lists the formats.
    pub fn formats() -> Vec<FormatReport> {
        let mut list: Vec<FormatReport> = format::all()
            .iter()
            .map(|format| {
                let info = format.info();
                let mut places = vec!["file".to_owned()];
                places.extend(info.folder_extension.map(|_| "folder".to_owned()));
                FormatReport {
                    name: info.name.clone(),
                    kind: info.kind.name().to_owned(),
                    title: info.title.clone(),
                    places,
                    writes: true,
                    ids: info.has_ids,
                }
            })
            .collect();
        list.extend(table::formats().iter().map(|format| {
            let info = format.info();
            FormatReport {
                name: info.name.to_owned(),
                kind: Kind::Row.name().to_owned(),
                title: info.title.to_owned(),
                places: vec![if info.is_server { "server" } else { "file" }.to_owned()],
                writes: info.writes,
                ids: false,
            }
        }));
        list.sort_by(|left, right| left.name.cmp(&right.name));
        list
    }
}

pub(super) fn line(source: &SourceConfig, items: u64) -> SourceReportLine {
    SourceReportLine {
        name: source.name.clone(),
        collection: source.collection.clone(),
        format: source.format.clone(),
        location: shown_location(source),
        direction: source.direction.name().to_owned(),
        filter: source.filter.clone(),
        fields: source.fields.clone(),
        items,
    }
}

/// Returns the table that is meant where none is named: the only one.
pub(super) fn only_table(place: &table::Location, tables: &[String]) -> SyncResult<String> {
    match tables {
        [only] => Ok(only.clone()),
        _ => Err(SyncError::Usage(format!(
            "`{place}` has {} tables; say which as `{place}#TABLE`: {}",
            tables.len(),
            tables.join(", ")
        ))),
    }
}

/// Returns a source's location as a person types it.
pub(super) fn shown_location(source: &SourceConfig) -> String {
    super::table::location_of(source).to_string()
}

fn absolute(cwd: &Path, location: &str) -> SyncResult<PathBuf> {
    if let Some((scheme, _)) = location.split_once("://") {
        return match scheme {
            "file" => Ok(PathBuf::from(location.trim_start_matches("file://"))),
            "carddav" | "caldav" | "dav" | "davs" | "http" | "https" => {
                Err(SyncError::NotBuilt("a source on a server"))
            }
            _ => Err(SyncError::Usage(format!("`{scheme}` is no kind of source"))),
        };
    }
    let path = cwd.join(location);
    Ok(std::path::absolute(&path).unwrap_or(path))
}

/// Refuses places that could never work, before anything is bound.
fn check_place(disk: &Disk, path: &Path, root: &Path, exists: bool, is_written: bool) -> SyncResult<()> {
    let refuse = |reason: String| {
        Err(SyncError::Location {
            location: path.to_owned(),
            reason,
        })
    };
    let root_real = root.canonicalize().unwrap_or_else(|_| root.to_owned());
    if path
        .canonicalize()
        .unwrap_or_else(|_| path.to_owned())
        .starts_with(&root_real)
    {
        return refuse("it lies inside the store".to_owned());
    }
    let folder = if exists && disk.is_dir(path) {
        path
    } else {
        path.parent().unwrap_or(path)
    };
    if !exists && !disk.is_dir(folder) {
        return refuse(format!("the folder `{}` does not exist", folder.display()));
    }
    // A file is replaced by another one beside it, so it is the folder that must be writable.
    match rustix::fs::access(folder, rustix::fs::Access::WRITE_OK) {
        Err(error) if is_written || !exists => refuse(format!("`{}` is not writable: {error}", folder.display())),
        _ => Ok(()),
    }
}

/// Makes an empty source.
fn create_place(disk: &Disk, format: &dyn Format, path: &Path) -> SyncResult<()> {
    let folder = path.extension().is_none() && format.info().folder_extension.is_some();
    if folder {
        return Ok(disk.create_dir_all(path)?);
    }
    Ok(disk.create_new(path, &format.create(None).assemble(&[]))?)
}

fn count_items(env: &Environment, format: &dyn Format, path: &Path, notes: &mut Vec<String>) -> SyncResult<u64> {
    let place = place_of(format, path, env.disk.is_dir(path))?;
    let files = place
        .files(&env.disk, &StatCache::default())
        .map_err(|error| other("listing the source", error))?;
    if let Place::Folder { .. } = place {
        return Ok(files.len() as u64);
    }
    let bytes = env.disk.read(path)?;
    let document = format.open(bytes).map_err(|source| SyncError::Format {
        location: path.display().to_string(),
        format: format.info().name.clone(),
        source,
    })?;
    for broken in document.broken() {
        notes.push(format!(
            "{}:{}: {} (it will be set aside)",
            path.display(),
            broken.line,
            broken.reason
        ));
    }
    Ok(document.item_count() as u64)
}

pub(super) fn direction_of(options: &AddSource) -> SyncResult<Direction> {
    match options.direction.as_deref() {
        None => Ok(Direction::Both),
        Some(word) => {
            Direction::parse(word).ok_or_else(|| SyncError::Usage(format!("`{word}` is no direction: both, in or out")))
        }
    }
}

/// Returns the format of a table of rows; `None` where the location is a source of another kind.
///
/// A key, a table's name or a collection of rows (`is_known`) says that rows are meant: a CSV file without them may be an
/// address book that needs a mapping.
fn choose_table(
    env: &Environment,
    place: &table::Location,
    options: &AddSource,
    exists: bool,
    is_known: bool,
) -> SyncResult<Option<Arc<dyn TableFormat>>> {
    if let Some(name) = &options.format {
        return Ok(super::table::format_named(name));
    }
    let name = place
        .path
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let formats = table::formats();
    if !exists {
        let ending = place
            .path
            .extension()
            .map(|ending| ending.to_string_lossy().to_lowercase());
        let meant = |format: &dyn TableFormat| {
            ending
                .as_deref()
                .is_some_and(|ending| format.info().extensions.contains(&ending))
        };
        return Ok(formats
            .iter()
            .find(|format| meant(format.as_ref()))
            .and_then(|format| super::table::format_named(format.info().name)));
    }
    if env.disk.is_dir(&place.path) {
        return Ok(None);
    }
    let head = env.disk.read_range(&place.path, 0, HEAD_BYTES)?;
    let best = formats
        .iter()
        .map(|format| (format.detect(&name, &head), format.info().name))
        .max_by_key(|(sure, _)| *sure);
    let Some((sure, best)) = best.filter(|(sure, _)| *sure > Confidence::No) else {
        return Ok(None);
    };
    let is_meant = !options.key.is_empty() || place.table.is_some() || is_known || sure == Confidence::Certain;
    if !is_meant {
        return Ok(None);
    }
    Ok(super::table::format_named(best))
}

/// Chooses the format of a location: as asked, by the person's mapping, or by content.
fn choose_format(
    env: &Environment,
    path: &Path,
    asked: Option<&str>,
    map: Option<&Path>,
    exists: bool,
) -> SyncResult<Arc<dyn Format>> {
    if let Some(map) = map {
        return read_mapping(env, map);
    }
    if let Some(name) = asked {
        return format_named(name);
    }
    if !exists {
        return by_extension(path);
    }
    detect(env, path)
}

/// Recognises a format by the content of a file, or of some files of a folder.
pub(super) fn detect(env: &Environment, path: &Path) -> SyncResult<Arc<dyn Format>> {
    let mut samples: Vec<(PathBuf, Vec<u8>)> = Vec::new();
    if env.disk.is_dir(path) {
        for (file, _) in env.disk.list(path)? {
            let hidden = file
                .file_name()
                .is_some_and(|name| name.to_string_lossy().starts_with('.'));
            if samples.len() < FOLDER_SAMPLES && !hidden {
                let bytes = env.disk.read_range(&file, 0, HEAD_BYTES)?;
                samples.push((file, bytes));
            }
        }
        if samples.is_empty() {
            return by_extension(&path.join("x.vcf"));
        }
    } else {
        samples.push((path.to_owned(), env.disk.read_range(path, 0, HEAD_BYTES)?));
    }
    let folder = env.disk.is_dir(path);
    let mut best: Vec<(Confidence, Box<dyn Format>)> = Vec::new();
    for format in format::all() {
        if folder && format.info().folder_extension.is_none() {
            continue;
        }
        let confidence = samples
            .iter()
            .map(|(file, bytes)| format.detect(&file.file_name().unwrap_or_default().to_string_lossy(), bytes));
        let confidence = confidence.max().unwrap_or(Confidence::No);
        let highest = best.first().map_or(Confidence::Possible, |(highest, _)| *highest);
        if confidence > highest {
            best.clear();
        }
        if confidence >= highest && confidence > Confidence::No {
            best.push((confidence, format));
        }
    }
    match best.len() {
        1 => best
            .pop()
            .map(|(_, format)| Arc::from(format))
            .ok_or_else(|| unknown_format(path, &samples)),
        0 => Err(unknown_format(path, &samples)),
        _ => Err(SyncError::AmbiguousFormat {
            location: path.to_owned(),
            candidates: best.iter().map(|(_, format)| format.info().name.clone()).collect(),
        }),
    }
}

fn unknown_format(path: &Path, samples: &[(PathBuf, Vec<u8>)]) -> SyncError {
    let read_as = samples
        .first()
        .and_then(|(_, bytes)| format::rows::describe(bytes))
        .map(|table| {
            format!(
                "a table with delimiter `{}` in {}: {}",
                table.delimiter.escape_default(),
                table.encoding,
                table.header.join(" | ")
            )
        });
    SyncError::UnknownFormat {
        location: path.to_owned(),
        read_as,
    }
}

fn by_extension(path: &Path) -> SyncResult<Arc<dyn Format>> {
    let extension = path.extension().map(|ending| ending.to_string_lossy().to_lowercase());
    match extension.as_deref() {
        Some("vcf") | None => format_named("vcard"),
        Some("json") => format_named("jscontact"),
        Some("ldif") => format_named("mozilla-ldif"),
        _ => Err(SyncError::UnknownFormat {
            location: path.to_owned(),
            read_as: None,
        }),
    }
}

/// Returns the format for an output file: as asked, by what is there, by the ending.
pub(super) fn output_format(env: &Environment, path: &Path, asked: Option<&str>) -> SyncResult<Arc<dyn Format>> {
    let exists = env.disk.stat(path)?.is_some_and(|stat| stat.length_bytes > 0);
    choose_format(env, path, asked, None, exists)
}
