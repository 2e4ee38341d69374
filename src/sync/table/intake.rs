//! Taking in: which rows of a table were edited, as transactions on what the table showed.
//!
//! Four ways, by what is known: nothing yet (`first`), the fingerprints of the rows (only unknown rows are looked at),
//! the base alone (all rows by key beside the base's tree), and the base of rows without keys (`content`).

use std::collections::{BTreeMap, BTreeSet};

use super::columns::{self, Columns};
use super::edits::{Edits, Groups};
use super::gather::{Gathered, Gatherer};
use super::judge::{Duplicate, Judge};
use super::known::{self, Exception, Exceptions, Notes};
use super::lens::Bound;
use super::sieve::Sieve;
use super::{Rows, Taken, content, first, format_of, location_of, map_text, mapped, open};
use crate::delta::{Operation, State, difference};
use crate::model::row::{from_value, schema_key};
use crate::model::{Kind, RecordKey, SnapshotId};
use crate::source::SourceError;
use crate::source::table::{Prints, Table};
use crate::spool::SortedRuns;
use crate::store::SourceView;
use crate::sync::config::{Direction, SourceConfig};
use crate::sync::report::{SetAside, SourceReport, Tally};
use crate::sync::work::Work;
use crate::sync::{Overrides, SyncError, SyncResult, source_error};
use crate::tree;

/// Returns whether a table is as it was when it was last in step, by what its place says without being read.
pub(in crate::sync) fn is_untouched(work: &Work<'_>, config: &SourceConfig) -> bool {
    let (Some(format), Some(view)) = (format_of(config), work.view.sources.get(&config.name)) else {
        return false;
    };
    let Some(header) = Prints::load_header(&work.env.disk, &known::cache_path(work, &config.name)) else {
        return false;
    };
    let is_filter_new = config.direction != Direction::In && known::filter(view) != config.filter.as_deref();
    let are_fields_new = known::fields(view) != config.fields;
    // Where the mapping cannot be read, the scan says so.
    let map = map_text(work.env, work.root, config);
    let is_map_new = !map.is_ok_and(|map| map.as_deref() == known::map(view));
    if is_filter_new
        || are_fields_new
        || is_map_new
        || has_columns_back(work, config, view).unwrap_or(true)
        || header.tag != Some(known::tag(view))
        || !header.is_settled
        || view.base.is_empty()
    {
        return false;
    }
    // Where the place cannot be looked at, the scan says so.
    let state = format.state(&work.env.disk, &location_of(config));
    state.is_ok_and(|state| state.is_some_and(|stats| header.is_same(&stats)))
}

/// Returns whether a column is shown again that was dropped when the source was in step last.
fn has_columns_back(work: &Work<'_>, config: &SourceConfig, view: &SourceView) -> SyncResult<bool> {
    let heads = work.heads(&config.collection);
    if view.base == heads {
        return Ok(false);
    }
    let before = known::schema_of(work, &work.state_at(&view.base)?)?;
    let now = known::schema_of(work, &work.state_at(&heads)?)?;
    Ok(before.dropped.iter().any(|column| now.column(&column.id).is_some()))
}

/// What a table was found to say.
#[derive(Default)]
pub(in crate::sync) struct Looked {
    pub(in crate::sync) read: Tally,
    pub(in crate::sync) set_aside: Vec<SetAside>,
    pub(super) notes: Vec<String>,
    pub(super) groups: Groups,
    pub(super) additions: SortedRuns,
    pub(super) origin: BTreeMap<RecordKey, Vec<SnapshotId>>,
    pub(super) exceptions: Exceptions,
    /// What is noted of rows beside; what a rule refused is still refused, as far as a scan can tell.
    pub(super) notes_of_rows: Notes,
    /// By column: in how many rows a value that was there changed, and an example.
    pub(super) changed: BTreeMap<String, (u64, (String, String))>,
    /// The heads that new records and a new schema are made on.
    pub(super) parents: Vec<SnapshotId>,
    pub(super) is_first_sight: bool,
    /// The first snapshot of the collection, if this made it.
    pub(super) first: Option<SnapshotId>,
    pub(super) bound: Option<Bound>,
    pub(super) rows: Rows,
    /// How many rows the source showed before.
    pub(super) before: u64,
    /// How many rows there are.
    pub(super) present: u64,
}

/// Reads a table through a mapping without recording anything but objects.
fn look(
    work: &Work<'_>,
    config: &SourceConfig,
    map: Option<&str>,
    allow: Overrides,
    message: Option<&str>,
) -> SyncResult<Looked> {
    let Some(format) = format_of(config) else {
        return Err(SyncError::NotBuilt("tables of this format"));
    };
    let format = mapped(format, config, map)?;
    let view = work.source_view(&config.name);
    let mut looked = Looked {
        exceptions: known::load(work.objects, &view)?,
        notes_of_rows: Notes::load(work.objects, &view)?,
        ..Looked::default()
    };
    let state = format.state(&work.env.disk, &location_of(config));
    let stats = match state {
        Ok(stats) => stats.unwrap_or_default(),
        // A table that is still to be made has no rows yet.
        Err(SourceError::Missing(_)) if view.base.is_empty() => return Ok(looked),
        Err(error) => return Err(source_error(config, error)),
    };
    looked.rows.stats = stats;
    looked.rows.read_ns = i128::from(work.env.clock.now().0) * 1_000_000;
    let table = open(work, config, &*format)?;
    let heads = work.heads(&config.collection);
    if table.columns().is_empty() {
        if view.base.is_empty() {
            return Ok(looked);
        }
        if !allow.empty {
            let before = super::count(work, config)?;
            return Err(SyncError::SourceEmpty {
                name: config.name.clone(),
                before,
            });
        }
    }
    let columns = columns::bind(work, config, &view, &work.state_at(&heads)?, table.as_ref())?;
    looked.bound = Some(columns.bound.clone());
    looked.notes.clone_from(&columns.notes);
    if heads.is_empty() && view.base.is_empty() && config.filter.is_none() {
        first::import(work, config, table.as_ref(), &columns, message, &mut looked)?;
    } else {
        compare(work, config, table.as_ref(), &columns, &heads, None, &mut looked)?;
    }
    Ok(looked)
}

/// Compares the rows of a table with what it showed before, or with the collection at first sight.
///
/// With another mapping (`lens`) nothing is an edit but what that one makes visible.
fn compare(
    work: &Work<'_>,
    config: &SourceConfig,
    table: &dyn Table,
    columns: &Columns,
    heads: &[SnapshotId],
    lens: Option<&NewLens>,
    looked: &mut Looked,
) -> SyncResult<()> {
    let view = work.source_view(&config.name);
    let is_first_sight = view.base.is_empty();
    let base = work.state_at(if is_first_sight { heads } else { &view.base })?;
    looked.is_first_sight = is_first_sight;
    looked.parents = if is_first_sight {
        heads.to_vec()
    } else {
        view.base.clone()
    };
    looked.before = if is_first_sight { 0 } else { super::count(work, config)? };
    let is_keyed = columns.schema.is_keyed();
    let mut gatherer = Gatherer {
        work,
        config,
        encoder: columns.lens.encoder(),
        is_keyed,
    };
    let former = Rows::load(work, &config.name).filter(|_| columns.is_as_before && !is_first_sight && lens.is_none());
    let exceptions = std::mem::take(&mut looked.exceptions);
    let mut gathered = gather(&mut gatherer, table, former.as_ref(), columns, &base, &exceptions)?;
    tell_broken(config, &gathered, looked);
    if !gathered.is_complete {
        let note =
            "the table ends within a row, or changed while it was read; what is missing is not taken for removed";
        looked.notes.push(note.to_owned());
    }
    let tried = known::tried(&view);
    let new_columns = newly_shown(&view, columns);
    let mut edits = Edits {
        work,
        table,
        lens: &columns.lens,
        direction: config.direction,
        sieve: sieve_of(config, &view, columns)?,
        parents: looked.parents.clone(),
        strangers: 0,
        base: view.base.clone(),
        is_first_sight: is_first_sight || lens.is_some(),
        lens_before: lens.map(|lens| lens.shown_before.clone()),
        tried: if tried.is_empty() {
            None
        } else {
            Some((tried.clone(), work.state_at(&tried)?))
        },
        is_incomplete: !gathered.is_complete || !gathered.broken.is_empty(),
        new_columns,
        exceptions,
        marks: std::mem::take(&mut looked.notes_of_rows.marks),
        former: known::before(&view),
        groups: Groups::new(),
        additions: SortedRuns::default(),
        origin: BTreeMap::new(),
        read: Tally::default(),
        columns: BTreeMap::new(),
    };
    let which = std::mem::replace(
        &mut gathered.rows,
        super::gather::Which::All(super::sorter::Sorter::default()),
    );
    let mut judge = Judge::new(&mut edits, base, &mut gathered);
    judge.run(which, is_keyed)?;
    let (hashes, ranks, duplicates) = (judge.hashes, judge.ranks, judge.duplicates);
    tell_strangers(edits.strangers, looked);
    looked.groups = edits.groups;
    looked.additions = edits.additions;
    looked.origin = edits.origin;
    looked.exceptions = edits.exceptions;
    looked.notes_of_rows.marks = edits.marks;
    looked.read = edits.read;
    looked.changed = edits.columns;
    looked.present = hashes.len() as u64;
    looked.rows.prints = Prints {
        seed: gathered.seed,
        hashes,
        ranks,
    };
    tell_duplicates(config, table, columns, &duplicates, looked)?;
    change_schema(work, config, columns, &base, looked)?;
    looked.rows.is_settled = looked.set_aside.is_empty() && looked.exceptions.is_empty();
    Ok(())
}

/// Lists the columns of the collection that the source shows for the first time.
fn newly_shown(view: &SourceView, columns: &Columns) -> BTreeSet<String> {
    let Some(before) = known::bound(view).filter(|_| !view.base.is_empty()) else {
        return BTreeSet::new();
    };
    let ids = columns.bound.iter().map(|(id, _)| id);
    let is_new = |id: &&String| columns.old.column(id).is_some() && !before.iter().any(|(known, _)| known == *id);
    ids.filter(is_new).cloned().collect()
}

/// Reads the rows in the way that what is known of them allows.
fn gather(
    gatherer: &mut Gatherer<'_>,
    table: &dyn Table,
    former: Option<&Rows>,
    columns: &Columns,
    base: &State,
    exceptions: &Exceptions,
) -> SyncResult<Gathered> {
    if let Some(former) = former {
        return gatherer.known(table, former);
    }
    let mut seed = [0; 8];
    (gatherer.work.env.random)(&mut seed);
    let seed = u64::from_le_bytes(seed);
    if gatherer.is_keyed {
        return gatherer.all(table, seed);
    }
    content::gather(gatherer, table, &columns.lens, base, exceptions, seed)
}

/// Returns which records of its base the table shows.
fn sieve_of(config: &SourceConfig, view: &SourceView, columns: &Columns) -> SyncResult<Sieve> {
    if view.base.is_empty() {
        return Sieve::new(config.filter.as_deref(), &columns.schema);
    }
    Sieve::lenient(known::filter(view), &columns.old)
}

/// Reports rows that the filter would not let in.
fn tell_strangers(count: u64, looked: &mut Looked) {
    if count > 0 {
        let text = "rows do not match the filter; they are taken in, and stay here until they are changed elsewhere";
        looked.notes.push(format!("{count} {text}"));
    }
}

/// Adds the change of the schema to the edits.
fn change_schema(
    work: &Work<'_>,
    config: &SourceConfig,
    columns: &Columns,
    base: &State,
    looked: &mut Looked,
) -> SyncResult<()> {
    if columns.old == columns.schema || config.direction == Direction::Out {
        return Ok(());
    }
    let was = work.record(base, &schema_key())?;
    let operation = match (&was, difference(was.as_ref(), Some(&columns.schema.to_record()))) {
        (_, None) => return Ok(()),
        // The base may be older than what the columns were bound to: only what this table brings is its change.
        (Some(_), Some(Operation::Change(_))) => {
            match difference(Some(&columns.old.to_record()), Some(&columns.schema.to_record())) {
                Some(operation) => operation,
                None => return Ok(()),
            }
        }
        (_, Some(operation)) => operation,
    };
    looked
        .groups
        .entry(looked.parents.clone())
        .or_default()
        .insert(schema_key(), operation);
    Ok(())
}

/// Returns where a row is, for people.
fn place_of(config: &SourceConfig, line: u64) -> String {
    let location = location_of(config);
    match &config.table {
        Some(_) => format!("{location} row {line}"),
        None => format!("{location}:{line}"),
    }
}

/// Reports rows that cannot be read.
pub(super) fn tell_broken(config: &SourceConfig, gathered: &Gathered, looked: &mut Looked) {
    for (line, reason) in &gathered.broken {
        looked.set_aside.push(SetAside {
            item: place_of(config, *line),
            reason: reason.clone(),
        });
    }
}

/// Reports rows that have one key.
fn tell_duplicates(
    config: &SourceConfig,
    table: &dyn Table,
    columns: &Columns,
    duplicates: &[Duplicate],
    looked: &mut Looked,
) -> SyncResult<()> {
    let wanted: BTreeSet<usize> = duplicates
        .iter()
        .flat_map(|duplicate| duplicate.rows.iter().copied())
        .collect();
    let mut lines = BTreeMap::new();
    if !wanted.is_empty() {
        let mut at = 0;
        let read = table.read(&mut |row| {
            if wanted.contains(&at) {
                lines.insert(at, row.line);
            }
            at += 1;
            Ok(())
        });
        read.map_err(|error| source_error(config, error))?;
    }
    for duplicate in duplicates {
        let more: Vec<u64> = duplicate
            .rows
            .iter()
            .filter_map(|row| lines.get(row).copied())
            .collect();
        tell_duplicate(config, columns, duplicate, &more, looked);
    }
    Ok(())
}

/// Reports the rows that have one key; `more` are lines beside those that the duplicate knows.
pub(super) fn tell_duplicate(
    config: &SourceConfig,
    columns: &Columns,
    duplicate: &Duplicate,
    more: &[u64],
    looked: &mut Looked,
) {
    let record = super::edits::decode(&duplicate.record).unwrap_or_default();
    let key: Vec<String> = columns
        .schema
        .key
        .iter()
        .map(|id| {
            from_value(record.get(id.as_str()))
                .text()
                .unwrap_or_default()
                .into_owned()
        })
        .collect();
    let mut lines: Vec<u64> = duplicate.lines.iter().chain(more).copied().collect();
    lines.sort_unstable();
    for line in &lines {
        let others: Vec<String> = lines
            .iter()
            .filter(|other| *other != line)
            .map(u64::to_string)
            .collect();
        looked.set_aside.push(SetAside {
            item: place_of(config, *line),
            reason: format!(
                "key `{}` is also in line {}; none of these rows is taken in",
                key.join(","),
                others.join(", ")
            ),
        });
    }
}

/// Takes in the edits of a table: scan, safeguards, snapshots, what is then known of it.
///
/// Edits are found through the mapping by which the table was read last; after that another one may show it.
pub(in crate::sync) fn take_in(
    work: &mut Work<'_>,
    config: &SourceConfig,
    allow: Overrides,
    message: Option<&str>,
) -> SyncResult<Taken> {
    let map = map_text(work.env, work.root, config)?;
    let view = work.source_view(&config.name);
    let before = known::map(&view).map(str::to_owned);
    if view.base.is_empty() || before == map {
        return take_in_through(work, config, map.as_deref(), allow, message);
    }
    let shown_before = known::bound(&view).unwrap_or_default().into_iter().map(|(id, _)| id);
    let mut lens = NewLens {
        shown_before: shown_before.collect(),
    };
    let taken = match take_in_through(work, config, before.as_deref(), allow, message) {
        // Table and mapping changed together: what the table says now was never agreed on.
        Err(SyncError::Usage(_)) => {
            lens.shown_before.clear();
            None
        }
        taken => Some(taken?),
    };
    look_anew(work, config, map.as_deref(), &lens, message, taken)
}

fn take_in_through(
    work: &mut Work<'_>,
    config: &SourceConfig,
    map: Option<&str>,
    allow: Overrides,
    message: Option<&str>,
) -> SyncResult<Taken> {
    let mut looked = look(work, config, map, allow, message)?;
    super::safeguard::safeguard(work, config, &looked, allow)?;
    record(work, config, &mut looked, message)?;
    note_map(work, config, map);
    Ok(taken(config, looked))
}

fn taken(config: &SourceConfig, looked: Looked) -> Taken {
    Taken {
        report: SourceReport {
            name: config.name.clone(),
            read: looked.read,
            set_aside: looked.set_aside,
            notes: looked.notes,
            ..SourceReport::default()
        },
        rows: looked.rows,
    }
}

fn note_map(work: &mut Work<'_>, config: &SourceConfig, map: Option<&str>) {
    let mut view = work.source_view(&config.name);
    known::set_map(&mut view, map);
    work.set_source_view(&config.name, view);
}

/// Another mapping than that by which a table was read last.
struct NewLens {
    /// The columns that were shown, by id.
    shown_before: BTreeSet<String>,
}

/// Reads a table through another mapping: what it shows otherwise now is no edit.
fn look_anew(
    work: &mut Work<'_>,
    config: &SourceConfig,
    map: Option<&str>,
    lens: &NewLens,
    message: Option<&str>,
    before: Option<Taken>,
) -> SyncResult<Taken> {
    let Some(format) = format_of(config) else {
        return Err(SyncError::NotBuilt("tables of this format"));
    };
    let format = mapped(format, config, map)?;
    let mut view = work.source_view(&config.name);
    let stats = format.state(&work.env.disk, &location_of(config));
    let stats = stats.map_err(|error| source_error(config, error))?.unwrap_or_default();
    let before = match before {
        // It changed meanwhile: the next run looks for edits first.
        Some(before) if before.rows.stats != stats => return Ok(before),
        before => before,
    };
    known::forget_bound(&mut view);
    let mut looked = Looked {
        exceptions: known::load(work.objects, &view)?,
        ..Looked::default()
    };
    looked.rows.stats = stats;
    looked.rows.read_ns = i128::from(work.env.clock.now().0) * 1_000_000;
    let table = super::unbound(work, config, &*format)?.map_err(|error| source_error(config, error))?;
    let heads = work.heads(&config.collection);
    let columns = columns::bind(work, config, &view, &work.state_at(&heads)?, table.as_ref())?;
    looked.bound = Some(columns.bound.clone());
    looked
        .notes
        .push("its mapping is another one; what it shows otherwise now is no edit".to_owned());
    compare(work, config, table.as_ref(), &columns, &heads, Some(lens), &mut looked)?;
    record(work, config, &mut looked, message)?;
    note_map(work, config, map);
    let mut taken = taken(config, looked);
    if let Some(before) = before {
        let (sum, read) = (&mut taken.report.read, before.report.read);
        sum.added += read.added;
        sum.changed += read.changed;
        sum.removed += read.removed;
        taken.report.notes.splice(0..0, before.report.notes);
    }
    Ok(taken)
}

/// Records one snapshot per base and what is then known of the source.
fn record(work: &mut Work<'_>, config: &SourceConfig, looked: &mut Looked, message: Option<&str>) -> SyncResult<()> {
    let mut view = work.source_view(&config.name);
    if let Some(first) = looked.first {
        work.add_heads(&config.collection, Kind::Row, &[first])?;
        view.base = vec![first];
    } else if !work.view.collections.contains_key(&config.collection) {
        work.set_heads(&config.collection, Kind::Row, Vec::new());
    }
    let mut made: BTreeMap<Vec<SnapshotId>, SnapshotId> = BTreeMap::new();
    let mut groups = std::mem::take(&mut looked.groups);
    if !looked.additions.is_empty() {
        groups.entry(looked.parents.clone()).or_default();
    }
    for (parents, changes) in groups {
        let added = if parents == looked.parents {
            std::mem::take(&mut looked.additions)
        } else {
            SortedRuns::default()
        };
        let list = crate::sync::gathered::with_additions(changes.into_iter().map(Ok), added)?;
        let id = work.author_from(&config.collection, &parents, list, message)?;
        made.insert(parents, id);
    }
    for (key, parents) in &looked.origin {
        if let (Some(Exception::Shows(on, _)), Some(id)) = (looked.exceptions.get_mut(key), made.get(parents)) {
            *on = vec![*id];
        }
    }
    if looked.is_first_sight || looked.first.is_some() {
        known::set_filter(&mut view, config.filter.as_deref());
    }
    if looked.is_first_sight || looked.first.is_some() || config.direction == Direction::In {
        known::set_fields(&mut view, &config.fields);
    }
    if looked.is_first_sight {
        view.base = work.heads(&config.collection);
    } else if let Some(id) = made.get(&view.base) {
        view.base = vec![*id];
    }
    let (index, views) = known::store(work.objects, &looked.exceptions, &looked.notes_of_rows)?;
    view.index = index;
    view.views = views;
    view.files = tree::empty_root();
    known::set_tried(&mut view, &[]);
    if let Some(bound) = &looked.bound {
        known::set_bound(&mut view, bound);
    }
    work.set_source_view(&config.name, view);
    Ok(())
}
