//! Fewer packs: merging small ones as they pile up, and dropping what nothing reaches.
//!
//! Both write the new pack durably before they remove an old one, so a stop at any instruction leaves objects in two
//! packs at worst; the next merge or collection cleans that up.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use super::pack::{BLOCK_BYTES, Entry, Pack, PackError, PackWriter, announced_bytes, decompress};
use super::packs::{Vanished, checked, pack_error, temporaries};
use super::{OperationId, Store, StoreError};
use crate::model::{Domain, Hash};
use crate::port::{ObjectError, Objects};

/// How many packs of one tier may be there after a commit (chosen: what a lookup asks per tier).
const PACKS_PER_TIER: usize = 8;
/// The upper end of the lowest tier in bytes (chosen: below it a pack is mostly index and footer); each tier is
/// [`PACKS_PER_TIER`] times as large as the one below, so that every byte is copied at most once per tier.
const LOWEST_TIER_BYTES: u64 = 64 * 1024;
/// A block with at least this many bytes is copied as it is, a smaller one is packed anew with its neighbours.
const FULL_BLOCK_BYTES: usize = BLOCK_BYTES / 2;

/// Walks everything that is reached, reading objects from the first argument, and marks each object with the second,
/// which returns whether the object was not marked before.
pub type Walk<'a> = dyn Fn(&dyn Objects, &mut dyn FnMut(Hash) -> bool) -> Result<(), ObjectError> + 'a;

/// What a garbage collection did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct GcReport {
    /// Objects that are kept.
    pub objects_kept: u64,
    /// Objects that were dropped.
    pub objects_dropped: u64,
    /// Bytes of packs before.
    pub bytes_before: u64,
    /// Bytes of packs after.
    pub bytes_after: u64,
    /// Operations that were dropped from the end of the log, and operation files that were never committed.
    pub operations_dropped: u64,
    /// Unfinished files that were removed.
    pub temporaries_removed: u64,
}

impl Store {
    /// Merges the packs of a tier that has too many, until none has.
    pub(super) fn merge_small_packs(&self) -> Result<(), StoreError> {
        // Each round leaves fewer packs, so this ends.
        while let Some(group) = crowded_tier(self.packs.all()) {
            let new = self.copy_group(&group, &|_| true)?;
            self.remove_group(&group, new)?;
        }
        Ok(())
    }

    /// Copies the objects of `group`, of those only the ones that `keep` wants, into one new pack and returns its name.
    fn copy_group(&self, group: &[Arc<Pack>], keep: &dyn Fn(&Hash) -> bool) -> Result<Option<Hash>, StoreError> {
        let mut writer = self
            .packs
            .start()
            .map_err(|error| pack_error(self.packs.folder(), error))?;
        let temporary = writer.path().to_owned();
        for pack in group {
            if let Err(error) = self.copy(pack, &mut writer, keep) {
                // What cannot be removed now is left to the next collection.
                let _left = self.packs.remove_temporary(&temporary);
                return Err(error);
            }
        }
        if writer.is_empty() {
            drop(writer);
            self.packs.remove_temporary(&temporary)?;
            return Ok(None);
        }
        Ok(Some(self.packs.publish(writer)?.name()))
    }

    /// Copies the objects of a pack, block by block. Where one is damaged, a sound copy in another pack is taken.
    fn copy(&self, pack: &Pack, writer: &mut PackWriter, keep: &dyn Fn(&Hash) -> bool) -> Result<(), StoreError> {
        let failed = |error| pack_error(&self.packs.path(pack.name()), error);
        let entries = pack.entries().map_err(failed)?;
        for here in entries.chunk_by(|left, right| left.block == right.block) {
            let is_wanted = |entry: &&Entry| keep(&entry.id) && writer.find(&entry.id).is_none();
            let wanted: Vec<Entry> = here.iter().filter(is_wanted).copied().collect();
            let Some(first) = wanted.first() else {
                continue;
            };
            let stored = pack.stored_block(first.block).map_err(failed)?;
            let is_full = announced_bytes(&stored).is_some_and(|raw| raw >= FULL_BLOCK_BYTES);
            let hash = Hash::of(Domain::Pack, &stored);
            // Where the hashes are damaged, each object still proves itself.
            let is_sound = pack.block_hash(first.block).is_ok_and(|known| known == hash);
            if is_full && is_sound && wanted.len() == here.len() {
                writer.add_block(hash, &stored, &wanted).map_err(failed)?;
                continue;
            }
            let raw = decompress(&stored).unwrap_or_default();
            for entry in wanted {
                let content = match checked(&entry, &raw) {
                    Ok(content) => content,
                    Err(error) => self.packs.get(&entry.id)?.ok_or(error)?,
                };
                let domain = Domain::from_number(entry.domain);
                let domain = domain.ok_or_else(|| failed(PackError::Damaged("an object has no known domain")))?;
                writer.add(entry.id, domain, &content).map_err(failed)?;
            }
        }
        Ok(())
    }

    /// Removes the packs of `group` now that their objects are in `new`.
    fn remove_group(&self, group: &[Arc<Pack>], new: Option<Hash>) -> Result<(), StoreError> {
        for pack in group {
            if new != Some(pack.name()) {
                self.packs.remove(pack.name())?;
            }
        }
        Ok(())
    }

    /// Drops what nothing reaches. Needs the lock, and a handle that was reloaded under it.
    ///
    /// `keep` walks what is reached from the operations that stay. The newest `keep_operations` operations stay, at
    /// least one. Objects that were put and not committed are dropped. Nothing is
    /// removed when `keep` fails or an object to be kept is damaged.
    pub fn gc(&mut self, keep: &Walk<'_>, keep_operations: usize) -> Result<GcReport, StoreError> {
        // They may rely on objects that nothing else reaches.
        self.discard();
        self.packs.refresh(Vanished::Close)?;
        if self.log.head()?.is_some_and(|head| head != self.head) {
            return Err(StoreError::Moved {
                path: self.root.clone(),
            });
        }
        let mut marked = HashSet::new();
        keep(&*self, &mut |id| marked.insert(id))?;
        let mut report = GcReport {
            bytes_before: self.stored_bytes(),
            ..GcReport::default()
        };
        let group = self.not_wholly_kept(&marked, &mut report)?;
        let new = if group.is_empty() {
            None
        } else {
            self.copy_group(&group, &|id| marked.contains(id))?
        };
        // Operations go before objects: one that is left must never need an object that is gone.
        report.operations_dropped = self.trim_operations(keep_operations)?;
        self.remove_group(&group, new)?;
        report.temporaries_removed = self.remove_temporaries()?;
        self.merge_small_packs()?;
        report.bytes_after = self.stored_bytes();
        Ok(report)
    }

    fn trim_operations(&self, keep_operations: usize) -> Result<u64, StoreError> {
        if self.log.head()?.is_none() {
            // The pointer was lost; it must be back before anything is removed that it could be found again by.
            self.log.set_head(self.head)?;
        }
        let mut kept: BTreeSet<OperationId> = BTreeSet::new();
        let mut oldest = self.head;
        let mut ends = true;
        for next in self.operations() {
            let (id, operation) = next?;
            if kept.len() >= keep_operations.max(1) {
                ends = false;
                break;
            }
            kept.insert(id);
            oldest = id;
            ends = operation.parent.is_none();
        }
        if !ends && self.log.floor()? != Some(oldest) {
            self.log.set_floor(oldest)?;
        }
        let mut dropped = 0;
        for id in self.log.all()? {
            if !kept.contains(&id) {
                self.disk.remove(&self.log.file(id))?;
                dropped += 1;
            }
        }
        Ok(dropped)
    }

    fn remove_temporaries(&self) -> Result<u64, StoreError> {
        let mut files = temporaries(&self.disk, self.packs.folder())?;
        files.extend(temporaries(&self.disk, self.log.folder())?);
        for path in &files {
            self.disk.remove(path)?;
        }
        Ok(files.len() as u64)
    }

    /// Returns the packs that hold an object that nothing reaches, or that another pack has too.
    ///
    /// Of two copies both packs are returned, so that copying can take the one that is sound.
    fn not_wholly_kept(&self, marked: &HashSet<Hash>, report: &mut GcReport) -> Result<Vec<Arc<Pack>>, StoreError> {
        let packs = self.packs.all();
        let mut is_whole = vec![true; packs.len()];
        let mut holder: HashMap<Hash, usize> = HashMap::new();
        let mut dropped = HashSet::new();
        for (number, pack) in packs.iter().enumerate() {
            let entries = pack
                .entries()
                .map_err(|error| pack_error(&self.packs.path(pack.name()), error))?;
            for entry in entries {
                let other = if marked.contains(&entry.id) {
                    holder.insert(entry.id, number)
                } else {
                    dropped.insert(entry.id);
                    Some(number)
                };
                // An object without a second holder leaves its pack as it is.
                for number in other.into_iter().flat_map(|other| [other, number]) {
                    if let Some(is_whole) = is_whole.get_mut(number) {
                        *is_whole = false;
                    }
                }
            }
        }
        report.objects_kept = holder.len() as u64;
        report.objects_dropped = dropped.len() as u64;
        let rewritten = packs.into_iter().zip(is_whole).filter(|(_, is_whole)| !is_whole);
        Ok(rewritten.map(|(pack, _)| pack).collect())
    }
}

/// Returns the tier of a pack of this size.
fn tier(stored_bytes: u64) -> u32 {
    let mut limit = LOWEST_TIER_BYTES;
    let mut tier = 0;
    while stored_bytes > limit {
        limit = limit.saturating_mul(PACKS_PER_TIER as u64);
        tier += 1;
    }
    tier
}

/// Returns the packs of the lowest tier that has too many.
fn crowded_tier(packs: Vec<Arc<Pack>>) -> Option<Vec<Arc<Pack>>> {
    let mut tiers: std::collections::BTreeMap<u32, Vec<Arc<Pack>>> = std::collections::BTreeMap::new();
    for pack in packs {
        tiers.entry(tier(pack.stored_bytes())).or_default().push(pack);
    }
    tiers.into_values().find(|packs| packs.len() > PACKS_PER_TIER)
}
