//! Carrying out a plan of write-back, and what is known of the table afterwards.

use std::collections::{BTreeMap, BTreeSet};

use super::edits::decode;
use super::gather::{Gatherer, Which};
use super::known::{self, Exception, Mark, Violation};
use super::lens::{Bound, Lens, row_edits};
use super::outtake::TablePlan;
use super::ranks::{Shift, narrow};
use super::{Rows, location_of, open, opened, schema_of, shown_format};
use crate::delta::{Entry, State};
use crate::model::row::{ColumnType, Schema, from_value, to_value};
use crate::model::{Map, RecordKey, Value, cbor};
use crate::port::blob;
use crate::source::SourceError;
use crate::source::table::{
    ColumnEdit, NO_RANK, RowEdit, RowRefusal, Table, TableColumn, TableWrite, Values, WriteOutcome,
};
use crate::store::Intent;
use crate::sync::config::SourceConfig;
use crate::sync::look::record_difference;
use crate::sync::report::{RecordDifference, SetAside, SourceAway, SourceReport};
use crate::sync::work::Work;
use crate::sync::{SyncResult, other, source_error};
use crate::tree;

/// Returns what a row shows that a table names as the rival of another one.
fn rival_of(bound: &Bound, schema: &Schema, values: Values) -> Map {
    let mut rival = Map::new();
    for ((id, _), value) in bound.iter().zip(values) {
        let kind = schema.column(id).map_or(ColumnType::Text, |column| column.kind);
        let value = to_value(from_value(value.as_ref()).typed(kind));
        if let Some(value) = value.filter(|value| cbor::encode(value).len() <= blob::INLINE_BYTES) {
            rival.insert(id.as_str(), value);
        }
    }
    rival
}

/// Makes the edit that adds a column.
fn added(column: &TableColumn) -> ColumnEdit {
    ColumnEdit::Add {
        name: column.name.clone(),
        kind: column.kind.unwrap_or(ColumnType::Text),
    }
}

impl TablePlan {
    /// Records the intent in the view of the source.
    pub(in crate::sync) fn announce(&self, work: &mut Work<'_>, config: &SourceConfig) -> SyncResult<()> {
        let mut view = work.source_view(&config.name);
        let (index, views) = known::store(work.objects, &self.exceptions, &self.notes)?;
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
                    let schema = schema_of(work, &work.state_at(&self.heads)?)?;
                    for refusal in refusals {
                        self.refused(config, &schema, refusal);
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
        let (index, views) = known::store(work.objects, &self.exceptions, &self.notes)?;
        view.index = index;
        view.views = views;
        if self.is_writing() {
            let before = view.base.clone();
            known::set_before(&mut view, &before);
        }
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

    /// Takes down that a row was not written, and the rule that it breaks if that is why.
    fn refused(&mut self, config: &SourceConfig, schema: &Schema, refusal: RowRefusal) {
        let Some(edited) = self.edited.get(refusal.edit) else {
            return;
        };
        let written = &mut self.report.written;
        match self.write.rows.get(refusal.edit) {
            Some(RowEdit::Insert { .. }) => written.added = written.added.saturating_sub(1),
            Some(RowEdit::Update { .. }) => written.changed = written.changed.saturating_sub(1),
            _ => written.removed = written.removed.saturating_sub(1),
        }
        self.report.set_aside.push(SetAside {
            item: format!("{} `{}`", location_of(config), edited.name),
            reason: refusal.reason.clone(),
        });
        self.exceptions.insert(edited.key.clone(), edited.refused.clone());
        if let Some(constraint) = refusal.constraint {
            let ids = constraint.columns.iter().filter_map(|at| self.bound.get(*at));
            let columns = ids.map(|(id, _)| id.clone()).collect();
            let rival = constraint.rival.map(|values| rival_of(&self.bound, schema, values));
            let violation = Violation {
                name: constraint.name,
                reason: refusal.reason,
                columns,
                rival,
            };
            self.notes.violations.insert(edited.key.clone(), violation);
        }
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
        let stats = format.state(&work.env.disk, &location_of(config));
        self.rows.stats = stats.map_err(|error| source_error(config, error))?.unwrap_or_default();
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
        if gatherer.is_keyed {
            self.forget_written();
        }
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
            let is_meant = is_meant || key.as_ref().is_some_and(|key| self.came_out(key, &row.record));
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

    /// Takes what the place made of a value that we wrote for its form of it; returns whether there is nothing else.
    fn came_out(&mut self, key: &RecordKey, record: &[u8]) -> bool {
        // They were planned in order of their keys.
        let place = self.edited.binary_search_by(|edited| edited.key.cmp(key));
        let Some(edited) = place.ok().and_then(|at| self.edited.get(at)) else {
            return false;
        };
        let (Some(wanted), Ok(actual)) = (&edited.wanted, decode(record)) else {
            return false;
        };
        if matches!(self.exceptions.get(key), Some(exception) if *exception == edited.refused) {
            return false;
        }
        let mut shown = wanted.clone();
        let marks = self.notes.marks.entry(key.clone()).or_default();
        for edit in row_edits(wanted, &actual) {
            let id = edit.path().parts().first().map_or("", |id| id.as_str());
            let before = edited.was.as_ref().and_then(|was| was.get(id));
            let (over, present) = (wanted.get(id), actual.get(id));
            // Only what our write changed can be another form of it. A new row gets what its place fills in.
            if before == over {
                continue;
            }
            let known = marks.get(id).filter(|mark| mark.kept.as_ref() == present);
            let is_back = edited.was.is_some() && before == present;
            let times = known.map_or(0, |mark| mark.times) + i64::from(is_back || known.is_some());
            let Some(mark) = Mark::new(present, over, times) else {
                continue;
            };
            marks.insert(id.to_owned(), mark);
            shown.remove(id);
            shown.extend(present.map(|value| (id, value.clone())));
        }
        let is_all = row_edits(&shown, &actual).is_empty();
        if shown != *wanted {
            self.exceptions
                .insert(key.clone(), Exception::Shows(self.heads.clone(), shown));
        }
        is_all
    }

    /// Lets every row be looked at that was written: one that is as before our write of it is not as we meant it.
    fn forget_written(&mut self) {
        for edit in &self.write.rows {
            if let RowEdit::Update { row, .. } | RowEdit::Delete { row, .. } = edit
                && let Ok(row) = usize::try_from(*row)
                && let Some(hash) = self.rows.prints.hashes.get_mut(row)
            {
                *hash = 0;
            }
        }
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
