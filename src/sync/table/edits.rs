//! What the rows of a table say against what they showed: edits, and where the table stands beside its base.

use std::collections::{BTreeMap, BTreeSet};

use super::known::{Exception, Exceptions, Mark, Marks};
use super::lens::{Lens, row_edits};
use super::sieve::Sieve;
use crate::delta::{FieldOperation, Operation, State, apply};
use crate::model::{Map, RecordKey, SnapshotId, Value, cbor};
use crate::source::table::Table;
use crate::spool::SortedRuns;
use crate::sync::config::Direction;
use crate::sync::report::Tally;
use crate::sync::work::Work;
use crate::sync::{SyncResult, other};

/// Transactions by the heads they are made on.
pub(super) type Groups = BTreeMap<Vec<SnapshotId>, BTreeMap<RecordKey, Operation>>;

/// How a row stands after it was looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// Its record is among those of the source's base, as it will be.
    Known,
    /// Its record comes into the source's base.
    Added,
    /// It has no record there.
    Foreign,
}

/// Gathers the edits of one source.
pub(super) struct Edits<'e> {
    pub(super) work: &'e Work<'e>,
    pub(super) table: &'e dyn Table,
    pub(super) lens: &'e Lens,
    pub(super) direction: Direction,
    /// Which records of the base the table shows.
    pub(super) sieve: Sieve,
    /// The heads that new records are made on.
    pub(super) parents: Vec<SnapshotId>,
    /// How many rows there are that the filter would not let in.
    pub(super) strangers: u64,
    /// The heads that the source agreed with last; none at first sight.
    pub(super) base: Vec<SnapshotId>,
    /// Whether the rows are compared with what the collection has without having agreed on anything.
    pub(super) is_first_sight: bool,
    /// With another mapping than before, the columns that were shown: they say nothing new.
    pub(super) lens_before: Option<BTreeSet<String>>,
    /// The state of a write-back of which the end is not known.
    pub(super) tried: Option<(Vec<SnapshotId>, State)>,
    /// Whether missing rows are no deletions, because something cannot be read.
    pub(super) is_incomplete: bool,
    /// Columns that are shown for the first time: what rows have there says what is there, not that somebody changed it.
    pub(super) new_columns: BTreeSet<String>,
    pub(super) exceptions: Exceptions,
    /// What came back after our writes.
    pub(super) marks: Marks,
    /// The heads that the table agreed with before our last write.
    pub(super) former: Vec<SnapshotId>,
    pub(super) groups: Groups,
    pub(super) additions: SortedRuns,
    /// Rows changed by the group with these parents: its snapshot becomes what they agree with.
    pub(super) origin: BTreeMap<RecordKey, Vec<SnapshotId>>,
    pub(super) read: Tally,
    /// By column: in how many rows a value that was there changed, and an example.
    pub(super) columns: BTreeMap<String, (u64, (String, String))>,
}

impl Edits<'_> {
    fn takes_in(&self) -> bool {
        self.direction != Direction::Out
    }

    /// Judges a row that is there; `base` is its record at the source's base.
    pub(super) fn present(&mut self, key: &[u8], record: &[u8], base: Option<&[u8]>) -> SyncResult<Standing> {
        let objects = self.work.objects;
        let is_hidden = self.is_hidden(base)?;
        let known = is_hidden || !self.exceptions.is_empty() || self.tried.is_some();
        if !known
            && let Some(base) = base
            && self.lens.is_same(objects, self.table, record, base)?
        {
            return Ok(Standing::Known);
        }
        let Some(key) = RecordKey::new(key) else {
            return Ok(Standing::Foreign);
        };
        let now = || decode(record);
        match (self.exceptions.get(&key).cloned(), base) {
            (Some(Exception::Shows(on, _) | Exception::SetAside(Some((on, _)))), _) if self.lens_before.is_some() => {
                self.exceptions.insert(key, Exception::Shows(on, now()?));
                Ok(if base.is_some() {
                    Standing::Known
                } else {
                    Standing::Foreign
                })
            }
            (Some(Exception::Shows(on, was) | Exception::SetAside(Some((on, was)))), _) => {
                let now = now()?;
                let edits = row_edits(&was, &now);
                if !edits.is_empty() && !self.as_tried(&key, Some(&now))? {
                    self.change(&key, on, &was, now, edits)?;
                } else if edits.is_empty() {
                    self.exceptions.insert(key, Exception::Shows(on, was));
                }
                Ok(if base.is_some() {
                    Standing::Known
                } else {
                    Standing::Foreign
                })
            }
            (None | Some(Exception::Missing | Exception::SetAside(None)), None) => {
                if self.as_tried(&key, Some(&now()?))? || !self.takes_in() {
                    return Ok(Standing::Foreign);
                }
                self.exceptions.remove(&key);
                self.read.added += 1;
                if self.sieve.is_active() {
                    let now = now()?;
                    if !self.sieve.shows(objects, &Value::Map(now.clone()))? {
                        self.strangers += 1;
                        self.origin.insert(key.clone(), self.parents.clone());
                        self.exceptions
                            .insert(key.clone(), Exception::Shows(self.parents.clone(), now));
                    }
                }
                self.additions.push(key, record.to_vec())?;
                Ok(Standing::Added)
            }
            (exception, Some(base)) => {
                if self.lens.is_same(objects, self.table, record, base)? {
                    self.exceptions.remove(&key);
                    if is_hidden {
                        self.strangers += 1;
                        self.exceptions
                            .insert(key, Exception::Shows(self.parents.clone(), now()?));
                    }
                    return Ok(Standing::Known);
                }
                self.differs(key, now()?, base, exception.is_none() && !is_hidden)?;
                Ok(Standing::Known)
            }
        }
    }

    /// Takes in a row that shows something else than its record at the source's base; `is_agreed` where nothing else
    /// than that was agreed on.
    fn differs(&mut self, key: RecordKey, now: Map, base: &[u8], is_agreed: bool) -> SyncResult<()> {
        if self.as_tried(&key, Some(&now))? {
            return Ok(());
        }
        let was = self
            .lens
            .shown(self.work.objects, self.table, &Value::Map(decode(base)?))?;
        let mut edits = row_edits(&was, &now);
        if is_agreed && !self.is_first_sight {
            let on = self.base.clone();
            return self.change(&key, on, &was, now, edits);
        }
        // Nothing was agreed on: the row says what it has, not that somebody took something away.
        edits.retain(|edit| matches!(edit, FieldOperation::Set(..)));
        if let Some(before) = &self.lens_before {
            let column = |edit: &FieldOperation| edit.path().parts().first().map(ToString::to_string);
            edits.retain(|edit| column(edit).is_none_or(|id| !before.contains(&id)));
            if edits.is_empty() {
                self.exceptions.insert(key, Exception::Shows(self.base.clone(), now));
                return Ok(());
            }
        }
        self.change(&key, Vec::new(), &was, now, edits)
    }

    /// Returns whether a record of the base is one that the table does not show because of its filter.
    fn is_hidden(&self, base: Option<&[u8]>) -> SyncResult<bool> {
        match base {
            Some(base) if self.sieve.is_active() => {
                Ok(!self.sieve.shows(self.work.objects, &Value::Map(decode(base)?))?)
            }
            _ => Ok(false),
        }
    }

    /// Judges a record of the base that no row has; returns whether it leaves the base.
    pub(super) fn absent(&mut self, key: &[u8], base: &[u8], is_set_aside: bool) -> SyncResult<bool> {
        let Some(key) = RecordKey::new(key) else {
            return Ok(false);
        };
        if !self.exceptions.contains_key(&key) && self.is_hidden(Some(base))? {
            if is_set_aside || self.is_incomplete {
                self.exceptions.insert(key, Exception::SetAside(None));
            }
            return Ok(false);
        }
        if self.is_first_sight {
            self.exceptions.insert(
                key,
                if is_set_aside {
                    Exception::SetAside(None)
                } else {
                    Exception::Missing
                },
            );
            return Ok(false);
        }
        let last = match self.exceptions.get(&key).cloned() {
            Some(Exception::Missing) if is_set_aside => None,
            Some(Exception::Missing) => return Ok(false),
            Some(Exception::SetAside(last)) => last,
            Some(Exception::Shows(on, was)) => Some((on, was)),
            None => {
                let was = self
                    .lens
                    .shown(self.work.objects, self.table, &Value::Map(decode(base)?))?;
                Some((self.base.clone(), was))
            }
        };
        if is_set_aside || self.is_incomplete {
            self.exceptions.insert(key, Exception::SetAside(last));
            return Ok(false);
        }
        let Some((on, _)) = last.filter(|_| self.takes_in()) else {
            self.exceptions.insert(key, Exception::Missing);
            return Ok(false);
        };
        if self.as_tried(&key, None)? {
            return Ok(false);
        }
        self.read.removed += 1;
        let leaves = on == self.base;
        if self.work.record(&self.work.state_at(&on)?, &key)?.is_some() {
            self.groups
                .entry(on)
                .or_default()
                .insert(key.clone(), Operation::Remove);
        }
        if leaves {
            self.exceptions.remove(&key);
        } else {
            self.exceptions.insert(key, Exception::Missing);
        }
        Ok(leaves)
    }

    /// Returns whether a row is what a write-back was to make of it of which the end is not known; notes so.
    fn as_tried(&mut self, key: &RecordKey, now: Option<&Map>) -> SyncResult<bool> {
        let Some((heads, state)) = &self.tried else {
            return Ok(false);
        };
        let record = self.work.record(state, key)?;
        let exception = match (record, now) {
            (None, None) => Exception::Missing,
            (Some(record), Some(now)) => {
                let wanted = self.lens.shown(self.work.objects, self.table, &record)?;
                if !row_edits(&wanted, now).is_empty() {
                    return Ok(false);
                }
                Exception::Shows(heads.clone(), wanted)
            }
            _ => return Ok(false),
        };
        self.exceptions.insert(key.clone(), exception);
        Ok(true)
    }

    /// Returns the record that a row showed before our last write. A tree that is not here any more is not made again for it.
    fn former_record(&self, key: &RecordKey) -> Option<Value> {
        let state = match self.former.as_slice() {
            [] => return None,
            [head] => self.work.history.snapshot(head).ok()?.result,
            heads => self.work.state_at(heads).ok()?,
        };
        self.work.record(&state, key).ok()?
    }

    /// Counts what edits put back; an edit to something new makes the column an ordinary one again.
    fn count_put_back(&mut self, key: &RecordKey, was: &Map, now: &Map, edits: &[FieldOperation]) {
        let former = self.former_record(key);
        let former = former.and_then(|former| self.lens.shown(self.work.objects, self.table, &former).ok());
        let mut marks = self.marks.remove(key).unwrap_or_default();
        for edit in edits {
            let id = edit.path().parts().first().map_or("", |id| id.as_str());
            let (over, present) = (was.get(id), now.get(id));
            let times = match marks.remove(id) {
                Some(mark) if mark.kept.as_ref() == present => mark.times + 1,
                _ => i64::from(former.as_ref().is_some_and(|former| former.get(id) == present)),
            };
            let mark = Mark::new(present, over, times).filter(|_| times > 0);
            marks.extend(mark.map(|mark| (id.to_owned(), mark)));
        }
        if !marks.is_empty() {
            self.marks.insert(key.clone(), marks);
        }
    }

    fn change(
        &mut self,
        key: &RecordKey,
        on: Vec<SnapshotId>,
        was: &Map,
        now: Map,
        mut edits: Vec<FieldOperation>,
    ) -> SyncResult<()> {
        let mut agrees = on == self.base && !self.is_first_sight && !self.exceptions.contains_key(key);
        if !self.new_columns.is_empty() && !on.is_empty() && self.first_seen(key, &mut edits) {
            agrees = false;
            if edits.is_empty() {
                self.exceptions.insert(key.clone(), Exception::Shows(on, now));
                return Ok(());
            }
        }
        let existing = self.work.record(&self.work.state_at(&on)?, key)?;
        if self.sieve.is_active() && self.takes_in() {
            // A row that an edit of its own takes out of the filter stays until somebody else writes it.
            let empty = Value::Map(Map::new());
            let before = existing.as_ref().unwrap_or(&empty);
            let after = apply(Some(before), &Operation::Change(edits.clone()));
            let after = after.map_err(|error| other("reading a row", error))?.unwrap_or(empty);
            if !self.sieve.shows(self.work.objects, &after)? {
                agrees = false;
                self.strangers += 1;
            }
        }
        if !self.takes_in() {
            self.exceptions.insert(key.clone(), Exception::Shows(on, now));
            return Ok(());
        }
        for edit in &edits {
            let id = edit.path().parts().first().map_or("", |id| id.as_str());
            if let Some(old) = was.get(id) {
                let new = now.get(id).map(crate::sync::look::plain).unwrap_or_default();
                let example = || (crate::sync::look::plain(old), new);
                self.columns.entry(id.to_owned()).or_insert_with(|| (0, example())).0 += 1;
            }
        }
        self.read.changed += 1;
        self.count_put_back(key, was, &now, &edits);
        if !agrees {
            self.exceptions.insert(key.clone(), Exception::Shows(on.clone(), now));
        }
        if edits.is_empty() {
            return Ok(());
        }
        if !agrees {
            self.origin.insert(key.clone(), on.clone());
        }
        let operation = if existing.is_some() {
            Operation::Change(edits)
        } else {
            let empty = Value::Map(Map::new());
            let record =
                apply(Some(&empty), &Operation::Change(edits)).map_err(|error| other("reading a row", error))?;
            let Some(record) = record else { return Ok(()) };
            Operation::Add(record)
        };
        self.groups.entry(on).or_default().insert(key.clone(), operation);
        Ok(())
    }
}

impl Edits<'_> {
    /// Takes what a row has in columns that are shown for the first time out of its edits, and in beside what others
    /// say there; returns whether there is any.
    fn first_seen(&mut self, key: &RecordKey, edits: &mut Vec<FieldOperation>) -> bool {
        let is_new = |edit: &FieldOperation| {
            let id = edit.path().parts().first();
            id.is_some_and(|id| self.new_columns.contains(id.as_str()))
        };
        let (seen, rest): (Vec<_>, Vec<_>) = std::mem::take(edits).into_iter().partition(is_new);
        *edits = rest;
        let is_any = !seen.is_empty();
        let empty = Value::Map(Map::new());
        let sets: Vec<_> = seen
            .into_iter()
            .filter(|edit| matches!(edit, FieldOperation::Set(..)))
            .collect();
        if !sets.is_empty()
            && self.takes_in()
            && let Ok(Some(record)) = apply(Some(&empty), &Operation::Change(sets))
        {
            let group = self.groups.entry(Vec::new()).or_default();
            group.insert(key.clone(), Operation::Add(record));
            self.read.changed += 1;
        }
        is_any
    }
}

/// Decodes a record that was encoded here.
pub(super) fn decode(record: &[u8]) -> SyncResult<Map> {
    match cbor::decode(record) {
        Ok(Value::Map(map)) => Ok(map),
        Ok(_) => Err(crate::sync::SyncError::Damaged("a row".to_owned())),
        Err(error) => Err(other("reading a row", error)),
    }
}
