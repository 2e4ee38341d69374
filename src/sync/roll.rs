//! Rolling: the log of a remote, folded into a base, and what may be deleted for it.
//!
//! A base has the whole history up to a number of each replica's log, in few objects, so that a newcomer reads it and
//! what came after. It takes nothing away by itself. Whoever wrote a log object deletes it, and only when a base that
//! covers it was read back whole and every system that writes has found it right.

use std::collections::{BTreeMap, BTreeSet};

use super::exchange::{Cutter, News, each_carried, missing, remote_error, remote_view};
use super::fetch::{Adopted, adopt, is_here, retire, store_objects};
use super::report::Traffic;
use super::work::Work;
use super::{SyncError, SyncResult, other};
use crate::delta::Snapshot;
use crate::model::{Domain, Hash, ReplicaId, SnapshotId};
use crate::remote::{BaseName, CollectionHeads, Listing, LogName, LogObject, Part, Remote, RemoteError};
use crate::store::{BaseView, RemoteView};
use crate::tree;

/// How many log objects that no base covers make a sync roll by itself (chosen: a listing of them takes less than a
/// second with any server, and reading them one by one on a line of 50 ms takes seconds).
const ROLL_OBJECTS: usize = 256;
/// How many more for each system that would do it before this one, so that not all do it at once.
const ROLL_OBJECTS_PER_SYSTEM: usize = 32;
/// A base is written anew when the objects after it have at least this part of its bytes, or there are very many:
/// so writing all bases ever takes a few times what the last of them takes.
const ROLL_SHARE: u64 = 4;
/// How many objects that is.
const ROLL_OBJECTS_AT_MOST: usize = 4096;

/// Per replica a number in its log.
type Numbers = BTreeMap<ReplicaId, u64>;

fn at(numbers: &Numbers, replica: &ReplicaId) -> u64 {
    numbers.get(replica).copied().unwrap_or(0)
}

fn has_no_history(work: &Work<'_>) -> bool {
    work.view
        .collections
        .values()
        .all(|collection| collection.heads.is_empty())
}

/// Returns whether `covers` reaches every number of `numbers`.
fn reaches(covers: &Numbers, numbers: &Numbers) -> bool {
    numbers.iter().all(|(replica, number)| at(covers, replica) >= *number)
}

/// Takes note of what an object of another replica tells besides changes.
pub(super) fn hear(view: &mut RemoteView, object: &LogObject) {
    if !object.acknowledged.is_empty() {
        view.acknowledged.insert(object.replica, object.acknowledged.clone());
    }
    for (replica, number) in &object.forgotten {
        let known = view.forgotten.entry(*replica).or_default();
        *known = (*known).max(*number);
    }
    view.retired.extend(&object.predecessors);
}

/// Returns whether the others do not wait for this system any more; then it goes on under a new replica id.
pub(super) fn meet_own_end(work: &mut Work<'_>, name: &str, remote: &Remote) -> bool {
    let is_forgotten = remote_view(work, name, remote)
        .forgotten
        .contains_key(&work.view.replica);
    if is_forgotten {
        retire(work);
    }
    is_forgotten
}

/// Reads which bases there are: the last part of each, once.
pub(super) fn learn(work: &mut Work<'_>, name: &str, remote: &Remote, listing: &Listing) {
    let mut view = remote_view(work, name, remote);
    let before = view.bases.clone();
    let listed: BTreeSet<String> = listing.base_bytes.keys().map(ToString::to_string).collect();
    view.bases.retain(|base, _| listed.contains(base));
    for numbers in listing.bases.values() {
        let mut pieces: BTreeSet<String> = BTreeSet::new();
        // The last part of a base has the highest number of its parts, so that none of the others need be read.
        for base in numbers.values().rev().flatten() {
            let text = base.to_string();
            if !view.bases.contains_key(&text) && !pieces.contains(&text) {
                match remote.read_base(base) {
                    Ok(object) => view.bases.insert(text.clone(), end_of_base(object)),
                    // What is torn, damaged or of a newer program is no base for anybody; the logs are still there.
                    Err(error) if error.is_temporary() => continue,
                    Err(_) => view.bases.insert(text.clone(), None),
                };
            }
            if let Some(Some(known)) = view.bases.get(&text) {
                pieces.extend(known.pieces.iter().cloned());
            }
        }
    }
    if view.bases != before {
        work.view.remotes.insert(name.to_owned(), view);
    }
}

/// Returns what the last part of a base says; `None` for another part.
fn end_of_base(object: LogObject) -> Option<BaseView> {
    let pieces = match object.part {
        Part::Whole => Vec::new(),
        Part::Last { pieces } => pieces,
        Part::Piece { .. } => return None,
    };
    let heads = object.collections.into_iter();
    Some(BaseView {
        covers: object.seen,
        heads: heads.map(|collection| (collection.name, collection.heads)).collect(),
        pieces: pieces.into_iter().map(|piece| BaseName(piece).to_string()).collect(),
        whole: false,
    })
}

/// Takes in bases where the logs have not all that is needed any more, or nothing is known here yet; returns whether any
/// was. The next objects of `unreadable` are there, but cannot be read.
pub(super) fn catch_up(
    work: &mut Work<'_>,
    (name, remote): (&str, &Remote),
    listing: &Listing,
    unreadable: &BTreeSet<ReplicaId>,
    traffic: &mut Traffic,
) -> SyncResult<bool> {
    let mut any = false;
    let mut torn: BTreeSet<String> = BTreeSet::new();
    // Each base that is taken in raises a number, so this ends.
    loop {
        let view = remote_view(work, name, remote);
        let own = work.view.replica;
        let next = |replica: &ReplicaId| at(&view.seen, replica) + 1;
        let others = listing.logs.iter().filter(|(replica, _)| **replica != own);
        let gaps: Vec<(ReplicaId, u64)> = others
            .filter(|(replica, log)| {
                let is_lacking = !log.contains_key(&next(replica)) || unreadable.contains(replica);
                is_lacking && log.range(next(replica)..).next().is_some()
            })
            .map(|(replica, _)| (*replica, next(replica)))
            .collect();
        let knows_nothing = view.seen.is_empty() && has_no_history(work);
        let gain = |base: &BaseView| -> u64 {
            let fills = gaps
                .iter()
                .any(|(replica, number)| at(&base.covers, replica) >= *number);
            let others = base.covers.iter().filter(|(replica, _)| **replica != own);
            let more = others.map(|(replica, number)| number.saturating_sub(at(&view.seen, replica)));
            if fills || knows_nothing { more.sum() } else { 0 }
        };
        let bases = view.bases.iter().filter(|(base, _)| !torn.contains(*base));
        let bases = bases.filter_map(|(base, known)| Some((base, known.as_ref()?)));
        let best = bases
            .map(|(base, known)| (gain(known), base, known))
            .max_by_key(|(gain, ..)| *gain);
        let Some((_, base, known)) = best.filter(|(gain, ..)| *gain > 0) else {
            return Ok(any);
        };
        if !take_in(work, (base, known), (name, remote), listing, traffic)? {
            torn.insert(base.clone());
            continue;
        }
        any = true;
        let mut view = remote_view(work, name, remote);
        for (replica, number) in known.covers.iter().filter(|(replica, _)| **replica != own) {
            let seen = view.seen.entry(*replica).or_default();
            *seen = (*seen).max(*number);
        }
        for (collection, heads) in &known.heads {
            let pushed = view.pushed.entry(collection.clone()).or_default();
            pushed.extend_from_slice(heads);
            let heads = work.history.heads_of(pushed);
            *pushed = heads.map_err(|error| other("finding the heads", error))?;
        }
        work.view.remotes.insert(name.to_owned(), view);
    }
}

/// Calls `each` with the parts of a base, in order; returns the name of one that is torn, at which it ends.
fn each_part(
    base: &str,
    known: &BaseView,
    remote: &Remote,
    name: &str,
    each: &mut dyn FnMut(&BaseName, LogObject) -> SyncResult<()>,
) -> SyncResult<Option<String>> {
    let damaged = |what: &str| SyncError::Damaged(format!("`{base}` on remote `{name}`: {what}"));
    let count = u32::try_from(known.pieces.len() + 1).unwrap_or(u32::MAX);
    for (number, text) in (1..).zip(known.pieces.iter().map(String::as_str).chain([base])) {
        let part = BaseName::parse(text).ok_or_else(|| damaged("it names a part that cannot be"))?;
        let object = match remote.read_base(&part) {
            Err(RemoteError::Torn { name }) => return Ok(Some(name)),
            result => result.map_err(|error| remote_error(name, error))?,
        };
        if number < count && object.part != (Part::Piece { number, count }) {
            return Err(damaged(&format!("`{text}` is another part than it says")));
        }
        each(&part, object)?;
    }
    Ok(None)
}

/// Takes a base in; returns whether all of its parts are there.
fn take_in(
    work: &mut Work<'_>,
    (base, known): (&str, &BaseView),
    (name, remote): (&str, &Remote),
    listing: &Listing,
    traffic: &mut Traffic,
) -> SyncResult<bool> {
    let mut snapshots = Vec::new();
    let parts = known.pieces.len() as u64 + 1;
    work.env
        .progress
        .start(&format!("reading a base of {name}"), Some(parts));
    let mut done = 0;
    let torn = each_part(base, known, remote, name, &mut |part, object| {
        snapshots.extend(store_objects(work.objects, &object)?);
        traffic.packs += 1;
        traffic.bytes += listing.base_bytes.get(part).copied().unwrap_or(0);
        done += 1;
        work.env.progress.at(done);
        Ok(())
    })?;
    work.env.progress.finish();
    if torn.is_some() {
        return Ok(false);
    }
    let damaged = |what: &dyn std::fmt::Display| SyncError::Damaged(format!("`{base}` on remote `{name}`: {what}"));
    for (collection, heads) in &known.heads {
        for head in heads {
            let is_here = snapshots.contains(head) || is_here(work, &work.heads(collection), head);
            if !is_here {
                return Err(damaged(&format!("it lacks snapshot {}", head.short())));
            }
        }
    }
    let is_first = has_no_history(work);
    if is_first {
        traffic.transactions += adopt_whole(work, known, &snapshots).map_err(|error| damaged(&super::chain(&error)))?;
        return Ok(true);
    }
    let mut new = Vec::new();
    let mut proved: BTreeSet<SnapshotId> = BTreeSet::new();
    for collection in work.view.collections.values() {
        for step in work.history.ancestors(&collection.heads) {
            proved.insert(step.map_err(|error| other("reading the history", error))?.0);
        }
    }
    new.extend(snapshots.into_iter().filter(|id| !proved.contains(id)));
    match adopt(work, &new, base)? {
        Adopted::All(transactions) => {
            traffic.transactions += transactions;
            Ok(true)
        }
        Adopted::Waiting(parent) => Err(damaged(&format!("it lacks snapshot {}", parent.short()))),
    }
}

/// Makes the history of a base the one of a store that has none.
///
/// The states that it leads to come with it, and each node of them is checked; what each snapshot changed is proved only
/// when a state before is asked for. That somebody who had all of it found it right is what the base's being
/// acknowledged says.
fn adopt_whole(work: &mut Work<'_>, known: &BaseView, snapshots: &[SnapshotId]) -> SyncResult<u64> {
    let wrong = |id: &SnapshotId, what: &str| Err(SyncError::Damaged(format!("snapshot {}: {what}", id.short())));
    let read = |id: &SnapshotId| Snapshot::read(work.objects, id).map_err(|error| other("reading a snapshot", error));
    let mut all: BTreeMap<SnapshotId, Snapshot> = BTreeMap::new();
    for id in snapshots {
        all.insert(*id, read(id)?);
    }
    let mut transactions: u64 = 0;
    for (id, snapshot) in &all {
        let mut generation = 0;
        for parent in &snapshot.parents {
            let Some(parent) = all.get(parent) else {
                return wrong(id, "one of its parents is missing");
            };
            if (&parent.collection, parent.kind) != (&snapshot.collection, snapshot.kind) {
                return wrong(id, "it belongs to another collection than its parent");
            }
            generation = generation.max(parent.generation);
        }
        if generation.checked_add(1) != Some(snapshot.generation) {
            return wrong(id, "its generation is not one more than its parents'");
        }
        transactions = transactions.saturating_add(snapshot.counts.total());
    }
    each_needed(work, &known.heads, &mut |_, id| {
        if work.objects.contains(&id) {
            return Ok(());
        }
        Err(SyncError::Damaged(format!("object {id} of its history is missing")))
    })?;
    for (name, heads) in &known.heads {
        let mut kind = None;
        for head in heads {
            let Some(snapshot) = all.get(head).filter(|snapshot| snapshot.collection == *name) else {
                return wrong(head, "it is named as head of another collection");
            };
            let verify = |root| tree::verify(work.objects, root).map_err(|error| other("checking a state", error));
            if verify(&snapshot.result.content)? != snapshot.records {
                return wrong(head, "it counts other records than it holds");
            }
            verify(&snapshot.result.conflicts)?;
            kind = Some(snapshot.kind);
        }
        if let Some(kind) = kind {
            work.add_heads(name, kind, heads)?;
            work.share(name, heads)?;
        }
    }
    Ok(transactions)
}

/// Acknowledges the greatest base that covers nothing but what is known here, and all that this system has sent.
pub(super) fn acknowledge(work: &mut Work<'_>, name: &str, remote: &Remote) -> SyncResult<()> {
    let mut view = remote_view(work, name, remote);
    let own = work.view.replica;
    let newest = view.next_sequence.saturating_sub(1);
    let mut known = view.seen.clone();
    known.insert(own, newest);
    let mut best = view.acknowledged.get(&own).cloned().unwrap_or_default();
    let before = best.clone();
    for base in view.bases.values().flatten() {
        let is_more = reaches(&base.covers, &best) && base.covers != best;
        let is_known = reaches(&known, &base.covers) && at(&base.covers, &own) == newest;
        if is_more && is_known && has_all_sent(work, &view, base)? {
            best.clone_from(&base.covers);
        }
    }
    if best != before {
        view.acknowledged.insert(own, best);
        work.view.remotes.insert(name.to_owned(), view);
    }
    Ok(())
}

/// Returns whether a base's heads are known here and have all that our own objects told in their history.
fn has_all_sent(work: &Work<'_>, view: &RemoteView, base: &BaseView) -> SyncResult<bool> {
    for (collection, heads) in &base.heads {
        let here = work.heads(collection);
        if !heads.iter().all(|head| is_here(work, &here, head)) {
            return Ok(false);
        }
    }
    for (collection, sent) in &view.sent {
        let none = Vec::new();
        let heads = base.heads.get(collection).unwrap_or(&none);
        if !missing(work, heads, sent)?.is_empty() {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Returns who is waited for: who writes, and was neither forgotten nor goes on under another id.
fn live(view: &RemoteView, listing: &Listing) -> BTreeSet<ReplicaId> {
    let ids = listing.logs.keys().copied();
    ids.filter(|id| !view.forgotten.contains_key(id) && !view.retired.contains(id))
        .collect()
}

/// Returns up to which number of its log all who are waited for have acknowledged bases.
fn acknowledged_by_all(view: &RemoteView, listing: &Listing, owner: &ReplicaId) -> u64 {
    let of = |replica: &ReplicaId| view.acknowledged.get(replica).map_or(0, |covers| at(covers, owner));
    live(view, listing).iter().map(of).min().unwrap_or(0)
}

/// Returns what this system should tell although it has nothing else to send: an acknowledgement that something waits
/// for, or that somebody was forgotten.
pub(super) fn news(work: &Work<'_>, name: &str, remote: &Remote, listing: &Listing) -> Option<News> {
    let view = remote_view(work, name, remote);
    let own = work.view.replica;
    let news = News::of(&view, &own);
    let covered = listing.logs.iter().any(|(replica, log)| {
        let newest = log.last_key_value().map_or(0, |(number, _)| *number);
        log.keys()
            .any(|number| *number <= at(&news.acknowledged, replica) && *number < newest)
    });
    // Nobody waits for who never wrote.
    let is_writer = view.next_sequence > 1;
    (is_writer && covered || !news.forgotten.is_empty()).then_some(news)
}

/// Deletes what is not needed any more of what this system wrote, and of who was forgotten; returns how many objects.
///
/// A base that turns out damaged is left out from then on, and told in `damaged`.
pub(super) fn trim(
    work: &mut Work<'_>,
    (name, remote): (&str, &Remote),
    listing: &Listing,
    damaged: &mut Option<SyncError>,
) -> SyncResult<u64> {
    let view = remote_view(work, name, remote);
    let own = work.view.replica;
    let Some(mine) = view.acknowledged.get(&own) else {
        return Ok(0);
    };
    let owners: BTreeSet<ReplicaId> = [own]
        .into_iter()
        .chain(work.view.predecessors.iter().copied())
        .chain(view.forgotten.keys().copied())
        .collect();
    let mut doomed: Vec<LogName> = Vec::new();
    for owner in &owners {
        let Some(log) = listing.logs.get(owner) else { continue };
        let newest = log.last_key_value().map_or(0, |(number, _)| *number);
        let end = acknowledged_by_all(&view, listing, owner).min(newest.saturating_sub(1));
        doomed.extend(log.range(..=end).flat_map(|(_, names)| names));
    }
    let bases = obsolete_bases(&view, listing, &owners);
    if doomed.is_empty() && bases.is_empty() {
        return Ok(0);
    }
    let covering = view.bases.iter().find_map(|(base, known)| {
        let known = known.as_ref().filter(|known| known.covers == *mine)?;
        Some((base.clone(), known.clone()))
    });
    let Some((base, known)) = covering else {
        return Ok(0);
    };
    if !known.whole {
        let checked = match check_whole(work, &base, &known, remote, name) {
            Err(error @ SyncError::Damaged(_)) => Err(error),
            result => Ok(result?),
        };
        let mut view = remote_view(work, name, remote);
        let whole = BaseView {
            whole: true,
            ..known.clone()
        };
        view.bases.insert(base, checked.is_ok().then_some(whole));
        work.view.remotes.insert(name.to_owned(), view);
        if let Err(error) = checked {
            *damaged = Some(error);
            return Ok(0);
        }
    }
    let wrap = |error| remote_error(name, error);
    let mut deleted = 0;
    for log_name in doomed {
        // That a base has all of ours was seen before it was acknowledged.
        if log_name.replica != own {
            let object = remote.read(&log_name);
            if !object.is_ok_and(|object| is_in_base(work, &known, &object)) {
                continue;
            }
        }
        remote.delete(&log_name).map_err(wrap)?;
        deleted += 1;
    }
    for base in bases {
        remote.delete_base(&base).map_err(wrap)?;
        deleted += 1;
    }
    Ok(deleted)
}

/// Returns parts of bases of `owners` that a base acknowledged by all covers, and those that belong to none; the last
/// part of each before the others, so that nobody begins to read it.
fn obsolete_bases(view: &RemoteView, listing: &Listing, owners: &BTreeSet<ReplicaId>) -> Vec<BaseName> {
    let live = live(view, listing);
    let is_covered = |base: &BaseView| {
        let mut live = live.iter();
        live.all(|replica| {
            let acknowledged = view.acknowledged.get(replica);
            acknowledged.is_some_and(|numbers| *numbers != base.covers && reaches(numbers, &base.covers))
        })
    };
    let mut obsolete = Vec::new();
    for (owner, numbers) in listing.bases.iter().filter(|(owner, _)| owners.contains(owner)) {
        let of_owner = |text: &String| BaseName::parse(text).is_some_and(|name| name.0.replica == *owner);
        let whole = view
            .bases
            .iter()
            .filter(|(base, known)| of_owner(base) && known.is_some());
        let newest = whole
            .clone()
            .filter_map(|(base, _)| BaseName::parse(base))
            .map(|base| base.0.sequence)
            .max();
        let needed: BTreeSet<&String> = whole
            .filter_map(|(base, known)| {
                known
                    .as_ref()
                    .filter(|known| !is_covered(known))
                    .map(|known| (base, known))
            })
            .flat_map(|(base, known)| known.pieces.iter().chain([base]))
            .collect();
        // A part with a later number may be of a base that is being written.
        let mut parts: Vec<&BaseName> = numbers
            .range(..=newest.unwrap_or(0))
            .flat_map(|(_, names)| names)
            .collect();
        parts.retain(|part| !needed.contains(&part.to_string()));
        parts.sort_by_key(|part| !matches!(view.bases.get(&part.to_string()), Some(Some(_))));
        obsolete.extend(parts);
    }
    obsolete
}

/// Reads a base back and checks that it has all of the history that it names, and the states this leads to.
fn check_whole(work: &Work<'_>, base: &str, known: &BaseView, remote: &Remote, name: &str) -> SyncResult<()> {
    let mut there: BTreeSet<Hash> = BTreeSet::new();
    let torn = each_part(base, known, remote, name, &mut |_, object| {
        there.extend(object.objects.iter().map(|(domain, bytes)| Hash::of(*domain, bytes)));
        Ok(())
    })?;
    let damaged = |what: &str| {
        SyncError::Damaged(format!(
            "`{base}` on remote `{name}` {what}; nothing was deleted, `dsync roll {name}` writes another"
        ))
    };
    if let Some(torn) = torn {
        return Err(damaged(&format!("has a part that is torn, `{torn}`")));
    }
    each_needed(work, &known.heads, &mut |_, id| {
        if there.contains(&id) {
            return Ok(());
        }
        Err(damaged("lacks an object of the history that it names"))
    })?;
    Ok(())
}

/// Reads the newest base back, so that a damaged one is written anew.
pub(super) fn check_newest(work: &mut Work<'_>, name: &str, remote: &Remote) -> SyncResult<()> {
    let mut view = remote_view(work, name, remote);
    let bases = view
        .bases
        .iter()
        .filter_map(|(base, known)| Some((base, known.as_ref()?)));
    let newest = bases.max_by_key(|(_, known)| known.covers.values().sum::<u64>());
    let Some((base, known)) = newest.map(|(base, known)| (base.clone(), known.clone())) else {
        return Ok(());
    };
    let is_whole = match check_whole(work, &base, &known, remote, name) {
        Ok(()) => true,
        Err(SyncError::Damaged(_) | SyncError::Unreachable { .. }) => false,
        Err(error) => return Err(error),
    };
    let known = is_whole.then_some(BaseView { whole: true, ..known });
    view.bases.insert(base, known);
    work.view.remotes.insert(name.to_owned(), view);
    Ok(())
}

/// Calls `each` with the objects that a base has: the history of its heads, and the states these lead to.
fn each_needed(
    work: &Work<'_>,
    heads: &BTreeMap<String, Vec<SnapshotId>>,
    each: &mut dyn FnMut(Domain, Hash) -> SyncResult<()>,
) -> SyncResult<u64> {
    let mut transactions = 0;
    let mut known: BTreeSet<Hash> = BTreeSet::new();
    let mut each = |domain, id| if known.insert(id) { each(domain, id) } else { Ok(()) };
    for heads in heads.values() {
        for id in missing(work, &[], heads)? {
            transactions += each_carried(work, &id, &mut each)?;
        }
        for head in heads {
            let state = work
                .history
                .result(head)
                .map_err(|error| other("reading a state", error))?;
            for root in [state.content, state.conflicts] {
                let mut failure = None;
                let mut node = |domain, id: &Hash| {
                    if failure.is_none() {
                        failure = each(domain, *id).err();
                    }
                    Ok(())
                };
                let walked: Result<(), tree::TreeError> = tree::each_node(work.objects, &root, &mut node);
                walked.map_err(|error| other("reading a state", error))?;
                failure.map_or(Ok(()), Err)?;
            }
        }
    }
    Ok(transactions)
}

/// Returns whether what a log object of somebody else brought is in the history that a base has.
fn is_in_base(work: &Work<'_>, known: &BaseView, object: &LogObject) -> bool {
    let mut objects = object.objects.iter();
    objects.all(|(domain, bytes)| {
        if *domain != Domain::Snapshot {
            return true;
        }
        Snapshot::decode(bytes).is_ok_and(|snapshot| {
            let id = SnapshotId(Hash::of(*domain, bytes));
            let heads = known.heads.get(&snapshot.collection);
            heads.is_some_and(|heads| is_here(work, heads, &id))
        })
    })
}

/// A base that is to be written.
pub(super) struct BasePlan {
    objects: Vec<Vec<(Domain, Hash)>>,
    known: BaseView,
    first_number: u64,
    /// How many log objects it folds that no base folds yet.
    pub(super) folded: u64,
    /// How many replicas' logs they are of.
    pub(super) replicas: u64,
    /// How many changes it has.
    pub(super) transactions: u64,
}

/// Counts the log objects that no base covers: how many, of how many replicas, how many bytes.
fn uncovered(view: &RemoteView, own: &ReplicaId, listing: &Listing) -> (u64, u64, u64) {
    let mut limits = view.seen.clone();
    limits.insert(*own, view.next_sequence.saturating_sub(1));
    let (mut objects, mut replicas, mut bytes) = (0, 0, 0);
    for (replica, log) in &listing.logs {
        let bases = view.bases.values().flatten();
        let covered = bases.map(|base| at(&base.covers, replica)).max().unwrap_or(0);
        let end = at(&limits, replica);
        let mut any = false;
        let new = log.range(covered + 1..).take_while(|(number, _)| **number <= end);
        for name in new.flat_map(|(_, names)| names) {
            any = true;
            objects += 1;
            bytes += listing.length_bytes.get(name).copied().unwrap_or(0);
        }
        replicas += u64::from(any);
    }
    (objects, replicas, bytes)
}

/// Returns whether enough has come since the last base that this system writes a new one without being asked.
pub(super) fn is_due(work: &Work<'_>, name: &str, remote: &Remote, listing: &Listing) -> bool {
    let view = remote_view(work, name, remote);
    let own = work.view.replica;
    let (objects, _, bytes) = uncovered(&view, &own, listing);
    let before = live(&view, listing).range(..own).count();
    let objects = usize::try_from(objects).unwrap_or(usize::MAX);
    let newest = view.bases.iter().filter_map(|(base, known)| {
        let parts = known
            .as_ref()?
            .pieces
            .iter()
            .chain([base])
            .filter_map(|part| BaseName::parse(part));
        Some(parts.filter_map(|part| listing.base_bytes.get(&part)).sum::<u64>())
    });
    let base_bytes = newest.max().unwrap_or(0);
    view.next_sequence > 1
        && objects >= ROLL_OBJECTS + before * ROLL_OBJECTS_PER_SYSTEM
        && (bytes.saturating_mul(ROLL_SHARE) >= base_bytes || objects >= ROLL_OBJECTS_AT_MOST)
}

impl BasePlan {
    /// Plans a base of all that is known to be on the remote; `None` when the newest one has it all.
    pub(super) fn of(work: &Work<'_>, name: &str, remote: &Remote, listing: &Listing) -> SyncResult<Option<Self>> {
        let view = remote_view(work, name, remote);
        let own = work.view.replica;
        let (folded, replicas, _) = uncovered(&view, &own, listing);
        // Objects that only acknowledge bring nothing new.
        let has_all = view.bases.values().flatten().any(|base| base.heads == view.pushed);
        if folded == 0 || has_all {
            return Ok(None);
        }
        let mut covers: Numbers = view.seen.clone();
        covers.insert(own, view.next_sequence.saturating_sub(1));
        covers.retain(|_, number| *number > 0);
        let mut cutter = Cutter::new(work.env.part_bytes);
        let transactions = each_needed(work, &view.pushed, &mut |domain, id| {
            cutter.push((domain, id), work.objects.get(&id)?.len());
            Ok(())
        })?;
        let last = listing.bases.get(&own).and_then(|bases| bases.last_key_value());
        Ok(Some(Self {
            objects: cutter.parts,
            known: BaseView {
                covers,
                heads: view.pushed,
                ..BaseView::default()
            },
            first_number: last.map_or(1, |(number, _)| number + 1),
            folded,
            replicas,
            transactions,
        }))
    }

    /// Writes the parts, the last one at the end, and returns how many bytes that took.
    pub(super) fn write(mut self, work: &mut Work<'_>, name: &str, remote: &Remote) -> SyncResult<(u64, u64)> {
        let count = self.objects.len();
        let narrow = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        let mut pieces: Vec<LogName> = Vec::new();
        let mut bytes = 0;
        work.env
            .progress
            .start(&format!("folding the log of {name}"), Some(count as u64));
        for (at, ids) in std::mem::take(&mut self.objects).into_iter().enumerate() {
            work.env.progress.at(at as u64);
            let is_last = at + 1 == count;
            let mut objects = Vec::with_capacity(ids.len());
            for (domain, id) in ids {
                objects.push((domain, work.objects.get(&id)?.to_vec()));
            }
            let part = LogObject {
                replica: work.view.replica,
                sequence: self.first_number + at as u64,
                predecessors: Vec::new(),
                system: work.view.system.clone(),
                time: work.env.clock.now(),
                seen: if is_last {
                    self.known.covers.clone()
                } else {
                    Numbers::new()
                },
                acknowledged: Numbers::new(),
                forgotten: Numbers::new(),
                collections: if is_last { self.collections(work) } else { Vec::new() },
                part: match (count, is_last) {
                    (1, _) => Part::Whole,
                    (_, true) => Part::Last { pieces: pieces.clone() },
                    _ => Part::Piece {
                        number: narrow(at + 1),
                        count: narrow(count),
                    },
                },
                objects,
            };
            let wrap = |error| remote_error(name, error);
            let (base_name, sealed) = remote.prepare_base(&part).map_err(wrap)?;
            drop(part);
            remote.upload_base(&base_name, &sealed).map_err(wrap)?;
            bytes += sealed.len() as u64;
            pieces.push(base_name.0);
        }
        work.env.progress.finish();
        if let Some(last) = pieces.pop() {
            let pieces = pieces.into_iter().map(|piece| BaseName(piece).to_string());
            self.known.pieces = pieces.collect();
            let mut view = remote_view(work, name, remote);
            view.bases.insert(BaseName(last).to_string(), Some(self.known));
            work.view.remotes.insert(name.to_owned(), view);
        }
        acknowledge(work, name, remote)?;
        Ok((count as u64, bytes))
    }

    fn collections(&self, work: &Work<'_>) -> Vec<CollectionHeads> {
        let heads = self.known.heads.iter();
        heads
            .filter_map(|(name, heads)| {
                let kind = work.view.collections.get(name)?.kind.name().to_owned();
                Some(CollectionHeads {
                    name: name.clone(),
                    kind,
                    heads: heads.clone(),
                })
            })
            .collect()
    }
}
