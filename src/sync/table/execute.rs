//! Carrying out a plan of write-back, and what is known of the table afterwards.

use std::collections::BTreeSet;

use xxhash_rust::xxh3::xxh3_128;

use super::content::encoded;
use super::edits::decode;
use super::gather::{Examined, Gatherer, Which};
use super::keys::RecordRows;
use super::known::{self, Exception, Mark, Violation};
use super::lens::{Bound, Lens, row_edits};
use super::outtake::TablePlan;
use super::ranks::{Shift, narrow};
use super::{Rows, location_of, open, opened, row_name, schema_of, shown_format};
use crate::delta::{Entry, State};
use crate::model::row::{ColumnType, Schema, from_value, to_value};
use crate::model::{Map, RecordKey, Value, cbor};
use crate::port::blob;
use crate::source::SourceError;
use crate::source::table::{
    ColumnEdit, NO_RANK, RowEdit, RowEdits, RowRefusal, Table, TableColumn, TableWrite, Values, WriteOutcome,
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

/// A table as it was read again, and what it is to show.
struct Shown<'s> {
    work: &'s Work<'s>,
    state: &'s State,
    lens: &'s Lens,
    table: &'s dyn Table,
}

impl Shown<'_> {
    /// Returns what the table is to show of a record.
    fn record(&self, key: &RecordKey) -> SyncResult<Option<Map>> {
        let record = self.work.record(self.state, key)?;
        let shown = record.map(|record| self.lens.shown(self.work.objects, self.table, &record));
        shown.transpose()
    }
}

/// What a row that was written showed and is to show, and where it stands if it was refused.
struct Written {
    was: Option<Map>,
    wanted: Map,
    refused: Exception,
}

/// What a row turned out to be that is not as it was before the write.
struct Found {
    /// Its place in the table.
    place: usize,
    /// The place of its record in the state.
    rank: Option<u32>,
    is_meant: bool,
}

/// Numbers of written rows by what they are to show.
#[derive(Default)]
struct ByContent {
    /// In ascending order.
    numbers: Vec<(u128, usize)>,
    /// How many were taken of those that begin here.
    taken: Vec<u32>,
}

impl ByContent {
    fn new(mut numbers: Vec<(u128, usize)>) -> Self {
        numbers.sort_unstable();
        let taken = vec![0; numbers.len()];
        Self { numbers, taken }
    }

    /// Takes the next row with this content.
    fn take(&mut self, content: &[u8]) -> Option<usize> {
        let hash = xxh3_128(content);
        let start = self.numbers.partition_point(|(other, _)| *other < hash);
        let taken = self.taken.get_mut(start)?;
        let (found, number) = self.numbers.get(start + *taken as usize)?;
        *taken += u32::from(*found == hash);
        (*found == hash).then_some(*number)
    }
}

impl TablePlan {
    /// Records the intent in the view of the source.
    pub(in crate::sync) fn announce(&self, work: &mut Work<'_>, config: &SourceConfig) -> SyncResult<()> {
        let mut view = work.source_view(&config.name);
        let (index, views) = known::store(work.objects, &self.exceptions, &self.notes)?;
        if let Some(stat) = self.rows.stats.first() {
            known::set_found(&mut view, stat);
        }
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
        known::take_found(&mut view);
        if self.is_writing() {
            match self.write(work, config) {
                Ok(WriteOutcome::Written(refusals)) => {
                    let state = work.state_at(&self.heads)?;
                    let schema = schema_of(work, &state)?;
                    for refusal in refusals {
                        self.refused(work, config, (&state, &schema), refusal)?;
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
    fn refused(
        &mut self,
        work: &Work<'_>,
        config: &SourceConfig,
        (state, schema): (&State, &Schema),
        refusal: RowRefusal,
    ) -> SyncResult<()> {
        let written = &mut self.report.written;
        let (key, name, stands) = if let Some(edited) = self.edited.get(refusal.edit) {
            match self.row_edits.get(refusal.edit) {
                Some(RowEdit::Update { .. }) => written.changed = written.changed.saturating_sub(1),
                _ => written.removed = written.removed.saturating_sub(1),
            }
            (edited.key.clone(), edited.name.clone(), edited.refused.clone())
        } else {
            let key = refusal.edit.checked_sub(self.edited.len());
            let key = key.and_then(|at| self.added.get(at));
            let Some(key) = key.and_then(|key| RecordKey::new(key.to_vec())) else {
                return Ok(());
            };
            written.added = written.added.saturating_sub(1);
            let record = work.record(state, &key)?.unwrap_or(Value::Null);
            let name = row_name(schema, &key, &record);
            (key, name, Exception::Missing)
        };
        self.report.set_aside.push(SetAside {
            item: format!("{} `{name}`", location_of(config)),
            reason: refusal.reason.clone(),
        });
        self.exceptions.insert(key.clone(), stands);
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
            self.notes.violations.insert(key, violation);
        }
        Ok(())
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
        let state = match work.state_at(&self.heads) {
            Ok(state) => state,
            Err(error) => return Ok(WriteOutcome::Busy(crate::sync::chain(&error))),
        };
        let lens = match self.lens(work, &state) {
            Ok(lens) => lens,
            Err(error) => return Ok(WriteOutcome::Busy(crate::sync::chain(&error))),
        };
        let read_only = table.columns().iter().enumerate();
        let read_only = read_only.filter(|(_, column)| column.is_read_only).map(|(at, _)| at);
        let made = RecordRows::new(work.objects, state, &self.added, &lens, read_only.collect());
        let columns = match &self.create {
            // A place that says its columns with each row alone has none yet.
            Some(columns) if table.columns().is_empty() => columns.iter().map(added).collect(),
            _ => self.column_edits.clone(),
        };
        table.write(&TableWrite {
            columns,
            rows: RowEdits::new(self.row_edits.as_slice(), &made),
        })
    }

    /// Returns how the table shows the collection afterwards.
    fn lens(&self, work: &Work<'_>, state: &State) -> SyncResult<Lens> {
        let ids: Vec<String> = self.bound.iter().map(|(id, _)| id.clone()).collect();
        Lens::new(&ids, &schema_of(work, state)?)
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
        let lens = self.lens(work, state)?;
        let mut gatherer = Gatherer {
            work,
            config,
            encoder: lens.encoder(),
            is_keyed: !lens.key.is_empty(),
        };
        if gatherer.is_keyed {
            self.forget_written();
        }
        let shown = Shown {
            work,
            state,
            lens: &lens,
            table: table.as_ref(),
        };
        let mut by_content = if gatherer.is_keyed {
            ByContent::default()
        } else {
            self.written_by_content(&shown)?
        };
        let former = std::mem::take(&mut self.rows);
        let mut found = Vec::new();
        let gathered = gatherer.known_each(table.as_ref(), &former, &mut |row| {
            found.push(self.found(&shown, &mut by_content, row)?);
            Ok(())
        });
        self.rows = former;
        let gathered = gathered?;
        let Which::Changes { vanished, .. } = gathered.rows else {
            return Ok(());
        };
        let (mut hashes, mut ranks) = (gathered.hashes, gathered.ranks);
        let mut left: BTreeSet<u32> = vanished.into_iter().collect();
        let mut is_settled = gathered.broken.is_empty() && gathered.is_complete;
        for row in found {
            if let (Some(place), Some(rank)) = (ranks.get_mut(row.place), row.rank) {
                *place = rank;
                left.remove(&rank);
            }
            if !row.is_meant {
                is_settled = false;
                if let Some(hash) = hashes.get_mut(row.place) {
                    *hash = 0;
                }
            }
        }
        // Rows that went meanwhile are still to be found missing.
        let is_known = |rank: &u32| *rank != NO_RANK;
        for rank in left.into_iter().filter(is_known) {
            is_settled = false;
            hashes.push(0);
            ranks.push(rank);
        }
        self.rows.prints.hashes = hashes;
        self.rows.prints.ranks = ranks;
        self.rows.is_settled = is_settled;
        Ok(())
    }

    /// Finds which record a row shows that is not as it was before the write, and whether it came out as it was meant.
    fn found(&mut self, shown: &Shown<'_>, by_content: &mut ByContent, row: Examined) -> SyncResult<Found> {
        let key = if shown.lens.key.is_empty() {
            by_content.take(&row.record).and_then(|number| self.key_of(number))
        } else {
            RecordKey::new(row.key)
        };
        let mut found = Found {
            place: row.row,
            rank: None,
            is_meant: false,
        };
        let Some(key) = key else { return Ok(found) };
        let rank = tree::rank(shown.work.objects, &shown.state.content, key.bytes());
        let (rank, is_there) = rank.map_err(|error| other("reading a record", error))?;
        found.rank = is_there.then_some(narrow(rank));
        found.is_meant =
            is_there && self.is_meant(shown, &key, &row.record)? || self.came_out(shown, &key, &row.record)?;
        Ok(found)
    }

    /// Returns the key of a written row: of one that was changed, or behind those of one that was added.
    fn key_of(&self, number: usize) -> Option<RecordKey> {
        match self.edited.get(number) {
            Some(edited) => Some(edited.key.clone()),
            None => RecordKey::new(self.added.get(number - self.edited.len())?.to_vec()),
        }
    }

    /// Returns what a written row showed, is to show, and where it stands if it was refused.
    fn written(&self, shown: &Shown<'_>, key: &RecordKey) -> SyncResult<Option<Written>> {
        // They were planned in order of their keys.
        let place = self.edited.binary_search_by(|edited| edited.key.cmp(key));
        if let Some(edited) = place.ok().and_then(|at| self.edited.get(at)) {
            return Ok(edited.wanted.clone().map(|wanted| Written {
                was: edited.was.clone(),
                wanted,
                refused: edited.refused.clone(),
            }));
        }
        if self.added.find(key.bytes()).is_none() {
            return Ok(None);
        }
        Ok(shown.record(key)?.map(|wanted| Written {
            was: None,
            wanted,
            refused: Exception::Missing,
        }))
    }

    /// Takes what the place made of a value that we wrote for its form of it; returns whether there is nothing else.
    fn came_out(&mut self, shown: &Shown<'_>, key: &RecordKey, record: &[u8]) -> SyncResult<bool> {
        let Some(edited) = self.written(shown, key)? else {
            return Ok(false);
        };
        let (wanted, Ok(actual)) = (&edited.wanted, decode(record)) else {
            return Ok(false);
        };
        if matches!(self.exceptions.get(key), Some(exception) if *exception == edited.refused) {
            return Ok(false);
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
        Ok(is_all)
    }

    /// Lets every row be looked at that was written: one that is as before our write of it is not as we meant it.
    fn forget_written(&mut self) {
        for edit in &self.row_edits {
            if let RowEdit::Update { row, .. } | RowEdit::Delete { row, .. } = edit
                && let Ok(row) = usize::try_from(*row)
                && let Some(hash) = self.rows.prints.hashes.get_mut(row)
            {
                *hash = 0;
            }
        }
    }

    /// Lists the written rows by what they are to show.
    fn written_by_content(&self, shown: &Shown<'_>) -> SyncResult<ByContent> {
        let mut numbers: Vec<(u128, usize)> = Vec::new();
        for (number, edited) in self.edited.iter().enumerate() {
            let wanted = edited.wanted.as_ref();
            numbers.extend(wanted.map(|wanted| (xxh3_128(&encoded(wanted)), number)));
        }
        for number in self.edited.len()..self.edited.len() + self.added.len() {
            let Some(key) = self.key_of(number) else { continue };
            let wanted = shown.record(&key)?;
            numbers.extend(wanted.map(|wanted| (xxh3_128(&encoded(&wanted)), number)));
        }
        Ok(ByContent::new(numbers))
    }

    fn is_meant(&self, shown: &Shown<'_>, key: &RecordKey, record: &[u8]) -> SyncResult<bool> {
        let objects = shown.work.objects;
        match self.exceptions.get(key) {
            Some(Exception::Shows(_, shown)) => Ok(cbor::encode(&Value::Map(shown.clone())) == record),
            Some(_) => Ok(false),
            None => {
                let bytes = tree::get(objects, &shown.state.content, key.bytes());
                let bytes = bytes.map_err(|error| other("reading a record", error))?;
                match bytes.filter(|bytes| !Entry::is_alias(bytes)) {
                    Some(bytes) => shown.lens.is_same(objects, shown.table, record, &bytes),
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
        let collection = &config.collection;
        let mut tell = |key: &RecordKey, old: Option<&Map>, new: Option<Map>| {
            let (old, new) = (old.cloned().map(Value::Map), new.map(Value::Map));
            let line = record_difference(work, collection, &state, key, old.as_ref(), new.as_ref());
            let Some(mut line) = line else { return Ok(()) };
            line.source = Some(config.name.clone());
            line.direction = Some("out".to_owned());
            each(line)
        };
        let lens = self.lens(work, &state)?;
        let mut edited = self.edited.iter().peekable();
        for key in self.added.iter().filter_map(|key| RecordKey::new(key.to_vec())) {
            while let Some(before) = edited.next_if(|edited| edited.key < key) {
                tell(&before.key, before.was.as_ref(), before.wanted.clone())?;
            }
            let record = work.record(&state, &key)?;
            tell(&key, None, record.map(|record| lens.cut(&record)))?;
        }
        for edited in edited {
            tell(&edited.key, edited.was.as_ref(), edited.wanted.clone())?;
        }
        Ok(())
    }
}
