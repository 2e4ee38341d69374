//! Rows without keys: which of the rows that are new is one that went.
//!
//! By equal content, then by the only similar one, then by being the only row between two neighbours that stayed; else
//! one row went and another one came.

use std::collections::BTreeMap;

use super::edits::decode;
use super::gather::{Examined, Gathered, Gatherer, Which};
use super::judge::Judge;
use super::known::{Exception, Exceptions};
use super::lens::{Lens, row_edits};
use super::ranks::narrow;
use crate::delta::State;
use crate::model::row::{SCHEMA_KEY, key};
use crate::model::{Map, RecordKey, Value, cbor};
use crate::source::table::{Matching, NO_RANK, Prints, Table};
use crate::sync::{SyncResult, other};
use crate::tree;

/// How many pairs of rows are compared for likeness (chosen: beyond, a table was rewritten rather than edited).
const MAX_PAIRS: usize = 1_000_000;

/// A record of the base that no row shows.
struct Lost {
    rank: u32,
    key: Vec<u8>,
    base: Vec<u8>,
    shown: Map,
}

/// Gathers a table without keys whose fingerprints are not known: its rows are joined with the base's records.
pub(super) fn gather(
    gatherer: &mut Gatherer<'_>,
    table: &dyn Table,
    lens: &Lens,
    base: &State,
    exceptions: &Exceptions,
    seed: u64,
) -> SyncResult<Gathered> {
    let objects = gatherer.work.objects;
    let mut former = Prints {
        seed,
        ..Prints::default()
    };
    for (rank, entry) in tree::iter(objects, &base.content).enumerate() {
        let (key, record) = entry.map_err(|error| other("reading records", error))?;
        let exception = if exceptions.is_empty() {
            None
        } else {
            RecordKey::new(key.clone()).and_then(|key| exceptions.get(&key))
        };
        let shown = match exception {
            _ if key == SCHEMA_KEY => continue,
            Some(Exception::Missing | Exception::SetAside(_)) => continue,
            Some(Exception::Shows(_, shown)) => encoded(shown),
            None => encoded(&lens.shown(objects, table, &Value::Map(decode(&record)?))?),
        };
        former.hashes.push(former.fingerprint(&shown));
        former.ranks.push(narrow(rank as u64));
    }
    let mut matching = Matching::new(&former);
    let mut places: Vec<usize> = Vec::new();
    let mut record = Vec::new();
    let mut gathered = gatherer.each(table, seed, &mut |this, row, line, _| {
        record.clear();
        this.encoder.record_into(&mut record);
        places.push(row);
        matching
            .row(&record, line)
            .map_err(|error| other("comparing rows", error))
    })?;
    let joined = matching.finish();
    let rank_of = |row: u32| former.ranks.get(row as usize).copied().unwrap_or(NO_RANK);
    for (at, row) in joined.before.iter().zip(&places) {
        if let Some(rank) = gathered.ranks.get_mut(*row).filter(|_| *at != NO_RANK) {
            *rank = rank_of(*at);
        }
    }
    let mut unknown = Vec::new();
    for row in joined.unknown_rows() {
        let (row, record) = row.map_err(|error| other("comparing rows", error))?;
        unknown.extend(places.get(row.row).map(|place| Examined {
            row: *place,
            line: row.line,
            key: Vec::new(),
            record,
        }));
    }
    gathered.rows = Which::Changes {
        unknown,
        vanished: joined.vanished.into_iter().map(rank_of).collect(),
        before: Vec::new(),
        former: Vec::new(),
    };
    Ok(gathered)
}

/// Returns the bytes of what a row shows.
pub(super) fn encoded(map: &Map) -> Vec<u8> {
    let mut bytes = Vec::new();
    cbor::encode_map(map, &mut bytes);
    bytes
}

/// Judges the rows of a table without keys.
pub(super) fn judge(
    judge: &mut Judge<'_, '_>,
    unknown: Vec<Examined>,
    vanished: &[u32],
    before: &[u32],
    former: &[u32],
) -> SyncResult<()> {
    let mut lost: Vec<Option<Lost>> = Vec::new();
    for rank in vanished {
        let Some((key, base)) = judge.at_rank(*rank)? else {
            continue;
        };
        let exception = RecordKey::new(key.clone()).and_then(|key| judge.edits.exceptions.get(&key).cloned());
        let shown = if let Some(Exception::Shows(_, shown) | Exception::SetAside(Some((_, shown)))) = exception {
            shown
        } else {
            let record = Value::Map(decode(&base)?);
            judge
                .edits
                .lens
                .shown(judge.edits.work.objects, judge.edits.table, &record)?
        };
        lost.push(Some(Lost {
            rank: *rank,
            key,
            base,
            shown,
        }));
    }
    let mut rows: Vec<Option<(Examined, Map)>> = Vec::new();
    for row in unknown {
        let map = decode(&row.record)?;
        rows.push(Some((row, map)));
    }
    for (row, at) in equal(&rows, &lost) {
        join(judge, &mut rows, &mut lost, row, at)?;
    }
    for (row, at) in alike(&rows, &lost) {
        join(judge, &mut rows, &mut lost, row, at)?;
    }
    for (row, at) in between(&rows, &lost, before, former) {
        join(judge, &mut rows, &mut lost, row, at)?;
    }
    for lost in lost.into_iter().flatten() {
        judge.gone(&lost.key, &lost.base, lost.rank, false)?;
    }
    for (mut row, _) in rows.into_iter().flatten() {
        row.key = fresh_key(judge, &row.record)?;
        let standing = judge.edits.present(&row.key, &row.record, None)?;
        judge.place(&row, standing, None);
    }
    judge.no_longer_set_aside(&|_| false)
}

/// One row is one record of the base.
fn join(
    judge: &mut Judge<'_, '_>,
    rows: &mut [Option<(Examined, Map)>],
    lost: &mut [Option<Lost>],
    row: usize,
    at: usize,
) -> SyncResult<()> {
    if !(rows.get(row).is_some_and(Option::is_some) && lost.get(at).is_some_and(Option::is_some)) {
        return Ok(());
    }
    let (Some(row), Some(lost)) = (
        rows.get_mut(row).and_then(Option::take),
        lost.get_mut(at).and_then(Option::take),
    ) else {
        return Ok(());
    };
    let (mut row, _) = row;
    row.key.clone_from(&lost.key);
    let standing = judge.edits.present(&lost.key, &row.record, Some(&lost.base))?;
    judge.place(&row, standing, Some(lost.rank));
    Ok(())
}

/// Makes the key of a new row: from its content at the first sight of a table, where two systems must agree, else random.
fn fresh_key(judge: &Judge<'_, '_>, record: &[u8]) -> SyncResult<Vec<u8>> {
    let edits = &judge.edits;
    let is_used = |key: &[u8]| -> SyncResult<bool> {
        let there = tree::get(edits.work.objects, &judge.base.content, key)
            .map_err(|error| other("reading a record", error))?;
        Ok(there.is_some() || judge.added.contains_key(key))
    };
    if edits.is_first_sight {
        for ordinal in 0..u32::MAX {
            let key = key::of_content(record, ordinal);
            if !is_used(&key)? {
                return Ok(key);
            }
        }
    }
    loop {
        let mut bytes = [0; 16];
        (edits.work.env.random)(&mut bytes);
        let key = key::of_random(bytes);
        if !is_used(&key)? {
            return Ok(key);
        }
    }
}

/// Pairs rows and lost records of equal content, in their order.
fn equal(rows: &[Option<(Examined, Map)>], lost: &[Option<Lost>]) -> Vec<(usize, usize)> {
    let mut by_content: BTreeMap<Vec<u8>, Vec<usize>> = BTreeMap::new();
    for (at, lost) in lost.iter().enumerate().rev() {
        let content = lost.as_ref().map(|lost| encoded(&lost.shown)).unwrap_or_default();
        by_content.entry(content).or_default().push(at);
    }
    let mut pairs = Vec::new();
    for (at, row) in rows.iter().enumerate() {
        let Some((row, _)) = row else { continue };
        if let Some(lost) = by_content.get_mut(&row.record).and_then(Vec::pop) {
            pairs.push((at, lost));
        }
    }
    pairs
}

/// Pairs rows with the only lost record that has at least half of their columns, where that is mutual.
fn alike(rows: &[Option<(Examined, Map)>], lost: &[Option<Lost>]) -> Vec<(usize, usize)> {
    let count = |list: &mut dyn Iterator<Item = bool>| list.filter(|there| *there).count();
    let pairs = count(&mut rows.iter().map(Option::is_some)) * count(&mut lost.iter().map(Option::is_some));
    if pairs == 0 || pairs > MAX_PAIRS {
        return Vec::new();
    }
    let best_of = |row: &Map| {
        only_best(
            lost.iter()
                .map(|lost| lost.as_ref().map_or(0, |lost| likeness(row, &lost.shown))),
        )
    };
    let best_for = |was: &Map| {
        only_best(
            rows.iter()
                .map(|row| row.as_ref().map_or(0, |(_, row)| likeness(row, was))),
        )
    };
    let mut found = Vec::new();
    for (at, row) in rows.iter().enumerate() {
        let Some((_, map)) = row else { continue };
        if let Some(other) = best_of(map)
            && let Some(Some(lost)) = lost.get(other)
            && best_for(&lost.shown) == Some(at)
        {
            found.push((at, other));
        }
    }
    found
}

/// Counts equal columns; 0 where fewer than half are.
fn likeness(row: &Map, was: &Map) -> usize {
    let columns = row.len().max(was.len());
    let differing = row_edits(was, row).len();
    let equal = columns.saturating_sub(differing);
    if equal * 2 >= columns { equal } else { 0 }
}

/// Returns the place of the greatest number if there is only one of it.
fn only_best(scores: impl Iterator<Item = usize>) -> Option<usize> {
    let mut best = (0, None);
    for (at, score) in scores.enumerate() {
        if score > best.0 {
            best = (score, Some(at));
        } else if score == best.0 {
            best.1 = None;
        }
    }
    best.1
}

/// Pairs a row that stands alone between two known rows with the only one that stood between them before.
fn between(
    rows: &[Option<(Examined, Map)>],
    lost: &[Option<Lost>],
    before: &[u32],
    former: &[u32],
) -> Vec<(usize, usize)> {
    let mut pairs = Vec::new();
    let last = narrow(former.len() as u64);
    let by_rank: BTreeMap<u32, usize> = lost
        .iter()
        .enumerate()
        .filter_map(|(at, lost)| Some((lost.as_ref()?.rank, at)))
        .collect();
    for (at, row) in rows.iter().enumerate() {
        let Some((row, _)) = row else { continue };
        if before.is_empty() {
            return pairs;
        }
        let known = |place: Option<usize>, edge: Option<u32>| match place.and_then(|place| before.get(place)) {
            Some(known) => Some(*known).filter(|known| *known != NO_RANK),
            None => edge,
        };
        let next = known(Some(row.row + 1), Some(last));
        let gap = match row.row.checked_sub(1) {
            None => Some(0),
            Some(place) => known(Some(place), None).map(|known| known + 1),
        };
        let (Some(gap), Some(next)) = (gap, next) else { continue };
        let other = former.get(gap as usize).and_then(|rank| by_rank.get(rank).copied());
        if let Some(other) = other.filter(|_| next == gap + 1) {
            pairs.push((at, other));
        }
    }
    pairs
}
