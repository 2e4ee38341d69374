//! Going back: undo of an operation, restoring a state. Nothing shared is rewritten: there, new snapshots put back.

use std::collections::{BTreeMap, BTreeSet};

use super::guard::is_mass_removal;
use super::look;
use super::operations::same_heads;
use super::report::SyncReport;
use super::repository::{Repository, Run};
use super::rollback;
use super::states::{Find, resolve_states};
use super::work::Work;
use super::{Overrides, Steps, SyncError, SyncOptions, SyncResult, other, source_error};
use crate::delta::{Delta, Entry, FieldOperation, Operation, State, Transaction, difference};
use crate::merge::settings_key;
use crate::model::contact::title;
use crate::model::{FieldPath, Hash, Kind, RecordKey, SnapshotId, Value};
use crate::source::{Index, IndexEdit, ItemEntry, ItemView, SourceError};
use crate::store::View;
use crate::tree;

impl Repository {
    /// Puts back what an operation changed, in the records, the sources and the configuration.
    ///
    /// What no other store can have leaves the history; the rest is put back by a snapshot as far as it still stands.
    pub fn undo(&mut self, operation: Option<&str>, options: &SyncOptions) -> SyncResult<SyncReport> {
        if !options.dry_run {
            self.begin()?;
        }
        let command = self.command_to_undo(operation)?;
        let short = command.id().map(|id| id.short()).unwrap_or_default();
        let before = command
            .undoable(&self.store)
            .map_err(|reason| SyncError::NotUndoable {
                operation: short.clone(),
                reason: reason.to_owned(),
            })?
            .clone();
        let (steps, after) = (&command.steps, command.after().unwrap_or(&before));
        let done = format!("took back {short} `{}`", command.words);
        let rehearsal = self.rehearse_undo(&before, steps, options.overrides)?;
        if options.dry_run {
            let mut report = rehearsal;
            report.done.push(done);
            return Ok(report);
        }
        self.guard_removal(&rehearsal, options)?;
        let mut read = SyncReport::default();
        if !same_heads(&before, after) {
            // What a person did since is taken in first, as an operation of its own: it stays.
            let steps = Steps {
                scan: true,
                fetch: false,
                apply: false,
                push: false,
            };
            let options = SyncOptions {
                overrides: options.overrides,
                ..SyncOptions::default()
            };
            read = self.perform(steps, &options)?;
            self.begin_operation();
        }
        let config = match (before.config, after.config) {
            (Some(old), new) if new != Some(old) => Some(self.config_text(&old)?),
            _ => None,
        };
        let mut work = self.reading();
        let kept = take_back(&mut work, &before, steps)?;
        let mut view = work.view;
        if let Some(text) = config {
            let config = self.config.with_text(text)?;
            for (name, source) in &before.sources {
                if config.source(name).is_ok() {
                    view.sources.entry(name.clone()).or_insert_with(|| source.clone());
                }
            }
            view.sources.retain(|name, _| config.source(name).is_ok());
            view.remotes.retain(|name, _| config.remote(name).is_ok());
            view.config = before.config;
            config.save(&self.env.disk)?;
            self.config = config;
        }
        let words = format!("{} ({short})", self.env.command);
        self.commit(view, &words)?;
        let mut report = self.apply_after(options.overrides)?;
        for source in read.sources {
            report.add_source(source);
        }
        report.unions.splice(0..0, read.unions);
        report.kept = kept;
        report.done.push(done);
        Ok(report)
    }

    fn rehearse_undo(&self, before: &View, steps: &[View], overrides: Overrides) -> SyncResult<SyncReport> {
        let scratch = self.store.scratch();
        let mut work = self.work(&scratch, self.store.view().clone());
        let mut run = Run::new(&work)?;
        run.report.dry_run = true;
        if !same_heads(before, steps.last().unwrap_or(before)) {
            let options = SyncOptions {
                overrides,
                ..SyncOptions::default()
            };
            run.scan(&mut work, self.config.sources(), &options)?;
            run.report.kept = take_back(&mut work, before, steps)?;
            run.forget_scan();
            for (_, plan) in run.plan_out(&work, self.config.sources())? {
                run.add_source(plan.into_report());
            }
        }
        run.finish(&work)
    }

    /// Refuses to remove most of a source's items without being asked for: a person's only copy may be among them.
    fn guard_removal(&self, rehearsal: &SyncReport, options: &SyncOptions) -> SyncResult<()> {
        if options.overrides.deletes {
            return Ok(());
        }
        for source in &rehearsal.sources {
            let Some(view) = self.store.view().sources.get(&source.name) else {
                continue;
            };
            let is_table = self.store.view().collections.get(&view.collection);
            let is_table = is_table.is_some_and(|collection| collection.kind == Kind::Row);
            // The index of a table has its exceptions only; of the records one is the schema.
            let items = if is_table {
                self.reading().state_at(&view.base)?.content
            } else {
                view.index
            };
            let items = tree::count(&self.store, &items).map_err(|error| other("reading a source", error))?;
            let items = items.saturating_sub(u64::from(is_table));
            if is_mass_removal(source.written.removed, items) {
                return Err(SyncError::MassRemoval {
                    name: source.name.clone(),
                    removed: source.written.removed,
                    items,
                });
            }
        }
        Ok(())
    }

    fn config_text(&self, blob: &Hash) -> SyncResult<String> {
        use crate::port::Objects;
        let bytes = self.store.get(blob)?;
        String::from_utf8(bytes.to_vec()).map_err(|_| SyncError::Damaged("a kept configuration".to_owned()))
    }

    /// Makes records what they were at a snapshot; all of them, or those named.
    pub fn restore(&mut self, snapshot: &str, keys: &[String], options: &SyncOptions) -> SyncResult<SyncReport> {
        if options.dry_run {
            let scratch = self.store.scratch();
            let mut work = self.work(&scratch, self.store.view().clone());
            let run = Run::new(&work)?;
            restore_state(&mut work, &|prefix| self.store.find(prefix, 16), snapshot, keys)?;
            return self.rehearse_apply(work, run, options.overrides);
        }
        self.begin()?;
        let mut work = self.reading();
        restore_state(&mut work, &|prefix| self.store.find(prefix, 16), snapshot, keys)?;
        let view = work.view;
        let command = self.env.command.clone();
        self.commit(view, &command)?;
        self.apply_after(options.overrides)
    }
}

fn restore_state(work: &mut Work<'_>, find: Find<'_>, snapshot: &str, keys: &[String]) -> SyncResult<()> {
    let mut missing: Vec<&String> = keys.iter().collect();
    let mut planned = Vec::new();
    let states = resolve_states(work, find, None, snapshot)?;
    for (collection, heads) in &states {
        let old = work.state_at(heads)?;
        let now = work.state(collection)?;
        let mut wanted = Vec::new();
        for typed in keys {
            match look::find_record(work, collection, &old, typed)
                .or_else(|_| look::find_record(work, collection, &now, typed))
            {
                Ok((key, _)) => {
                    wanted.push(key);
                    missing.retain(|one| *one != typed);
                }
                Err(SyncError::Unknown { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        if wanted.is_empty() && !keys.is_empty() {
            continue;
        }
        let mut transactions = BTreeMap::new();
        for change in tree::diff(work.objects, &now.content, &old.content) {
            let change = change.map_err(|error| other("comparing states", error))?;
            let Some(key) = RecordKey::new(change.key) else {
                continue;
            };
            let (now, old) = (decode(change.old.as_deref())?, decode(change.new.as_deref())?);
            // A record that was united with another since stays united; its values are in the other one.
            if matches!(now, Some(Entry::Alias(_))) || matches!(old, Some(Entry::Alias(_))) {
                continue;
            }
            if !wanted.is_empty() && !wanted.contains(&key) {
                continue;
            }
            let (now, old) = (now.and_then(Entry::into_record), old.and_then(Entry::into_record));
            if let Some(operation) = difference(now.as_ref(), old.as_ref()) {
                transactions.insert(key, operation);
            }
        }
        planned.push((collection.clone(), transactions));
    }
    if let Some(name) = missing.first() {
        return Err(SyncError::Unknown {
            what: "record",
            name: (*name).clone(),
            candidates: Vec::new(),
        });
    }
    for (collection, transactions) in planned {
        record(work, &collection, transactions, &format!("restored {snapshot}"))?;
    }
    Ok(())
}

fn decode(bytes: Option<&[u8]>) -> SyncResult<Option<Entry>> {
    bytes
        .map(Entry::decode)
        .transpose()
        .map_err(|error| other("reading a record", error))
}

fn record(
    work: &mut Work<'_>,
    collection: &str,
    transactions: BTreeMap<RecordKey, Operation>,
    message: &str,
) -> SyncResult<Option<SnapshotId>> {
    if transactions.is_empty() {
        return Ok(None);
    }
    let heads = work.heads(collection);
    let list = transactions.into_iter().map(|(key, operation)| Transaction {
        key,
        operation,
        forced: false,
    });
    work.author(collection, &heads, list, Some(message)).map(Some)
}

/// Makes the records what they were before an operation; returns what was left.
///
/// What is the store's own goes; else the inverse of what changed is recorded, where it still stands. So is an operation
/// that united records, since it is to be remembered that they are two.
fn take_back(work: &mut Work<'_>, before: &View, steps: &[View]) -> SyncResult<Vec<String>> {
    let after = steps.last().unwrap_or(before);
    let mut kept = Vec::new();
    let heads_of = |view: &View, name: &str| view.collections.get(name).map(|c| c.heads.clone()).unwrap_or_default();
    for collection in after.collections.keys() {
        let (earlier, later) = (heads_of(before, collection), heads_of(after, collection));
        if earlier == later {
            continue;
        }
        let (old, new) = (work.state_at(&earlier)?, work.state_at(&later)?);
        let mut reverter = Reverter {
            now: work.state(collection)?,
            heads: later.clone(),
            transactions: BTreeMap::new(),
            kept: Vec::new(),
            parted: BTreeMap::new(),
            targets: BTreeMap::new(),
        };
        let renames = Renames::between(work, (&earlier, &old), (&later, &new))?;
        let mut arrived = Vec::new();
        for change in tree::diff(work.objects, &old.content, &new.content) {
            let change = change.map_err(|error| other("comparing states", error))?;
            let Some(key) = RecordKey::new(change.key) else {
                continue;
            };
            let (was, became) = (decode(change.old.as_deref())?, decode(change.new.as_deref())?);
            match renames.without(&key, was, became) {
                (None, Some(Entry::Record(new))) => arrived.push((key, new)),
                (was, became) => reverter.entry(work, &key, was, became)?,
            }
        }
        for (key, new) in arrived {
            // What came from elsewhere and was united on arrival is parted, not removed.
            let was = reverter.targets.remove(&key).map(Entry::Record);
            reverter.entry(work, &key, was, Some(Entry::Record(new)))?;
        }
        reverter.rename(work, renames)?;
        let settings = settings_key();
        let (was, became) = (work.entry(&old, &settings)?, work.entry(&new, &settings)?);
        if was != became {
            reverter.entry(work, &settings, was, became)?;
        }
        let split = reverter.split_items(work, collection, before, steps, &old)?;
        if split.is_empty()
            && reverter.parted.is_empty()
            && let Some(gone) = rollback::droppable(work, collection, &earlier, &later)?
        {
            rollback::drop_back(work, collection, &earlier, &gone)?;
            continue;
        }
        kept.append(&mut reverter.kept);
        let transactions = std::mem::take(&mut reverter.transactions);
        record(work, collection, transactions, "undo")?;
        remap(work, split)?;
    }
    Ok(kept)
}

/// The name under which a source keeps the number that followed the items of its last reading with new items.
pub(super) const READ_UNTIL: &str = "read_until";

/// Items to be mapped to records of their own: source, item number, record.
type Split = Vec<(String, u64, RecordKey)>;

/// The records that an operation gave another key.
struct Renames {
    /// By their keys after it: those before, and what they were before and after.
    moved: BTreeMap<RecordKey, (RecordKey, Value, Value)>,
    /// Their keys before it.
    left: BTreeSet<RecordKey>,
}

impl Renames {
    fn between(work: &Work<'_>, old: look::Point<'_>, new: look::Point<'_>) -> SyncResult<Self> {
        let mut moved = BTreeMap::new();
        let found = crate::merge::renames_between(&work.history, old.0, new.0);
        for (key, origin) in found.map_err(|error| other("reading the history", error))? {
            if let Some((was, is)) = work.record(old.1, &origin)?.zip(work.record(new.1, &key)?) {
                moved.insert(key, (origin, was, is));
            }
        }
        let left = moved.values().map(|(origin, ..)| origin.clone()).collect();
        Ok(Self { moved, left })
    }

    /// Returns what is left of the change of an entry without the records that came from, or went to, elsewhere.
    fn without(&self, key: &RecordKey, was: Option<Entry>, became: Option<Entry>) -> (Option<Entry>, Option<Entry>) {
        let went = self.left.contains(key);
        let came = self.moved.contains_key(key);
        (was.filter(|_| !went), became.filter(|_| !came))
    }
}

struct Reverter {
    now: State,
    /// The heads after the operation.
    heads: Vec<SnapshotId>,
    transactions: BTreeMap<RecordKey, Operation>,
    kept: Vec<String>,
    /// Records that the operation united with another, and the keys that they get now.
    parted: BTreeMap<RecordKey, RecordKey>,
    /// Records that others were united with, as they were before.
    targets: BTreeMap<RecordKey, Value>,
}

impl Reverter {
    fn entry(&mut self, work: &Work<'_>, key: &RecordKey, was: Option<Entry>, became: Option<Entry>) -> SyncResult<()> {
        let now = work.entry(&self.now, key)?;
        match (was, became) {
            (old @ (None | Some(Entry::Record(_))), Some(Entry::Alias(target))) => {
                let old = old.and_then(Entry::into_record);
                self.split_union(work, key, old, &target)
            }
            (Some(Entry::Record(old)), Some(Entry::Record(new))) => {
                let Some(Entry::Record(present)) = now else {
                    self.kept.push(format!("`{}` was removed or united since", title(&new)));
                    return Ok(());
                };
                self.fields(key, &old, &new, &present);
                Ok(())
            }
            (None, Some(Entry::Record(new))) => {
                match now {
                    Some(Entry::Record(present)) if present == new => {
                        self.transactions.insert(key.clone(), Operation::Remove);
                    }
                    Some(Entry::Record(present)) => {
                        self.kept
                            .push(format!("`{}` was changed since it was added", title(&present)));
                    }
                    _ => {}
                }
                Ok(())
            }
            (Some(Entry::Record(old)), None) => {
                match now {
                    None => {
                        self.transactions.insert(key.clone(), Operation::Add(old));
                    }
                    Some(_) => self.kept.push(format!("`{}` is there again", title(&old))),
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Gives renamed records their keys back, where nothing else has them now.
    fn rename(&mut self, work: &Work<'_>, renames: Renames) -> SyncResult<()> {
        let mut back = Vec::new();
        for (key, (origin, old, new)) in renames.moved {
            match work.record(&self.now, &key)? {
                Some(present) => back.push((key, origin, old, new, present)),
                None => self
                    .kept
                    .push(format!("`{}` was removed or renamed since", title(&new))),
            }
        }
        loop {
            let left: BTreeSet<RecordKey> = back.iter().map(|(key, ..)| key.clone()).collect();
            let mut stays = Vec::new();
            for (at, (_, origin, ..)) in back.iter().enumerate() {
                let is_free = left.contains(origin) || work.entry(&self.now, origin)?.is_none();
                if !is_free || self.transactions.contains_key(origin) {
                    stays.push(at);
                }
            }
            if stays.is_empty() {
                break;
            }
            for at in stays.into_iter().rev() {
                let (.., present) = back.remove(at);
                self.kept
                    .push(format!("the key that `{}` had is taken", title(&present)));
            }
        }
        for (from, origin, old, new, present) in back {
            let changes = self.inverse(&old, &new, &present);
            self.transactions.insert(origin, Operation::Rename { from, changes });
        }
        Ok(())
    }

    /// Puts back the fields that still hold what the operation wrote.
    fn fields(&mut self, key: &RecordKey, old: &Value, new: &Value, now: &Value) {
        let operations = self.inverse(old, new, now);
        if operations.is_empty() {
            return;
        }
        match self.transactions.get_mut(key) {
            Some(Operation::Change(list)) => list.extend(operations),
            _ => {
                self.transactions.insert(key.clone(), Operation::Change(operations));
            }
        }
    }

    /// Returns what puts back the fields that still hold what the operation wrote.
    fn inverse(&mut self, old: &Value, new: &Value, now: &Value) -> Vec<FieldOperation> {
        let Some(Operation::Change(inverse)) = difference(Some(new), Some(old)) else {
            return Vec::new();
        };
        let mut operations = Vec::new();
        for operation in inverse {
            let path = operation.path().clone();
            if now.at(&path) == new.at(&path) {
                operations.push(operation);
            } else if now.at(&path) != old.at(&path) {
                self.kept.push(format!("`{}` {path} was changed since", title(now)));
            }
        }
        operations
    }

    fn mark(&mut self, key: &RecordKey, other: &RecordKey) {
        let path = FieldPath::new(["distinct".to_owned(), other.to_string()]);
        let mark = FieldOperation::Set(path, Value::Bool(true));
        match self.transactions.get_mut(key) {
            Some(Operation::Change(list)) => list.push(mark),
            Some(Operation::Add(record)) => record.set_at(mark.path(), Value::Bool(true)),
            Some(_) => {}
            None => {
                self.transactions.insert(key.clone(), Operation::Change(vec![mark]));
            }
        }
    }

    /// A united record becomes two again: the one that went gets a new key, and both say that they are two.
    ///
    /// It is what it was when it was united, also where it came from another system in the same operation.
    fn split_union(
        &mut self,
        work: &Work<'_>,
        key: &RecordKey,
        old: Option<Value>,
        target: &RecordKey,
    ) -> SyncResult<()> {
        let before = before_union(work, &self.heads, key)?;
        let mut united = None;
        if let Some(before) = before {
            united = work.record(&before, key)?;
            if let Some(was) = work.record(&before, target)? {
                self.targets.insert(target.clone(), was);
            }
        }
        let Some(old) = united.or(old) else {
            return Ok(());
        };
        let fresh = fresh_key(work);
        self.transactions.insert(fresh.clone(), Operation::Add(old));
        self.parted.insert(key.clone(), fresh.clone());
        let target = super::intake::canonical(work, &self.now, target)?;
        if work.record(&self.now, &target)?.is_some() {
            self.mark(&target, &fresh);
            self.mark(&fresh, &target);
        }
        Ok(())
    }

    /// Items that the operation united at first sight with a record that was there become records of their own.
    fn split_items(
        &mut self,
        work: &Work<'_>,
        collection: &str,
        before: &View,
        steps: &[View],
        old: &State,
    ) -> SyncResult<Split> {
        let after = steps.last().unwrap_or(before);
        let mut split = Split::new();
        for (name, source) in after
            .sources
            .iter()
            .filter(|(_, source)| source.collection == collection)
        {
            let Ok(config) = work.config.source(name) else { continue };
            if super::table::format_of(config).is_some() {
                continue;
            }
            let wrap = |error| source_error(config, error);
            let known = before
                .sources
                .get(name)
                .map_or_else(tree::empty_root, |view| view.index);
            let present = work.source_view(name).index;
            let now = |number| Index::entry(work.objects, &present, number).map_err(wrap);
            if !self.parted.is_empty() {
                for item in Index::entries(work.objects, &known) {
                    let (number, entry) = item.map_err(wrap)?;
                    if let Some(fresh) = self.parted.get(&entry.key)
                        && now(number)?.is_some()
                    {
                        split.push((name.clone(), number, fresh.clone()));
                    }
                }
            }
            for item in Index::added(work.objects, &known, &source.index) {
                let (number, entry) = item.map_err(wrap)?;
                // An item that this system wrote itself shows the record because of us, not because of a match.
                let matched = entry.fingerprint.is_some()
                    && was_read(after, name, number)
                    && work.record(old, &entry.key)?.is_some()
                    && now(number)?.is_some_and(|now| now.key == entry.key);
                if !matched {
                    continue;
                }
                // As it was read: what was written into it since came from the record it was united with.
                let view = first_shown(work, steps, name, number).map_err(wrap)?;
                let mut record = view.view.clone();
                if let Some(uid) = &entry.native_id {
                    record.insert("uid".to_owned(), uid.as_str().into());
                }
                crate::source::decorate(&mut record, None, &view.bindings);
                let fresh = fresh_key(work);
                self.transactions
                    .insert(fresh.clone(), Operation::Add(Value::Map(record)));
                self.mark(&fresh, &entry.key);
                self.mark(&entry.key, &fresh);
                split.push((name.clone(), number, fresh));
            }
        }
        Ok(split)
    }
}

/// Returns the state in which a record was united with another by the newest snapshot that did it.
fn before_union(work: &Work<'_>, heads: &[SnapshotId], key: &RecordKey) -> SyncResult<Option<State>> {
    for step in work.history.ancestors(heads) {
        let (_, snapshot) = step.map_err(|error| other("reading the history", error))?;
        let wrap = |error| other("reading a snapshot", error);
        let delta = Delta::open(work.objects, &snapshot.delta).map_err(wrap)?;
        let transaction = delta.get(key).map_err(wrap)?;
        if transaction.is_some_and(|transaction| matches!(transaction.operation, Operation::Alias(_))) {
            return work.state_at(&snapshot.parents).map(Some);
        }
    }
    Ok(None)
}

/// Returns what an item showed when it was first known.
fn first_shown(work: &Work<'_>, steps: &[View], source: &str, number: u64) -> Result<ItemView, SourceError> {
    for view in steps.iter().filter_map(|step| step.sources.get(source)) {
        let shown = Index::view(work.objects, &view.views, number)?;
        if shown != ItemView::default() {
            return Ok(shown);
        }
    }
    Ok(ItemView::default())
}

/// Returns whether an item came by reading, not by our writing: items written get numbers above those read.
fn was_read(after: &View, source: &str, number: u64) -> bool {
    let limit = after
        .sources
        .get(source)
        .and_then(|view| view.extra.get(READ_UNTIL))
        .and_then(|text| text.parse().ok());
    limit.is_none_or(|limit: u64| number < limit)
}

fn fresh_key(work: &Work<'_>) -> RecordKey {
    let mut bytes = [0; 16];
    (work.env.random)(&mut bytes);
    RecordKey::from_identity(&data_encoding::HEXLOWER.encode(&bytes))
}

/// Maps items to the records they were split into; they show the united record still, so they agree with nothing yet.
fn remap(work: &mut Work<'_>, split: Split) -> SyncResult<()> {
    let mut by_source: BTreeMap<String, Vec<(u64, RecordKey)>> = BTreeMap::new();
    for (source, number, key) in split {
        by_source.entry(source).or_default().push((number, key));
    }
    for (name, items) in by_source {
        let config = work.config.source(&name)?.clone();
        let mut view = work.source_view(&name);
        let mut edits = BTreeMap::new();
        for (number, key) in items {
            let entry =
                Index::entry(work.objects, &view.index, number).map_err(|error| source_error(&config, error))?;
            if let Some(entry) = entry {
                let entry = ItemEntry {
                    key,
                    base: Some(Vec::new()),
                    ..entry
                };
                edits.insert(number, IndexEdit::Put(entry, None));
            }
        }
        let (items, views) = Index::store(work.objects, &view.index, &view.views, &edits, &[])
            .map_err(|error| source_error(&config, error))?;
        view.index = items;
        view.views = views;
        work.set_source_view(&name, view);
    }
    Ok(())
}
