//! What is in whose history.

use std::collections::{BTreeMap, BTreeSet};

use super::super::work::Work;
use super::super::{SyncError, SyncResult, other};
use super::out_of_place;
use super::transfer::Trouble;
use crate::model::SnapshotId;
use crate::remote::{MAX_ASKED, PeerLink, PeerMessage};

/// The most questions before a bound has to do (chosen: a line of 10^18 snapshots takes six).
const MOST_QUESTIONS: usize = 8;

/// Returns which of `ids` are in the history of this store's heads; what merely lies in the store is not.
pub(super) fn known_here(work: &Work<'_>, ids: &[SnapshotId]) -> SyncResult<BTreeSet<SnapshotId>> {
    let wrap = |error| other("reading the history", error);
    let mut wanted = BTreeSet::new();
    let mut floor = u32::MAX;
    for id in ids {
        // One that cannot be read is none of the history, which could be read before.
        if work.objects.contains(&id.0)
            && let Ok(snapshot) = work.history.snapshot(id)
        {
            floor = floor.min(snapshot.generation);
            wanted.insert(*id);
        }
    }
    let mut known = BTreeSet::new();
    let mut open: BTreeSet<(u32, SnapshotId)> = BTreeSet::new();
    if !wanted.is_empty() {
        for id in work.view.collections.values().flat_map(|view| &view.heads) {
            open.insert((work.history.snapshot(id).map_err(wrap)?.generation, *id));
        }
    }
    while let Some((generation, id)) = open.pop_last() {
        if generation < floor || wanted.is_empty() {
            break;
        }
        if wanted.remove(&id) {
            known.insert(id);
        }
        for parent in &work.history.snapshot(&id).map_err(wrap)?.parents {
            open.insert((work.history.snapshot(parent).map_err(wrap)?.generation, *parent));
        }
    }
    Ok(known)
}

/// Asks which of these snapshots of ours (parents first) the other side has, in few questions however many they are.
///
/// Whoever has a snapshot has all that it descends from, so a sample tells of many.
pub(super) fn known_there(
    work: &Work<'_>,
    link: &mut PeerLink,
    ours: &[SnapshotId],
) -> Result<BTreeSet<SnapshotId>, Trouble> {
    let mut answers: BTreeMap<SnapshotId, bool> = BTreeMap::new();
    for _ in 0..MOST_QUESTIONS {
        let open: Vec<SnapshotId> = ours.iter().filter(|id| !answers.contains_key(id)).copied().collect();
        if open.is_empty() {
            break;
        }
        let step = open.len().div_ceil(MAX_ASKED);
        // From the newest backwards, so that the newest is asked about for sure.
        let asked: Vec<SnapshotId> = open.iter().rev().step_by(step).copied().collect();
        let marks = ask(link, &asked)?;
        answers.extend(asked.into_iter().zip(marks));
        spread(work, ours, &mut answers)?;
    }
    Ok(answers
        .into_iter()
        .filter(|(_, known)| *known)
        .map(|(id, _)| id)
        .collect())
}

/// Asks one question.
fn ask(link: &mut PeerLink, ids: &[SnapshotId]) -> Result<Vec<bool>, Trouble> {
    link.send(&PeerMessage::Ask(ids.to_vec()))?;
    match link.receive()? {
        PeerMessage::Known(marks) if marks.0.len() == ids.len() => Ok(marks.0),
        message => out_of_place(&message),
    }
}

/// Draws the conclusions from answers: ancestors of what is known are known, descendants of what is not known are not.
fn spread(work: &Work<'_>, ours: &[SnapshotId], answers: &mut BTreeMap<SnapshotId, bool>) -> Result<(), SyncError> {
    let parents = |id: &SnapshotId| {
        let snapshot = work.history.snapshot(id);
        snapshot.map_err(|error| other("reading the history", error))
    };
    for id in ours {
        if parents(id)?
            .parents
            .iter()
            .any(|parent| answers.get(parent) == Some(&false))
        {
            answers.insert(*id, false);
        }
    }
    let ours_set: BTreeSet<&SnapshotId> = ours.iter().collect();
    for id in ours.iter().rev() {
        if answers.get(id) == Some(&true) {
            for parent in &parents(id)?.parents {
                if ours_set.contains(parent) {
                    answers.insert(*parent, true);
                }
            }
        }
    }
    Ok(())
}
