//! The first import of a collection: rows become its first snapshot without one of them being decoded again.

use super::columns::Columns;
use super::gather::{Gathered, Gatherer, Which};
use super::intake::{Looked, tell_broken, tell_duplicate};
use super::judge::Duplicate;
use super::sorter::{Row, Sorter};
use crate::merge::{Additions, Authoring};
use crate::model::row::{SCHEMA_KEY, key};
use crate::model::{Kind, cbor};
use crate::source::table::{NO_RANK, Table};
use crate::sync::config::{Direction, SourceConfig};
use crate::sync::work::Work;
use crate::sync::{SyncError, SyncResult, other};

/// Reads a table into the first snapshot of its collection.
pub(super) fn import(
    work: &Work<'_>,
    config: &SourceConfig,
    table: &dyn Table,
    columns: &Columns,
    message: Option<&str>,
    looked: &mut Looked,
) -> SyncResult<()> {
    if config.direction == Direction::Out {
        return Ok(());
    }
    let wrap = |error| other("recording a snapshot", error);
    let is_keyed = columns.schema.is_keyed();
    let mut gatherer = Gatherer {
        work,
        config,
        encoder: columns.lens.encoder(),
        is_keyed,
    };
    let mut seed = [0; 8];
    (work.env.random)(&mut seed);
    let seed = u64::from_le_bytes(seed);
    let mut ranks: Vec<u32> = Vec::new();
    let streamed = if columns.is_sorted {
        stream(&mut gatherer, table, columns, seed, &mut ranks)?
    } else {
        None
    };
    let (snapshot, mut gathered, next) = if let Some(streamed) = streamed {
        streamed
    } else {
        ranks.clear();
        let (snapshot, gathered, next, duplicates) = sort(&mut gatherer, table, columns, seed, &mut ranks)?;
        for duplicate in &duplicates {
            tell_duplicate(config, columns, duplicate, &[], looked);
        }
        (snapshot, gathered, next)
    };
    ranks.resize(gathered.hashes.len(), NO_RANK);
    gathered.rows = Which::All(Sorter::default());
    tell_broken(config, &gathered, looked);
    looked.present = gathered.hashes.len() as u64;
    looked.read.added = u64::from(next).saturating_sub(1);
    looked.rows.prints.seed = seed;
    looked.rows.prints.hashes = gathered.hashes;
    looked.rows.prints.ranks = ranks;
    looked.rows.is_settled = looked.set_aside.is_empty();
    let meta = Authoring {
        collection: config.collection.clone(),
        kind: Kind::Row,
        replica: work.view.replica,
        system: work.view.system.clone(),
        time: work.env.clock.now(),
        message: message.map(str::to_owned),
    };
    looked.first = Some(snapshot.finish(meta).map_err(wrap)?);
    Ok(())
}

/// Begins the snapshot with the schema, which has rank 0.
fn begin<'o>(gatherer: &Gatherer<'o>, columns: &Columns) -> SyncResult<Additions<'o>> {
    let mut snapshot = Additions::new(gatherer.work.objects);
    let schema = cbor::encode(&columns.schema.to_record());
    snapshot
        .push(SCHEMA_KEY, &schema)
        .map_err(|error| other("recording a snapshot", error))?;
    Ok(snapshot)
}

/// Writes rows as they come; `None` when they turn out not to come in the order of their keys.
fn stream<'o>(
    gatherer: &mut Gatherer<'o>,
    table: &dyn Table,
    columns: &Columns,
    seed: u64,
    ranks: &mut Vec<u32>,
) -> SyncResult<Option<(Additions<'o>, Gathered, u32)>> {
    let mut snapshot = begin(gatherer, columns)?;
    let mut next = 1;
    let (mut last, mut key, mut record) = (Vec::new(), Vec::new(), Vec::new());
    let mut is_sorted = true;
    let gathered = gatherer.each(table, seed, &mut |this, row, _, _| {
        key.clear();
        record.clear();
        this.encoder.key_into(&mut key);
        this.encoder.record_into(&mut record);
        if last >= key {
            is_sorted = false;
            return Err(SyncError::Damaged("rows out of order".to_owned()));
        }
        ranks.resize(row, NO_RANK);
        ranks.push(next);
        next += 1;
        std::mem::swap(&mut last, &mut key);
        snapshot
            .push(&last, &record)
            .map_err(|error| other("recording a snapshot", error))
    });
    // What a survey says of an order can be wrong where cells become others by their type.
    if is_sorted {
        Ok(Some((snapshot, gathered?, next)))
    } else {
        Ok(None)
    }
}

/// Sorts the rows and writes them.
fn sort<'o>(
    gatherer: &mut Gatherer<'o>,
    table: &dyn Table,
    columns: &Columns,
    seed: u64,
    ranks: &mut Vec<u32>,
) -> SyncResult<(Additions<'o>, Gathered, u32, Vec<Duplicate>)> {
    let mut snapshot = begin(gatherer, columns)?;
    let is_keyed = gatherer.is_keyed;
    let mut sorter = Sorter::default();
    let (mut key, mut record) = (Vec::new(), Vec::new());
    let mut gathered = gatherer.each(table, seed, &mut |this, row, line, _| {
        record.clear();
        this.encoder.record_into(&mut record);
        if is_keyed {
            key.clear();
            this.encoder.key_into(&mut key);
        } else {
            key = key::of_content(&record, 0);
        }
        let row = u32::try_from(row).map_err(|error| other("reading rows", error))?;
        sorter.push(Row {
            key: &key,
            record: &record,
            place: row,
            line,
        })
    })?;
    ranks.resize(gathered.hashes.len(), NO_RANK);
    let mut writer = Writer {
        is_keyed,
        ranks,
        next: 1,
        held: None,
        duplicates: Vec::new(),
    };
    sorter.in_order(&mut |row| writer.push(row, &mut snapshot))?;
    writer.release(&mut snapshot)?;
    for row in writer.duplicates.iter().flat_map(|duplicate| &duplicate.rows) {
        if let Some(hash) = gathered.hashes.get_mut(*row) {
            *hash = 0;
        }
    }
    Ok((snapshot, gathered, writer.next, writer.duplicates))
}

/// A key, its record, and the places and lines of the rows that have it.
type Held = (Vec<u8>, Vec<u8>, Vec<(u32, u64)>);

/// Writes sorted rows; those that share a key with another are held back.
struct Writer<'w> {
    is_keyed: bool,
    ranks: &'w mut Vec<u32>,
    next: u32,
    /// The last row, which the next may have the key of: key, record, and places and lines of all that have it.
    held: Option<Held>,
    duplicates: Vec<Duplicate>,
}

impl Writer<'_> {
    fn push(&mut self, row: Row<'_>, snapshot: &mut Additions<'_>) -> SyncResult<()> {
        if let Some((key, _, rows)) = &mut self.held
            && key == row.key
            && self.is_keyed
        {
            rows.push((row.place, row.line));
            return Ok(());
        }
        let mut held = self.release(snapshot)?;
        let ordinal = match &held {
            // Equal rows without keys are numbered: their keys differ in the last four bytes alone.
            Some((key, _, _)) if !self.is_keyed && is_numbered(key, row.key) => number_of(key).saturating_add(1),
            _ => 0,
        };
        let (key, record, rows) = held.get_or_insert_with(Default::default);
        key.clear();
        key.extend_from_slice(row.key);
        if !self.is_keyed {
            let start = key.len().saturating_sub(4);
            key.truncate(start);
            key.extend_from_slice(&ordinal.to_be_bytes());
        }
        record.clear();
        record.extend_from_slice(row.record);
        rows.clear();
        rows.push((row.place, row.line));
        self.held = held;
        Ok(())
    }

    /// Writes the row that is held and returns it for use again.
    fn release(&mut self, snapshot: &mut Additions<'_>) -> SyncResult<Option<Held>> {
        let Some((key, record, rows)) = self.held.take() else {
            return Ok(None);
        };
        if let [(row, _)] = rows.as_slice() {
            snapshot
                .push(&key, &record)
                .map_err(|error| other("recording a snapshot", error))?;
            if let Some(rank) = self.ranks.get_mut(*row as usize) {
                *rank = self.next;
            }
            self.next += 1;
        } else {
            self.duplicates.push(Duplicate {
                record: record.clone(),
                lines: rows.iter().map(|(_, line)| *line).collect(),
                rows: rows.iter().map(|(row, _)| *row as usize).collect(),
            });
        }
        Ok(Some((key, record, rows)))
    }
}

fn is_numbered(key: &[u8], other: &[u8]) -> bool {
    let stem = |key: &[u8]| {
        key.len()
            .checked_sub(4)
            .and_then(|end| key.get(..end).map(<[u8]>::to_vec))
    };
    stem(key) == stem(other)
}

fn number_of(key: &[u8]) -> u32 {
    key.last_chunk().copied().map_or(0, u32::from_be_bytes)
}
