//! Which records the new items of a source are.

use std::collections::{BTreeSet, HashMap};

use super::directory::{Directory, Identities, KeyList, Rank, Taken};
use super::identity::{By, KeyMaker};
use super::intake::shown_as;
use super::lookup::Answers;
use super::work::Work;
use super::{SyncResult, other};
use crate::delta::{Entry, State};
use crate::model::contact::{align_new, identity_keys};
use crate::model::{Hash, RecordKey, Value, cbor};
use crate::source::{Fresh, ItemView, Scan, shape};
use crate::tree;

/// An item that is a record.
struct Match {
    number: u64,
    rank: Rank,
    by: By,
}

/// Which new items are records that exist.
#[derive(Default)]
pub(super) struct Recognised {
    /// In order of the numbers.
    matches: Vec<Match>,
    /// All keys of the state, those of aliases among them.
    keys: KeyList,
}

impl Recognised {
    /// Returns how many items were recognised.
    pub(super) fn len(&self) -> usize {
        self.matches.len()
    }

    /// Returns whether the state has an entry under a key.
    pub(super) fn has(&self, key: &RecordKey) -> bool {
        self.keys.rank(key.bytes()).is_some()
    }

    /// Looks up the records that were recognised.
    pub(super) fn records<'o>(&self, work: &Work<'o>, state: &State) -> SyncResult<Records<'_, 'o>> {
        let asked = self.matches.iter();
        let asked = asked.map(|found| (self.keys.bytes(found.rank), found.number)).collect();
        Ok(Records {
            matches: self.matches.iter(),
            keys: &self.keys,
            answers: Answers::find(work.objects, &state.content, asked)?,
        })
    }
}

/// The records that new items are, in order of the items.
pub(super) struct Records<'r, 'o> {
    matches: std::slice::Iter<'r, Match>,
    keys: &'r KeyList,
    answers: Answers<'o>,
}

impl Records<'_, '_> {
    /// Returns the record that an item is, and by what it was recognised. Numbers must ascend.
    pub(super) fn take(&mut self, number: u64) -> SyncResult<Option<(RecordKey, By, Value)>> {
        while let Some(next) = self.matches.as_slice().first().filter(|next| next.number <= number) {
            self.matches.next();
            if next.number == number {
                let found = self.answers.take(number)?;
                let key = self.keys.key(next.rank);
                return Ok(key.zip(found).map(|(key, found)| (key, next.by, found.record)));
            }
        }
        Ok(None)
    }
}

/// Finds the records that new items are.
pub(super) fn recognise(
    work: &Work<'_>,
    state: State,
    scan: &Scan,
    mine: &BTreeSet<RecordKey>,
    first_import: bool,
) -> SyncResult<Recognised> {
    if state.content == tree::empty_root() {
        return Ok(Recognised::default());
    }
    let directory = Directory::read(work.objects, &state.content, &|key| !mine.contains(key))?;
    let mut numbers = Vec::with_capacity(scan.fresh.len());
    let mut new = Identities::default();
    let mut matched: Vec<Option<(Rank, By)>> = Vec::with_capacity(scan.fresh.len());
    let mut ordinals = HashMap::new();
    for fresh in scan.fresh.iter() {
        let mut fresh = fresh.map_err(|error| other("reading new items", error))?;
        let mut keys = identity_keys(&fresh.parsed.record);
        keys.uid.clone_from(&fresh.parsed.native_id);
        new.push(Some(&keys))?;
        matched.push(if first_import && keys.uid.is_none() {
            by_content(&directory, &new, &mut fresh, &mut ordinals)
        } else {
            None
        });
        numbers.push(fresh.number);
    }
    directory.match_all(&|at| new.get(at), &mut matched, &|_, _| Ok(false))?;
    if matched.iter().any(Option::is_none) {
        by_look(work, &state, scan, &directory, &new, &mut matched)?;
    }
    let matches = numbers.into_iter().zip(matched);
    let matches = matches.filter_map(|(number, found)| found.map(|(rank, by)| Match { number, rank, by }));
    Ok(Recognised {
        matches: matches.collect(),
        keys: directory.keys,
    })
}

/// A list that another system imported already: its items without identity have the keys of their content. The item is
/// the last one of `new`.
///
/// `ordinals` counts how many items of each content were found.
fn by_content(
    directory: &Directory,
    new: &Identities,
    fresh: &mut Fresh,
    ordinals: &mut HashMap<Hash, u32>,
) -> Option<(Rank, By)> {
    let mut content = Vec::new();
    cbor::encode_map(&shown_first(fresh).view, &mut content);
    let hash = KeyMaker::content_hash(&content);
    let ordinal = ordinals.get(&hash).copied().unwrap_or(0);
    let rank = directory.findable(KeyMaker::content_key(&hash, ordinal).bytes())?;
    let identity = new.get(new.len() - 1);
    if !identity.accepts(By::Content, &directory.identity(rank)) {
        return None;
    }
    ordinals.insert(hash, ordinal + 1);
    Some((rank, By::Content))
}

/// A new item that has namesakes among the records.
struct Namesake {
    /// Its place among the new items.
    at: usize,
    /// What it looks like.
    look: Hash,
    name: u64,
    file: String,
}

/// Several items and several records of one name: those that look the same in this format are the same, in order.
///
/// A list that is read again after its previous state was lost would else give every namesake twice.
fn by_look(
    work: &Work<'_>,
    state: &State,
    scan: &Scan,
    directory: &Directory,
    new: &Identities,
    matched: &mut [Option<(Rank, By)>],
) -> SyncResult<()> {
    let mut taken = Taken::new(directory);
    matched.iter().flatten().for_each(|(rank, _)| taken.take(*rank));
    let is_open = |at: usize| {
        let identity = new.get(at);
        matched.get(at).is_some_and(Option::is_none) && !identity.has_uid() && directory.has_namesake(&identity, &taken)
    };
    let open: Vec<bool> = (0..matched.len()).map(is_open).collect();
    if !open.contains(&true) {
        return Ok(());
    }
    let mut namesakes = Vec::new();
    for (at, fresh) in scan
        .fresh
        .iter()
        .enumerate()
        .filter(|(at, _)| open.get(*at) == Some(&true))
    {
        let mut fresh = fresh.map_err(|error| other("reading new items", error))?;
        if let Some(name) = new.get(at).name_hash().filter(|_| scan.open.contains_key(&fresh.file)) {
            namesakes.push(Namesake {
                at,
                look: shape(&shown_first(&mut fresh).view),
                name,
                file: fresh.file,
            });
        }
    }
    let looks = looks(work, state, scan, directory, &namesakes, &taken)?;
    for item in namesakes {
        let identity = new.get(item.at);
        let from = looks.partition_point(|(look, _)| *look < item.look);
        let alike = looks.get(from..).unwrap_or_default().iter();
        let mut alike = alike.take_while(|(look, _)| *look == item.look).map(|(_, rank)| *rank);
        let fits = |rank: &Rank| !taken.has(*rank) && identity.accepts(By::Name, &directory.identity(*rank));
        if let (Some(rank), Some(matched)) = (alike.find(fits), matched.get_mut(item.at)) {
            taken.take(rank);
            *matched = Some((rank, By::Content));
        }
    }
    Ok(())
}

/// Lists what the records that have the names of some items look like in the files of these, sorted.
fn looks(
    work: &Work<'_>,
    state: &State,
    scan: &Scan,
    directory: &Directory,
    namesakes: &[Namesake],
    taken: &Taken,
) -> SyncResult<Vec<(Hash, Rank)>> {
    let mut files: HashMap<u64, &str> = HashMap::new();
    for item in namesakes {
        files.entry(item.name).or_insert(&item.file);
    }
    let mut looks = Vec::new();
    let mut finder = tree::Finder::new(work.objects, &state.content);
    for rank in directory.findable_ranks().filter(|rank| !taken.has(*rank)) {
        let name = directory.identity(rank).name_hash();
        let file = name
            .and_then(|name| files.get(&name))
            .and_then(|file| scan.open.get(*file));
        let Some((_, document)) = file else { continue };
        let bytes = finder
            .find(directory.keys.bytes(rank))
            .map_err(|error| other("reading records", error))?;
        if let Some(Ok(Entry::Record(record))) = bytes.map(Entry::decode) {
            looks.push((shape(&shown_as(work, document.as_ref(), &record)?.view), rank));
        }
    }
    looks.sort_unstable();
    Ok(looks)
}

/// Returns what a new item shows; its record is taken for that.
pub(super) fn shown_first(fresh: &mut Fresh) -> ItemView {
    let record = std::mem::replace(&mut fresh.parsed.record, Value::Null);
    let (view, bindings) = align_new(record);
    ItemView {
        view,
        bindings,
        ..ItemView::default()
    }
}
