//! Judging what was gathered: every row that may be an edit against what the table showed.

use std::collections::{BTreeMap, BTreeSet};

use super::content;
use super::edits::{Edits, Standing};
use super::gather::{Examined, Gathered, Which};
use super::known::Exception;
use super::ranks::{Shift, narrow};
use super::sorter::Sorter;
use crate::delta::State;
use crate::model::RecordKey;
use crate::model::row::SCHEMA_KEY;
use crate::source::table::NO_RANK;
use crate::sync::{SyncResult, other};
use crate::tree;

/// Rows that have one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Duplicate {
    /// The record of one of them.
    pub(super) record: Vec<u8>,
    /// Their lines, where they are known.
    pub(super) lines: Vec<u64>,
    /// Their places, of those whose lines are not known.
    pub(super) rows: Vec<usize>,
}

/// What judging needs and changes.
pub(super) struct Judge<'j, 'e> {
    pub(super) edits: &'j mut Edits<'e>,
    /// The state the rows are compared with.
    pub(super) base: State,
    pub(super) hashes: Vec<u64>,
    /// Ranks by row: of the base before, and of the base to be once [`Self::settle`] was called.
    pub(super) ranks: Vec<u32>,
    pub(super) shift: Shift,
    /// Rows whose records come into the base, by key.
    pub(super) added: BTreeMap<Vec<u8>, usize>,
    pub(super) duplicates: Vec<Duplicate>,
}

impl<'j, 'e> Judge<'j, 'e> {
    pub(super) fn new(edits: &'j mut Edits<'e>, base: State, gathered: &mut Gathered) -> Self {
        Self {
            edits,
            base,
            hashes: std::mem::take(&mut gathered.hashes),
            ranks: std::mem::take(&mut gathered.ranks),
            shift: Shift::default(),
            added: BTreeMap::new(),
            duplicates: Vec::new(),
        }
    }

    /// Judges all rows; ranks are those of the base to be afterwards.
    pub(super) fn run(&mut self, which: Which, is_keyed: bool) -> SyncResult<()> {
        match which {
            Which::All(sorter) => self.all(sorter),
            Which::Changes { unknown, vanished, .. } if is_keyed => {
                self.keyed(unknown, &vanished)?;
                self.settle()
            }
            Which::Changes {
                unknown,
                vanished,
                before,
                former,
            } => {
                content::judge(self, unknown, &vanished, &before, &former)?;
                self.settle()
            }
        }
    }

    /// Returns the record of the base under a key, and its rank.
    fn base_record(&self, key: &[u8]) -> SyncResult<Option<(Vec<u8>, u32)>> {
        let objects = self.edits.work.objects;
        let wrap = |error| other("reading a record", error);
        let (rank, is_there) = tree::rank(objects, &self.base.content, key).map_err(wrap)?;
        if !is_there {
            return Ok(None);
        }
        let record = tree::get(objects, &self.base.content, key).map_err(wrap)?;
        Ok(record.map(|record| (record, narrow(rank))))
    }

    /// Returns the record at a rank of the base.
    pub(super) fn at_rank(&self, rank: u32) -> SyncResult<Option<(Vec<u8>, Vec<u8>)>> {
        tree::nth(self.edits.work.objects, &self.base.content, u64::from(rank))
            .map_err(|error| other("reading a record", error))
    }

    /// Notes where a row stands; `rank` is that of its record at the base.
    pub(super) fn place(&mut self, row: &Examined, standing: Standing, rank: Option<u32>) {
        match (standing, rank) {
            (Standing::Known, Some(rank)) => {
                if let Some(place) = self.ranks.get_mut(row.row) {
                    *place = rank;
                }
            }
            (Standing::Added, _) => {
                self.added.insert(row.key.clone(), row.row);
            }
            _ => self.forget(row.row),
        }
    }

    /// Makes a row one that is looked at each time.
    fn forget(&mut self, row: usize) {
        if let (Some(hash), Some(rank)) = (self.hashes.get_mut(row), self.ranks.get_mut(row)) {
            *hash = 0;
            *rank = NO_RANK;
        }
    }

    /// A record of the base that no row shows.
    pub(super) fn gone(&mut self, key: &[u8], base: &[u8], rank: u32, is_set_aside: bool) -> SyncResult<()> {
        if self.edits.absent(key, base, is_set_aside)? {
            self.shift.removed.push(rank);
        }
        Ok(())
    }

    fn keyed(&mut self, unknown: Vec<Examined>, vanished: &[u32]) -> SyncResult<()> {
        let vanished: BTreeSet<u32> = vanished.iter().copied().collect();
        let mut by_key: BTreeMap<Vec<u8>, Vec<Examined>> = BTreeMap::new();
        for row in unknown {
            by_key.entry(row.key.clone()).or_default().push(row);
        }
        let mut found = BTreeMap::new();
        let mut held: BTreeMap<u32, Option<usize>> = BTreeMap::new();
        for key in by_key.keys() {
            if let Some((record, rank)) = self.base_record(key)? {
                if !vanished.contains(&rank) {
                    held.insert(rank, None);
                }
                found.insert(key.clone(), (record, rank));
            }
        }
        if !held.is_empty() {
            for (row, rank) in self.ranks.iter().enumerate().filter(|(_, rank)| **rank != NO_RANK) {
                if let Some(place) = held.get_mut(rank) {
                    *place = Some(row);
                }
            }
        }
        let mut left = vanished;
        for (key, mut rows) in by_key {
            let base = found.get(&key);
            let holder = base.and_then(|(_, rank)| held.get(rank).copied().flatten());
            if let Some((_, rank)) = base {
                left.remove(rank);
            }
            let only = if holder.is_none() && rows.len() == 1 {
                rows.pop()
            } else {
                None
            };
            if let Some(row) = only {
                let standing = self
                    .edits
                    .present(&key, &row.record, base.map(|(record, _)| record.as_slice()))?;
                self.place(&row, standing, base.map(|(_, rank)| *rank));
                continue;
            }
            for row in rows.iter().map(|row| row.row).chain(holder) {
                self.forget(row);
            }
            if let Some((record, rank)) = base {
                self.gone(&key, record, *rank, true)?;
            }
            self.duplicates.extend(rows.first().map(|first| Duplicate {
                record: first.record.clone(),
                lines: rows.iter().map(|row| row.line).collect(),
                rows: holder.into_iter().collect(),
            }));
            self.added.remove(&key);
            found.insert(key, (Vec::new(), NO_RANK));
        }
        for rank in left {
            if let Some((key, base)) = self.at_rank(rank)? {
                self.gone(&key, &base, rank, false)?;
            }
        }
        self.no_longer_set_aside(&|key| found.contains_key(key))
    }

    /// Rows that were set aside and are not there any more are deletions like any other.
    pub(super) fn no_longer_set_aside(&mut self, is_there: &dyn Fn(&[u8]) -> bool) -> SyncResult<()> {
        let exceptions = self.edits.exceptions.iter();
        let set_aside: Vec<RecordKey> = exceptions
            .filter(|(key, exception)| matches!(exception, Exception::SetAside(_)) && !is_there(key.bytes()))
            .map(|(key, _)| key.clone())
            .collect();
        for key in set_aside {
            match self.base_record(key.bytes())? {
                Some((base, rank)) => self.gone(key.bytes(), &base, rank, false)?,
                None => {
                    self.edits.exceptions.remove(&key);
                }
            }
        }
        Ok(())
    }

    /// Gives all rows their ranks in the base to be.
    fn settle(&mut self) -> SyncResult<()> {
        self.shift.removed.sort_unstable();
        for key in self.added.keys() {
            let (rank, _) = tree::rank(self.edits.work.objects, &self.base.content, key)
                .map_err(|error| other("reading a record", error))?;
            self.shift.added.push(narrow(rank));
        }
        self.shift.apply(&mut self.ranks);
        for (at, row) in self.added.values().enumerate() {
            if let Some(rank) = self.ranks.get_mut(*row) {
                *rank = self.shift.of_added(at);
            }
        }
        Ok(())
    }

    /// Walks over all rows and all records of the base, both by key.
    fn all(&mut self, sorter: Sorter) -> SyncResult<()> {
        let objects = self.edits.work.objects;
        let content = self.base.content;
        let mut walk = Walk {
            base: tree::iter(objects, &content).peekable(),
            // The schema is the first entry.
            next: 0,
            pending: None,
        };
        sorter.in_order(&mut |row| {
            let same = walk.pending.as_ref().is_some_and(|pending| pending.key == row.key);
            if same {
                if let Some(pending) = &mut walk.pending {
                    pending.more.push((row.place, row.line));
                }
                return Ok(());
            }
            self.pending(&mut walk)?;
            walk.pending = Some(Pending {
                key: row.key.to_vec(),
                record: row.record.to_vec(),
                row: row.place,
                line: row.line,
                more: Vec::new(),
            });
            Ok(())
        })?;
        self.pending(&mut walk)?;
        for entry in walk.base.by_ref() {
            self.passed(&mut walk.next, entry)?;
        }
        Ok(())
    }

    /// A record of the base before the next row's key, which no row has.
    fn passed(&mut self, next: &mut u32, entry: Result<(Vec<u8>, Vec<u8>), tree::TreeError>) -> SyncResult<()> {
        let (key, base) = entry.map_err(|error| other("reading records", error))?;
        if key == SCHEMA_KEY || !self.edits.absent(&key, &base, false)? {
            *next = next.saturating_add(1);
        }
        Ok(())
    }

    fn pending<I>(&mut self, walk: &mut Walk<I>) -> SyncResult<()>
    where
        I: Iterator<Item = Result<(Vec<u8>, Vec<u8>), tree::TreeError>>,
    {
        let Some(row) = walk.pending.take() else { return Ok(()) };
        let before = |entry: &Result<(Vec<u8>, Vec<u8>), _>| entry.as_ref().map_or(true, |(key, _)| *key < row.key);
        while let Some(entry) = walk.base.next_if(before) {
            self.passed(&mut walk.next, entry)?;
        }
        let is_here = |entry: &Result<(Vec<u8>, Vec<u8>), _>| entry.as_ref().is_ok_and(|(key, _)| *key == row.key);
        let base = walk
            .base
            .next_if(is_here)
            .and_then(Result::ok)
            .map(|(_, record)| record);
        if !row.more.is_empty() {
            let all: Vec<(u32, u64)> = std::iter::once((row.row, row.line)).chain(row.more).collect();
            for (row, _) in &all {
                self.forget(*row as usize);
            }
            if let Some(base) = &base {
                self.edits.absent(&row.key, base, true)?;
                walk.next = walk.next.saturating_add(1);
            }
            self.duplicates.push(Duplicate {
                record: row.record,
                lines: all.into_iter().map(|(_, line)| line).collect(),
                rows: Vec::new(),
            });
            return Ok(());
        }
        let standing = self.edits.present(&row.key, &row.record, base.as_deref())?;
        if standing == Standing::Foreign {
            self.forget(row.row as usize);
        } else if let Some(rank) = self.ranks.get_mut(row.row as usize) {
            *rank = walk.next;
        }
        if base.is_some() || standing == Standing::Added {
            walk.next = walk.next.saturating_add(1);
        }
        Ok(())
    }
}

/// A walk over rows and records side by side.
struct Walk<I: Iterator> {
    base: std::iter::Peekable<I>,
    /// The rank that the next entry has in the base to be.
    next: u32,
    pending: Option<Pending>,
}

/// A row whose key may come again.
struct Pending {
    key: Vec<u8>,
    record: Vec<u8>,
    row: u32,
    line: u64,
    more: Vec<(u32, u64)>,
}
