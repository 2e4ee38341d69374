//! Writing out: what a table is to become, and what is known of it afterwards.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::absent::Absent;
use super::edits::decode;
use super::gather::{Gatherer, Which};
use super::known::{self, Exception, Exceptions};
use super::lens::{Bound, Lens, row_edits};
use super::ranks::{Shift, narrow};
use super::sieve::Sieve;
use super::{Rows, choice_of, location_of, open, opened, row_name, schema_of, shown_format};
use crate::delta::{Entry, State};
use crate::model::row::{ColumnType, Schema, schema_key};
use crate::model::{Map, RecordKey, SnapshotId, Value, cbor};
use crate::source::SourceError;
use crate::source::table::{ColumnEdit, NO_RANK, RowEdit, Table, TableColumn, TableFormat, TableWrite, WriteOutcome};
use crate::store::Intent;
use crate::sync::config::{Direction, SourceConfig};
use crate::sync::look::record_difference;
use crate::sync::report::{RecordDifference, SetAside, SourceAway, SourceReport};
use crate::sync::work::Work;
use crate::sync::{SyncResult, other, source_error};
use crate::tree;

/// What a table is to become.
pub(in crate::sync) struct TablePlan {
    pub(in crate::sync) report: SourceReport,
    /// The columns of a table that is still to be made.
    create: Option<Vec<TableColumn>>,
    /// The columns that the table has, if it is there.
    columns: Option<Vec<TableColumn>>,
    write: TableWrite,
    /// For each row edit the record, what it showed and is to show, and where the table stands if it is refused.
    edited: Vec<Edited>,
    heads: Vec<SnapshotId>,
    /// The filter by which the table shows them.
    filter: Option<String>,
    /// The columns that are chosen for it.
    fields: Vec<String>,
    /// Columns that come into the table though rows had values there before.
    filled: BTreeSet<String>,
    /// The mapping by which it shows them.
    map: Option<String>,
    /// What is left to say of rows once everything is written.
    exceptions: Exceptions,
    bound: Bound,
    rows: Rows,
}

struct Edited {
    key: RecordKey,
    name: String,
    was: Option<Map>,
    wanted: Option<Map>,
    refused: Exception,
}

impl TablePlan {
    /// Returns whether anything is to be written into the table.
    pub(in crate::sync) fn is_writing(&self) -> bool {
        self.create.is_some() || !self.write.rows.is_empty() || !self.write.columns.is_empty()
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
    plan.bound.retain(|(id, _)| !schema.is_dropped(id));
    let table = plan.open(work, config, &*format, &schema, view.base.is_empty())?;
    if plan.create.is_none() {
        let names = table.columns().iter().map(|column| &column.name);
        if !plan.bound.iter().map(|(_, name)| name).eq(names) {
            plan.report
                .notes
                .push("its columns changed meanwhile; it is left for the next run".to_owned());
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
        plan,
    };
    planner.rows(&exceptions)?;
    let mut plan = planner.plan;
    plan.report.not_shown = if lens.shows_all() { 0 } else { plan.report.not_shown };
    Ok(Some(plan))
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
            write: TableWrite::default(),
            edited: Vec::new(),
            heads: Vec::new(),
            filter: config.filter.clone(),
            fields: config.fields.clone(),
            filled: BTreeSet::new(),
            map: None,
            exceptions: Exceptions::new(),
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
        self.write = TableWrite::default();
        self.heads.clone_from(&view.base);
        self.filter = known::filter(&view).map(str::to_owned);
        self.fields = known::fields(&view);
        self.exceptions = known::load(work.objects, &view)?;
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
        let is_mapped = self.map.is_some();
        for (at, (id, name)) in self.bound.iter_mut().enumerate() {
            let (Some(now), was) = (schema.column(id), before.column(id)) else {
                continue;
            };
            if !is_mapped && now.name != *name && was.is_some_and(|was| was.name == *name) {
                name.clone_from(&now.name);
                let name = name.clone();
                self.write.columns.push(ColumnEdit::Rename { column: at, name });
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
                self.write.columns.push(ColumnEdit::Add {
                    name: column.name.clone(),
                    kind: column.kind,
                });
            }
        }
        Ok(())
    }
}

/// Makes the edit that adds a column.
fn added(column: &TableColumn) -> ColumnEdit {
    ColumnEdit::Add {
        name: column.name.clone(),
        kind: column.kind.unwrap_or(ColumnType::Text),
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
    plan: TablePlan,
}

impl Planner<'_> {
    fn rows(&mut self, exceptions: &Exceptions) -> SyncResult<()> {
        let objects = self.work.objects;
        let mut keys: BTreeSet<RecordKey> = exceptions.keys().cloned().collect();
        for change in tree::diff(objects, &self.base.content, &self.state.content) {
            let change = change.map_err(|error| other("comparing states", error))?;
            keys.extend(RecordKey::new(change.key));
        }
        if self.is_filter_new {
            for entry in tree::iter(objects, &self.state.content) {
                let (key, bytes) = entry.map_err(|error| other("reading records", error))?;
                let record = Value::Map(decode(&bytes)?);
                if self.before.shows(objects, &record)? != self.sieve.shows(objects, &record)? {
                    keys.extend(RecordKey::new(key));
                }
            }
        }
        if !self.plan.filled.is_empty() {
            for entry in tree::iter(objects, &self.state.content) {
                let (key, _) = entry.map_err(|error| other("reading records", error))?;
                keys.extend(RecordKey::new(key));
            }
        }
        keys.remove(&schema_key());
        let mut ranks = BTreeMap::new();
        for key in &keys {
            let (rank, is_there) = tree::rank(objects, &self.base.content, key.bytes())
                .map_err(|error| other("comparing states", error))?;
            if is_there {
                ranks.insert(narrow(rank), key);
            }
        }
        for (row, rank) in self.plan.rows.prints.ranks.iter().enumerate() {
            if *rank != NO_RANK && ranks.contains_key(rank) {
                self.places.insert(*rank, row as u64);
            }
        }
        for key in &keys {
            self.row(key, exceptions.get(key))?;
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
        let wanted = head
            .as_ref()
            .map(|head| self.lens.shown(objects, self.table, head))
            .transpose()?;
        let is_same = match (&was, &wanted) {
            (Some(was), Some(wanted)) => row_edits(was, wanted).is_empty(),
            (was, wanted) => was.is_none() && wanted.is_none(),
        };
        if is_same {
            return Ok(());
        }
        let refused = match &was {
            Some(was) => Exception::Shows(on, was.clone()),
            None => Exception::Missing,
        };
        let known = head.as_ref().or(base.as_ref()).cloned().unwrap_or(Value::Null);
        let name = row_name(self.schema, key, &known);
        let old = was.as_ref().map(|was| self.lens.values(objects, was)).transpose()?;
        let new = head.as_ref().map(|head| {
            self.lens
                .values(objects, &self.target(head, was.as_ref(), wanted.as_ref()))
        });
        let edit = match (old, new.transpose()?) {
            (None, Some(new)) => RowEdit::Insert { new },
            (Some(old), new) => {
                let rank = tree::rank(objects, &self.base.content, key.bytes());
                let (rank, _) = rank.map_err(|error| other("comparing states", error))?;
                let Some(row) = self.places.get(&narrow(rank)).copied() else {
                    self.plan
                        .report
                        .notes
                        .push(format!("row `{name}` is left for the next run"));
                    self.plan.exceptions.insert(key.clone(), refused);
                    return Ok(());
                };
                match new {
                    Some(new) => RowEdit::Update { row, old, new },
                    None => RowEdit::Delete { row, old },
                }
            }
            (None, None) => return Ok(()),
        };
        self.count(&edit, head.as_ref());
        self.plan.write.rows.push(edit);
        self.plan.edited.push(Edited {
            key: key.clone(),
            name,
            was,
            wanted,
            refused,
        });
        Ok(())
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

    /// Adds an edit to the report.
    fn count(&mut self, edit: &RowEdit, head: Option<&Value>) {
        let written = &mut self.plan.report.written;
        match edit {
            RowEdit::Insert { .. } => written.added += 1,
            RowEdit::Update { .. } => written.changed += 1,
            RowEdit::Delete { .. } => written.removed += 1,
        }
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

impl TablePlan {
    /// Records the intent in the view of the source.
    pub(in crate::sync) fn announce(&self, work: &mut Work<'_>, config: &SourceConfig) -> SyncResult<()> {
        let mut view = work.source_view(&config.name);
        let (index, views) = known::store(work.objects, &self.exceptions)?;
        view.intent = Some(Intent {
            index,
            views,
            files: view.files,
            base: self.heads.clone(),
            next_item: view.next_item,
            lens: view.lens,
        });
        work.set_source_view(&config.name, view);
        Ok(())
    }

    /// Writes the table and settles what is known of it by what is really there.
    pub(in crate::sync) fn execute(
        mut self,
        work: &mut Work<'_>,
        config: &SourceConfig,
    ) -> SyncResult<(SourceReport, Rows)> {
        let mut view = work.source_view(&config.name);
        view.intent = None;
        if self.is_writing() {
            match self.write(work, config) {
                Ok(WriteOutcome::Written(refusals)) => {
                    for refusal in refusals {
                        let Some(edited) = self.edited.get(refusal.edit) else {
                            continue;
                        };
                        let written = &mut self.report.written;
                        match self.write.rows.get(refusal.edit) {
                            Some(RowEdit::Insert { .. }) => written.added = written.added.saturating_sub(1),
                            Some(RowEdit::Update { .. }) => written.changed = written.changed.saturating_sub(1),
                            _ => written.removed = written.removed.saturating_sub(1),
                        }
                        self.report.set_aside.push(SetAside {
                            item: format!("{} `{}`", location_of(config), edited.name),
                            reason: refusal.reason,
                        });
                        self.exceptions.insert(edited.key.clone(), edited.refused.clone());
                    }
                }
                outcome => {
                    self.report.written = crate::sync::report::Tally::default();
                    self.report.not_shown = 0;
                    let reason = match outcome {
                        Ok(WriteOutcome::Busy(reason)) => reason,
                        Err(SourceError::Unreachable { location, reason }) => {
                            self.report.unreachable = Some(SourceAway { location, reason });
                            // The answer to the last word may be what got lost.
                            known::set_tried(&mut view, &self.heads);
                            String::new()
                        }
                        Err(error) => crate::sync::chain(&error),
                        Ok(WriteOutcome::Written(_)) => String::new(),
                    };
                    if !reason.is_empty() {
                        self.report.set_aside.push(SetAside {
                            item: location_of(config).to_string(),
                            reason,
                        });
                    }
                    work.set_source_view(&config.name, view);
                    self.rows.is_settled = false;
                    return Ok((self.report, self.rows));
                }
            }
        }
        let (old, new) = (work.state_at(&view.base)?, work.state_at(&self.heads)?);
        Shift::between(work.objects, &old, &new)?.apply(&mut self.rows.prints.ranks);
        if self.is_writing() {
            self.read_again(work, config, &new)?;
        }
        let (index, views) = known::store(work.objects, &self.exceptions)?;
        view.index = index;
        view.views = views;
        view.base.clone_from(&self.heads);
        known::set_filter(&mut view, self.filter.as_deref());
        known::set_fields(&mut view, &self.fields);
        known::set_map(&mut view, self.map.as_deref());
        known::set_tried(&mut view, &[]);
        known::set_bound(&mut view, &self.bound);
        work.set_source_view(&config.name, view);
        self.rows.is_settled &= self.exceptions.is_empty();
        Ok((self.report, self.rows))
    }

    fn write(&self, work: &Work<'_>, config: &SourceConfig) -> Result<WriteOutcome, SourceError> {
        let format = match shown_format(work, config) {
            Ok(Some(format)) => format,
            Ok(None) => return Ok(WriteOutcome::Busy("its format is not known".to_owned())),
            Err(error) => return Ok(WriteOutcome::Busy(crate::sync::chain(&error))),
        };
        let (disk, location) = (&work.env.disk, location_of(config));
        if let Some(columns) = &self.create {
            format.create(disk, &location, columns)?;
        } else if !format.info().is_server {
            let known = &self.rows.stats;
            let present = format.state(disk, &location)?;
            if present.is_some_and(|stats| stats != *known) {
                return Ok(WriteOutcome::Busy(
                    "it changed meanwhile; it is left for the next run".to_owned(),
                ));
            }
        }
        let mut table = match opened(work, config, &*format) {
            Ok(table) => table?,
            Err(error) => return Ok(WriteOutcome::Busy(crate::sync::chain(&error))),
        };
        if self.columns.as_ref().is_some_and(|columns| columns != table.columns()) {
            return Ok(WriteOutcome::Busy(
                "its columns changed meanwhile; it is left for the next run".to_owned(),
            ));
        }
        match &self.create {
            // A place that says its columns with each row alone has none yet.
            Some(columns) if table.columns().is_empty() => table.write(&TableWrite {
                columns: columns.iter().map(added).collect(),
                rows: self.write.rows.clone(),
            }),
            _ => table.write(&self.write),
        }
    }

    /// Reads what was stored: rows that show what was meant are known, others are looked at by the next scan.
    fn read_again(&mut self, work: &Work<'_>, config: &SourceConfig, state: &State) -> SyncResult<()> {
        let Some(format) = shown_format(work, config)? else {
            return Ok(());
        };
        let stats = format
            .state(&work.env.disk, &location_of(config))
            .map_err(|error| source_error(config, error))?;
        self.rows.stats = stats.unwrap_or_default();
        self.rows.read_ns = i128::from(work.env.clock.now().0) * 1_000_000;
        if self.rows.prints.seed == 0 {
            let mut seed = [0; 8];
            (work.env.random)(&mut seed);
            self.rows.prints.seed = u64::from_le_bytes(seed);
        }
        let mut table = open(work, config, &*format)?;
        let names: Vec<String> = self.bound.iter().map(|(_, name)| name.clone()).collect();
        table.expect(&names);
        if !table.columns().iter().map(|column| &column.name).eq(&names) {
            // Somebody changed the columns meanwhile: the next scan compares everything.
            self.rows = Rows::default();
            self.bound.clear();
            return Ok(());
        }
        let schema = schema_of(work, state)?;
        let ids: Vec<String> = self.bound.iter().map(|(id, _)| id.clone()).collect();
        let lens = Lens::new(&ids, &schema)?;
        let mut gatherer = Gatherer {
            work,
            config,
            encoder: lens.encoder(),
            is_keyed: schema.is_keyed(),
        };
        let gathered = gatherer.known(table.as_ref(), &self.rows)?;
        let Which::Changes { unknown, vanished, .. } = gathered.rows else {
            return Ok(());
        };
        let (mut hashes, mut ranks) = (gathered.hashes, gathered.ranks);
        let mut left: BTreeSet<u32> = vanished.into_iter().collect();
        let mut by_content = self.written_by_content();
        let mut is_settled = gathered.broken.is_empty() && gathered.is_complete;
        for row in unknown {
            let key = if schema.is_keyed() {
                RecordKey::new(row.key)
            } else {
                by_content.get_mut(&row.record).and_then(Vec::pop)
            };
            let rank = match &key {
                Some(key) => tree::rank(work.objects, &state.content, key.bytes()),
                None => Ok((0, false)),
            };
            let (rank, is_there) = rank.map_err(|error| other("reading a record", error))?;
            let is_meant = match (&key, is_there) {
                (Some(key), true) => self.is_meant(work, state, &lens, table.as_ref(), key, &row.record)?,
                _ => false,
            };
            if let Some(place) = ranks.get_mut(row.row).filter(|_| is_there) {
                *place = narrow(rank);
                left.remove(&narrow(rank));
            }
            if !is_meant {
                is_settled = false;
                if let Some(hash) = hashes.get_mut(row.row) {
                    *hash = 0;
                }
            }
        }
        // Rows that went meanwhile are still to be found missing.
        let shown = |rank: &u32| *rank != NO_RANK;
        for rank in left.into_iter().filter(shown) {
            is_settled = false;
            hashes.push(0);
            ranks.push(rank);
        }
        self.rows.prints.hashes = hashes;
        self.rows.prints.ranks = ranks;
        self.rows.is_settled = is_settled;
        Ok(())
    }

    /// Lists the keys of written rows by what they are to show.
    fn written_by_content(&self) -> BTreeMap<Vec<u8>, Vec<RecordKey>> {
        let mut by_content: BTreeMap<Vec<u8>, Vec<RecordKey>> = BTreeMap::new();
        for edited in &self.edited {
            if let Some(wanted) = &edited.wanted {
                let content = cbor::encode(&Value::Map(wanted.clone()));
                by_content.entry(content).or_default().push(edited.key.clone());
            }
        }
        by_content
    }

    fn is_meant(
        &self,
        work: &Work<'_>,
        state: &State,
        lens: &Lens,
        table: &dyn Table,
        key: &RecordKey,
        record: &[u8],
    ) -> SyncResult<bool> {
        match self.exceptions.get(key) {
            Some(Exception::Shows(_, shown)) => Ok(cbor::encode(&Value::Map(shown.clone())) == record),
            Some(_) => Ok(false),
            None => {
                let bytes = tree::get(work.objects, &state.content, key.bytes());
                let bytes = bytes.map_err(|error| other("reading a record", error))?;
                match bytes.filter(|bytes| !Entry::is_alias(bytes)) {
                    Some(bytes) => lens.is_same(work.objects, table, record, &bytes),
                    None => Ok(false),
                }
            }
        }
    }

    /// Calls `each` for every row that the plan writes, as the table will show it.
    pub(in crate::sync) fn differences(
        &self,
        work: &Work<'_>,
        config: &SourceConfig,
        each: &mut dyn FnMut(RecordDifference) -> SyncResult<()>,
    ) -> SyncResult<()> {
        let state = work.state_at(&self.heads)?;
        for edited in &self.edited {
            let (old, new) = (
                edited.was.clone().map(Value::Map),
                edited.wanted.clone().map(Value::Map),
            );
            if let Some(mut line) = record_difference(
                work,
                &config.collection,
                &state,
                &edited.key,
                old.as_ref(),
                new.as_ref(),
            ) {
                line.source = Some(config.name.clone());
                line.direction = Some("out".to_owned());
                each(line)?;
            }
        }
        Ok(())
    }
}
