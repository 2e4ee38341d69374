//! Writing out: what a table is to become.

use std::collections::{BTreeSet, HashMap};

use super::absent::Absent;
use super::edits::decode;
use super::gather::Gatherer;
use super::keys::Keys;
use super::known::{self, Exception, Exceptions, Notes};
use super::lens::{Bound, Lens, row_edits};
use super::ranks::narrow;
use super::sieve::Sieve;
use super::{Rows, choice_of, has_map, opened, row_name, schema_of, shown_format};
use crate::delta::State;
use crate::model::row::{Schema, schema_key};
use crate::model::{Map, RecordKey, SnapshotId, Value, cbor};
use crate::source::SourceError;
use crate::source::table::{ColumnEdit, NO_RANK, RowEdit, Table, TableColumn, TableFormat, clear_leftover};
use crate::sync::config::{Direction, SourceConfig};
use crate::sync::report::SourceReport;
use crate::sync::work::Work;
use crate::sync::{SyncResult, other, source_error};
use crate::tree;

/// After so many times what comes back is left (chosen: once may be a person who changed their mind).
const PUT_BACK_LIMIT: i64 = 2;

/// What a table is to become.
pub(in crate::sync) struct TablePlan {
    pub(in crate::sync) report: SourceReport,
    /// The columns of a table that is still to be made.
    pub(super) create: Option<Vec<TableColumn>>,
    /// The columns that the table has, if it is there.
    pub(super) columns: Option<Vec<TableColumn>>,
    /// Changes of columns, which come before those of rows.
    pub(super) column_edits: Vec<ColumnEdit>,
    /// Rows that are changed or removed, in the order of their records' keys.
    pub(super) row_edits: Vec<RowEdit>,
    /// For each of these the record, what it showed and is to show, and where the table stands if it is refused.
    pub(super) edited: Vec<Edited>,
    /// The keys of the records that the table gets new rows of, ascending. The rows themselves are made when they are
    /// written: a table that is filled may get all there are.
    pub(super) added: Keys,
    pub(super) heads: Vec<SnapshotId>,
    /// The filter by which the table shows them.
    pub(super) filter: Option<String>,
    /// The columns that are chosen for it.
    pub(super) fields: Vec<String>,
    /// Columns that come into the table though rows had values there before.
    filled: BTreeSet<String>,
    /// The mapping by which it shows them.
    pub(super) map: Option<String>,
    /// What is left to say of rows once everything is written.
    pub(super) exceptions: Exceptions,
    /// Rules of the place that records break, and what came back after our writes.
    pub(super) notes: Notes,
    pub(super) bound: Bound,
    pub(super) rows: Rows,
}

pub(super) struct Edited {
    pub(super) key: RecordKey,
    pub(super) name: String,
    pub(super) was: Option<Map>,
    pub(super) wanted: Option<Map>,
    pub(super) refused: Exception,
}

impl TablePlan {
    /// Returns whether anything is to be written into the table.
    pub(in crate::sync) fn is_writing(&self) -> bool {
        self.create.is_some() || !self.row_edits.is_empty() || !self.added.is_empty() || !self.column_edits.is_empty()
    }
}

/// Settles the write-back that a crash cut off in one table; returns whether there was one.
///
/// How far it came is not known, so rows that show what was intended will agree with that.
pub(in crate::sync) fn settle(work: &mut Work<'_>, config: &SourceConfig) -> bool {
    let mut view = work.source_view(&config.name);
    let Some(intent) = view.intent.take() else {
        return false;
    };
    known::set_tried(&mut view, &intent.base);
    if let Some(before) = known::take_found(&mut view) {
        // What cannot be looked at now is in nobody's way.
        let _left = clear_leftover(&work.env.disk, &config.location, &before);
    }
    work.set_source_view(&config.name, view);
    true
}

/// Plans the write-back of one table; `None` when it is in step already. `rows` is what a scan in this run found.
pub(in crate::sync) fn plan(
    work: &Work<'_>,
    config: &SourceConfig,
    rows: Option<Rows>,
) -> SyncResult<Option<TablePlan>> {
    let view = work.source_view(&config.name);
    let heads = work.heads(&config.collection);
    let exceptions = known::load(work.objects, &view)?;
    let is_filter_new = known::filter(&view) != config.filter.as_deref();
    if config.direction == Direction::In
        || heads.is_empty()
        || (view.base == heads && exceptions.is_empty() && !is_filter_new && known::fields(&view) == config.fields)
    {
        return Ok(None);
    }
    let state = work.state_at(&heads)?;
    let schema = schema_of(work, &state)?;
    if schema.columns.is_empty() {
        return Ok(None);
    }
    let map = super::map_text(work.env, work.root, config)?;
    if !view.base.is_empty() && known::map(&view) != map.as_deref() {
        // The table was not read through this mapping yet.
        return Ok(None);
    }
    let Some(format) = shown_format(work, config)? else {
        return Ok(None);
    };
    let mut plan = TablePlan::new(config, known::bound(&view).unwrap_or_default());
    (plan.heads, plan.map) = (heads, map);
    plan.notes = Notes::marks_alone(work.objects, &view)?;
    plan.bound.retain(|(id, _)| !schema.is_dropped(id));
    let table = plan.open(work, config, &*format, &schema, view.base.is_empty())?;
    if plan.create.is_none() {
        let names = table.columns().iter().map(|column| &column.name);
        if !plan.bound.iter().map(|(_, name)| name).eq(names) {
            let note = "its columns changed meanwhile; it is left for the next run";
            plan.report.notes.push(note.to_owned());
            return Ok(Some(plan.untouched(work, config)?));
        }
        plan.columns(work, config, &schema, &*format)?;
    }
    if view.base.is_empty() {
        plan.rows = rows.unwrap_or_default();
    } else if let Some(rows) = rows.or_else(|| Rows::load(work, &config.name)) {
        plan.rows = rows;
    } else {
        plan.report.notes.push("it is read again at the next run".to_owned());
        return Ok(Some(plan.untouched(work, config)?));
    }
    let ids: Vec<String> = plan.bound.iter().map(|(id, _)| id.clone()).collect();
    let lens = Lens::new(&ids, &schema)?;
    let base = work.state_at(&view.base)?;
    let before = Sieve::lenient(known::filter(&view), &schema_of(work, &base)?)?;
    let sieve = Sieve::new(config.filter.as_deref(), &schema)?;
    let foreign = foreign(work, config, table.as_ref(), &lens, &plan.rows, &exceptions, &base)?;
    let mut planner = Planner {
        work,
        before,
        sieve,
        is_filter_new: is_filter_new && !view.base.is_empty(),
        table: table.as_ref(),
        lens: &lens,
        direction: config.direction,
        schema: &schema,
        base_heads: view.base.clone(),
        base,
        state,
        places: HashMap::new(),
        foreign,
        plan,
    };
    planner.rows(&exceptions)?;
    let mut plan = planner.plan;
    plan.report.not_shown = if lens.shows_all() { 0 } else { plan.report.not_shown };
    Ok(Some(plan))
}

/// Finds the rows whose records went while the table did not let them go.
fn foreign(
    work: &Work<'_>,
    config: &SourceConfig,
    table: &dyn Table,
    lens: &Lens,
    rows: &Rows,
    exceptions: &Exceptions,
    base: &State,
) -> SyncResult<HashMap<RecordKey, u64>> {
    let mut wanted = Vec::new();
    for (key, exception) in exceptions {
        if let Exception::Shows(_, shown) = exception
            && work.record(base, key)?.is_none()
        {
            wanted.push((key, shown));
        }
    }
    if wanted.is_empty() {
        return Ok(HashMap::new());
    }
    let mut gatherer = Gatherer {
        work,
        config,
        encoder: lens.encoder(),
        is_keyed: !lens.key.is_empty(),
    };
    gatherer.foreign(table, rows, &wanted)
}

/// Returns the columns of a table that is to be made; in a database no two have one name, and each has one.
fn columns_of(schema: &Schema, is_database: bool) -> Vec<TableColumn> {
    let mut taken = BTreeSet::new();
    let mut name_of = |column: &crate::model::row::Column| {
        let is_free = taken.insert(column.name.to_lowercase()) && !column.name.is_empty();
        let mut name = if is_free || !is_database {
            column.name.clone()
        } else {
            column.id.clone()
        };
        while is_database && !is_free && !taken.insert(name.to_lowercase()) {
            name.push('_');
        }
        name
    };
    let mut column = |column: &crate::model::row::Column| TableColumn {
        name: name_of(column),
        kind: Some(column.kind),
        key: schema.key.iter().position(|id| *id == column.id),
        is_read_only: false,
    };
    schema.columns.iter().map(&mut column).collect()
}

impl TablePlan {
    /// Makes a plan that writes nothing yet.
    fn new(config: &SourceConfig, bound: Bound) -> Self {
        Self {
            report: SourceReport {
                name: config.name.clone(),
                ..SourceReport::default()
            },
            create: None,
            columns: None,
            column_edits: Vec::new(),
            row_edits: Vec::new(),
            edited: Vec::new(),
            added: Keys::default(),
            heads: Vec::new(),
            filter: config.filter.clone(),
            fields: config.fields.clone(),
            filled: BTreeSet::new(),
            map: None,
            exceptions: Exceptions::new(),
            notes: Notes::default(),
            bound,
            rows: Rows::default(),
        }
    }

    /// Opens the table, or what stands for it until it is made; only a source that never had one (`is_new`) gets one.
    fn open(
        &mut self,
        work: &Work<'_>,
        config: &SourceConfig,
        format: &dyn TableFormat,
        schema: &Schema,
        is_new: bool,
    ) -> SyncResult<Box<dyn Table>> {
        match opened(work, config, format)? {
            Ok(table) => {
                self.columns = Some(table.columns().to_vec());
                Ok(table)
            }
            Err(SourceError::Missing(_)) if is_new => {
                let choice = choice_of(work, config, &config.fields)?;
                let schema = &Schema {
                    columns: schema
                        .columns
                        .iter()
                        .filter(|column| choice.wants(column) && format.takes(&column.name))
                        .cloned()
                        .collect(),
                    ..schema.clone()
                };
                let columns = columns_of(schema, format.info().has_tables);
                let ids = schema.columns.iter().map(|column| column.id.clone());
                self.bound = ids.zip(columns.iter().map(|column| column.name.clone())).collect();
                self.create = Some(columns.clone());
                Ok(Box::new(Absent {
                    columns,
                    is_typed: format.info().is_typed,
                }))
            }
            Err(error) => Err(source_error(config, error)),
        }
    }

    /// Makes a plan that leaves everything for the next run.
    fn untouched(mut self, work: &Work<'_>, config: &SourceConfig) -> SyncResult<Self> {
        let view = work.source_view(&config.name);
        self.column_edits.clear();
        self.row_edits.clear();
        self.edited.clear();
        self.added = Keys::default();
        self.heads.clone_from(&view.base);
        self.filter = known::filter(&view).map(str::to_owned);
        self.fields = known::fields(&view);
        self.exceptions = known::load(work.objects, &view)?;
        self.notes = Notes::load(work.objects, &view)?;
        self.rows = Rows::default();
        Ok(self)
    }

    /// Brings columns that came or were renamed elsewhere since the table was last in step.
    fn columns(
        &mut self,
        work: &Work<'_>,
        config: &SourceConfig,
        schema: &Schema,
        format: &dyn TableFormat,
    ) -> SyncResult<()> {
        let view = work.source_view(&config.name);
        let before = schema_of(work, &work.state_at(&view.base)?)?;
        let last = choice_of(work, config, &known::fields(&view))?;
        let choice = choice_of(work, config, &config.fields)?;
        // Whatever a column is called elsewhere, a mapping says what it is called here.
        let is_mapped = has_map(self.map.as_deref());
        for (at, (id, name)) in self.bound.iter_mut().enumerate() {
            let (Some(now), was) = (schema.column(id), before.column(id)) else {
                continue;
            };
            if !is_mapped && now.name != *name && was.is_some_and(|was| was.name == *name) {
                name.clone_from(&now.name);
                let name = name.clone();
                self.column_edits.push(ColumnEdit::Rename { column: at, name });
            }
        }
        for column in &schema.columns {
            let is_new = before.column(&column.id).is_none() || !last.wants(column);
            let is_wanted = choice.wants(column) && format.takes(&column.name);
            if is_new && is_wanted && !self.bound.iter().any(|(id, _)| *id == column.id) {
                if before.is_used(&column.id) {
                    self.filled.insert(column.id.clone());
                }
                self.bound.push((column.id.clone(), column.name.clone()));
                self.column_edits.push(ColumnEdit::Add {
                    name: column.name.clone(),
                    kind: column.kind,
                });
            }
        }
        Ok(())
    }
}

struct Planner<'p> {
    work: &'p Work<'p>,
    table: &'p dyn Table,
    lens: &'p Lens,
    direction: Direction,
    schema: &'p Schema,
    /// Which records of the base the table shows, and which of the state it is to show.
    before: Sieve,
    sieve: Sieve,
    is_filter_new: bool,
    base_heads: Vec<SnapshotId>,
    base: State,
    state: State,
    /// Places in the table by rank, of the rows that are to be changed.
    places: HashMap<u32, u64>,
    /// Places of rows that the base has no records of.
    foreign: HashMap<RecordKey, u64>,
    plan: TablePlan,
}

impl Planner<'_> {
    fn rows(&mut self, exceptions: &Exceptions) -> SyncResult<()> {
        let objects = self.work.objects;
        let mut keys = Keys::default();
        for key in exceptions.keys() {
            keys.push(key.bytes());
        }
        for change in tree::diff(objects, &self.base.content, &self.state.content) {
            let change = change.map_err(|error| other("comparing states", error))?;
            keys.push(&change.key);
        }
        if self.is_filter_new {
            for entry in tree::iter(objects, &self.state.content) {
                let (key, bytes) = entry.map_err(|error| other("reading records", error))?;
                let record = Value::Map(decode(&bytes)?);
                if self.before.shows(objects, &record)? != self.sieve.shows(objects, &record)? {
                    keys.push(&key);
                }
            }
        }
        if !self.plan.filled.is_empty() {
            for entry in tree::iter(objects, &self.state.content) {
                let (key, _) = entry.map_err(|error| other("reading records", error))?;
                keys.push(&key);
            }
        }
        let keys = keys.sorted();
        let mut ranks = Vec::new();
        for key in keys.iter() {
            let (rank, is_there) =
                tree::rank(objects, &self.base.content, key).map_err(|error| other("comparing states", error))?;
            ranks.extend(is_there.then_some(narrow(rank)));
        }
        // As the keys ascend, so do their ranks.
        for (row, rank) in self.plan.rows.prints.ranks.iter().enumerate() {
            if *rank != NO_RANK && ranks.binary_search(rank).is_ok() {
                self.places.insert(*rank, row as u64);
            }
        }
        for key in keys.iter().filter_map(|key| RecordKey::new(key.to_vec())) {
            if key != schema_key() {
                self.row(&key, exceptions.get(&key))?;
            }
        }
        Ok(())
    }

    fn row(&mut self, key: &RecordKey, exception: Option<&Exception>) -> SyncResult<()> {
        let objects = self.work.objects;
        let base = self.work.record(&self.base, key)?;
        let mut head = self.work.record(&self.state, key)?;
        let (on, was) = match exception {
            Some(exception) if self.is_left(key, exception, head.as_ref())? => {
                self.plan.exceptions.insert(key.clone(), exception.clone());
                return Ok(());
            }
            Some(Exception::Missing | Exception::SetAside(_)) => (self.base_heads.clone(), None),
            Some(Exception::Shows(on, was)) => (on.clone(), Some(was.clone())),
            None => (self.base_heads.clone(), self.shown_before(base.as_ref())?),
        };
        if let Some(record) = &head
            && !self.sieve.shows(objects, record)?
        {
            if self.stays(key, record, exception.is_some(), &on, was.as_ref())? {
                return Ok(());
            }
            head = None;
        }
        let mut wanted = head
            .as_ref()
            .map(|head| self.lens.shown(objects, self.table, head))
            .transpose()?;
        let is_left = self.leave_put_back(key, was.as_ref(), wanted.as_mut(), head.as_ref());
        let is_same = match (&was, &wanted) {
            (Some(was), Some(wanted)) => row_edits(was, wanted).is_empty(),
            (was, wanted) => was.is_none() && wanted.is_none(),
        };
        if let Some(wanted) = wanted.as_ref().filter(|_| is_left) {
            let exception = Exception::Shows(self.plan.heads.clone(), wanted.clone());
            self.plan.exceptions.insert(key.clone(), exception);
        }
        if is_same {
            return Ok(());
        }
        let refused = match &was {
            Some(was) => Exception::Shows(on, was.clone()),
            None => Exception::Missing,
        };
        let known = head.as_ref().or(base.as_ref()).cloned().unwrap_or(Value::Null);
        let Some(shown) = &was else {
            self.plan.report.written.added += 1;
            self.count_not_shown(head.as_ref());
            self.plan.added.push(key.bytes());
            return Ok(());
        };
        let name = row_name(self.schema, key, &known);
        let Some(row) = self.place(key)? else {
            let note = format!("row `{name}` is left for the next run");
            self.plan.report.notes.push(note);
            self.plan.exceptions.insert(key.clone(), refused);
            return Ok(());
        };
        let old = self.lens.values(objects, shown)?;
        let edit = if let Some(head) = &head {
            let target = self.target(head, was.as_ref(), wanted.as_ref());
            let new = self.lens.values(objects, &target)?;
            self.plan.report.written.changed += 1;
            RowEdit::Update { row, old, new }
        } else {
            self.plan.report.written.removed += 1;
            RowEdit::Delete { row, old }
        };
        self.count_not_shown(head.as_ref());
        self.plan.row_edits.push(edit);
        self.plan.edited.push(Edited {
            key: key.clone(),
            name,
            was,
            wanted,
            refused,
        });
        Ok(())
    }

    /// Returns where the row of a record stands in the table, if it was read.
    fn place(&self, key: &RecordKey) -> SyncResult<Option<u64>> {
        let rank = tree::rank(self.work.objects, &self.base.content, key.bytes());
        let (rank, is_there) = rank.map_err(|error| other("comparing states", error))?;
        let place = if is_there {
            self.places.get(&narrow(rank))
        } else {
            self.foreign.get(key)
        };
        Ok(place.copied())
    }

    /// Returns what the table shows of a record of its base.
    fn shown_before(&self, base: Option<&Value>) -> SyncResult<Option<Map>> {
        let objects = self.work.objects;
        let Some(base) = base else { return Ok(None) };
        if !self.before.shows(objects, base)? {
            return Ok(None);
        }
        let mut was = self.lens.shown(objects, self.table, base)?;
        was.retain(|id, _| !self.plan.filled.contains(id.as_str()));
        Ok(Some(was))
    }

    /// Returns whether a row is left as it is: it is set aside, or differs from its record only because a mapping shows it
    /// otherwise, and nobody wrote the record since the row agreed with it.
    fn is_left(&self, key: &RecordKey, exception: &Exception, head: Option<&Value>) -> SyncResult<bool> {
        let on = match exception {
            Exception::SetAside(_) => return Ok(true),
            Exception::Missing => return Ok(false),
            Exception::Shows(on, _) => on,
        };
        if self.plan.map.is_none() || self.direction != Direction::Both || on.is_empty() {
            return Ok(false);
        }
        let agreed = self.work.record(&self.work.state_at(on)?, key)?;
        Ok(agreed.is_some() && agreed.as_ref() == head)
    }

    /// Returns whether a row that does not match stays; notes so. Only what was written elsewhere takes one away.
    fn stays(
        &mut self,
        key: &RecordKey,
        head: &Value,
        is_exception: bool,
        on: &[SnapshotId],
        was: Option<&Map>,
    ) -> SyncResult<bool> {
        let Some(was) = was else { return Ok(false) };
        let agreed = self.work.record(&self.work.state_at(on)?, key)?;
        if agreed.as_ref() != Some(head) {
            return Ok(false);
        }
        let on = if is_exception { on } else { &self.plan.heads };
        let exception = Exception::Shows(on.to_vec(), was.clone());
        self.plan.exceptions.insert(key.clone(), exception);
        Ok(true)
    }

    /// Leaves columns as they are in which what we write does not stay; returns whether there is one.
    fn leave_put_back(
        &mut self,
        key: &RecordKey,
        was: Option<&Map>,
        wanted: Option<&mut Map>,
        head: Option<&Value>,
    ) -> bool {
        let (Some(was), Some(wanted), Some(marks)) = (was, wanted, self.plan.notes.marks.get(key)) else {
            return false;
        };
        let mut is_left = false;
        for (id, mark) in marks {
            let present = was.get(id.as_str());
            let now = wanted.get(id.as_str());
            let stays = mark.times >= PUT_BACK_LIMIT || mark.over.as_ref() == now;
            if present != mark.kept.as_ref() || present == now || !stays {
                continue;
            }
            is_left = true;
            wanted.remove(id.as_str());
            wanted.extend(present.map(|value| (id.as_str(), value.clone())));
            if mark.times >= PUT_BACK_LIMIT {
                let column = self.schema.column(id).map_or(id.as_str(), |column| &column.name);
                let row = row_name(self.schema, key, head.unwrap_or(&Value::Null));
                let what = "was put back twice; it is left as it is there";
                self.plan.report.notes.push(format!("`{column}` of row `{row}` {what}"));
            }
        }
        is_left
    }

    /// Counts what a record has that the table does not show.
    fn count_not_shown(&mut self, head: Option<&Value>) {
        if let Some(head) = head.and_then(Value::as_map) {
            let shown = self.lens.cut(&Value::Map(head.clone())).len();
            self.plan.report.not_shown += head.len().saturating_sub(shown) as u64;
        }
    }

    /// Returns what is to stand in a row: what it shows where that is right already, else the record's own value.
    fn target(&self, head: &Value, was: Option<&Map>, wanted: Option<&Map>) -> Map {
        let mut target = self.lens.cut(head);
        for ((id, _), column) in self.lens.columns.iter().zip(self.table.columns()) {
            if column.is_read_only {
                target.remove(id.as_str());
                let shown = was.and_then(|was| was.get(id.as_str()));
                target.extend(shown.map(|value| (id.clone(), value.clone())));
            }
        }
        for (id, value) in was.into_iter().flatten() {
            let wanted = wanted.and_then(|wanted| wanted.get(id.as_str()));
            if wanted.is_some_and(|wanted| cbor::encode(wanted) == cbor::encode(value)) {
                target.insert(id.clone(), value.clone());
            }
        }
        target
    }
}
