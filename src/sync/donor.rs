//! New items copied from another source of this system that has the same format.
//!
//! Where a record is new to a source and another source of the collection shows it in the same format, the item there
//! is what a person wants to have here too: with its order, its spelling and all that no record holds. It is copied but
//! for what belongs to its source, and what it shows is known without reading it again.

use std::collections::{BTreeSet, HashMap};

use super::config::SourceConfig;
use super::work::Work;
use super::{SyncResult, source_error};
use crate::format::Document;
use crate::model::{Hash, RecordKey};
use crate::source::{Index, OpenFiles, StoredView};
use crate::store::SourceView;

/// A source whose items were read in this run.
#[derive(Default)]
pub(super) struct ReadItems {
    pub(super) index: Index,
    /// Files that were opened.
    pub(super) open: OpenFiles,
    /// Whether it was read for the first time.
    pub(super) is_new: bool,
}

/// A source that agrees with the present state of its collection, as far as it was read in this run.
pub(super) struct Donor<'r> {
    config: &'r SourceConfig,
    view: SourceView,
    index: &'r Index,
    open: &'r OpenFiles,
    /// Whether it was read for the first time in this run, so that none of its views has notes.
    is_new: bool,
}

/// Where an item to copy stands.
struct Origin<'r> {
    donor: usize,
    number: u64,
    document: &'r dyn Document,
    at: usize,
    native_id: &'r str,
}

/// An item for another source.
pub(super) struct Copied {
    pub(super) bytes: Vec<u8>,
    pub(super) native_id: String,
    pub(super) view: CopiedView,
}

/// What a copied item shows.
pub(super) enum CopiedView {
    /// This.
    Stored(StoredView),
    /// What the item of this number shows in the tree of views that is taken over as a whole ([`Copies::mirrored`]).
    Mirrored(u64),
}

/// The items that a source can take over from others.
#[derive(Default)]
pub(super) struct Copies<'r> {
    donors: Vec<Donor<'r>>,
    origins: HashMap<RecordKey, Origin<'r>>,
    /// All views of the donors, where all are needed.
    views: HashMap<(usize, u64), StoredView>,
    /// The donor whose views an empty source takes over with their numbers.
    mirror: Option<SourceView>,
}

impl<'r> Donor<'r> {
    /// Makes a donor of a source; `None` when it differs from its collection or nothing of it was read.
    pub(super) fn new(work: &Work<'_>, config: &'r SourceConfig, read: &'r ReadItems) -> Option<Self> {
        let ReadItems { index, open, is_new } = read;
        let view = work.source_view(&config.name);
        let agrees = !open.is_empty() && view.base == work.heads(&config.collection) && view.lens.is_some();
        agrees.then_some(Self {
            config,
            view,
            index,
            open,
            is_new: *is_new,
        })
    }

    fn serves(&self, config: &SourceConfig) -> bool {
        let donor = self.config;
        let is_alike = donor.collection == config.collection && donor.format == config.format;
        // What is in conflict may look otherwise in a source with a preference.
        is_alike && donor.name != config.name && donor.prefer.is_none() && config.prefer.is_none()
    }

    /// Returns the files that were read, if they are of the collection and format of another source.
    pub(super) fn documents_for(&self, config: &SourceConfig) -> impl Iterator<Item = &'r dyn Document> {
        let open = self.serves(config).then_some(self.open);
        open.into_iter().flatten().map(|(_, (_, document))| document.as_ref())
    }
}

impl<'r> Copies<'r> {
    /// Lists what `donors` have for a source of this collection, format and lens. `all` says that most of it will be asked for.
    pub(super) fn new(
        work: &Work<'_>,
        config: &SourceConfig,
        lens: Hash,
        donors: impl IntoIterator<Item = Donor<'r>>,
        all: bool,
    ) -> SyncResult<Self> {
        let mut copies = Self::default();
        let donors: Vec<Donor<'r>> = donors
            .into_iter()
            .filter(|donor| donor.serves(config) && donor.view.lens == Some(lens))
            .collect();
        if let [donor] = &donors[..]
            && all
            && donor.is_new
        {
            copies.mirror = Some(donor.view.clone());
        }
        for donor in donors {
            let number = copies.donors.len();
            copies.add(number, &donor);
            if all && copies.mirror.is_none() {
                for view in StoredView::all(work.objects, &donor.view.views) {
                    let (item, view) = view.map_err(|error| source_error(donor.config, error))?;
                    copies.views.insert((number, item), view);
                }
            }
            copies.donors.push(donor);
        }
        Ok(copies)
    }

    fn add(&mut self, donor_number: usize, donor: &Donor<'r>) {
        for (file, (hash, document)) in donor.open {
            let Some((now, order)) = donor.index.files.get(file) else {
                continue;
            };
            if now != hash {
                continue;
            }
            for (at, number) in order.iter().enumerate() {
                let Some(entry) = donor.index.items.get(number) else {
                    continue;
                };
                // An item with a base of its own may lack something; a key that is not that of the UID has another UID in
                // its record.
                if entry.base.is_none()
                    && entry.fingerprint.is_some()
                    && let Some(native_id) = &entry.native_id
                    && RecordKey::from_identity(native_id) == entry.key
                {
                    let origin = Origin {
                        donor: donor_number,
                        number: *number,
                        document: document.as_ref(),
                        at,
                        native_id,
                    };
                    self.origins.entry(entry.key.clone()).or_insert(origin);
                }
            }
        }
    }

    /// Returns the views of the only donor and the number that follows those of its items, if the source can take
    /// them over as they are: then copied items keep their numbers, and nothing of their views is stored again.
    pub(super) fn mirrored(&self) -> Option<(Hash, u64)> {
        self.mirror.as_ref().map(|view| (view.views, view.next_item))
    }

    /// Returns the numbers of the items of mirrored views that were not copied, once all others were.
    pub(super) fn not_mirrored(&self, copied: &BTreeSet<u64>) -> Vec<u64> {
        let index = self
            .donors
            .first()
            .filter(|_| self.mirror.is_some())
            .map(|donor| donor.index);
        let numbers = index.into_iter().flat_map(|index| index.items.keys().copied());
        numbers.filter(|number| !copied.contains(number)).collect()
    }

    /// Returns whether there is nothing to take over.
    pub(super) fn is_empty(&self) -> bool {
        self.origins.is_empty()
    }

    /// Returns the item of a record as an item of `target`, if there is one that can be taken over as it is.
    pub(super) fn take(
        &mut self,
        work: &Work<'_>,
        key: &RecordKey,
        target: &dyn Document,
    ) -> SyncResult<Option<Copied>> {
        let Some(origin) = self
            .origins
            .remove(key)
            .filter(|origin| origin.at < origin.document.item_count())
        else {
            return Ok(None);
        };
        let Some(bytes) = target.adopt(origin.document.item(origin.at).bytes) else {
            return Ok(None);
        };
        if self.mirror.is_some() {
            return Ok(Some(Copied {
                bytes,
                native_id: origin.native_id.to_owned(),
                view: CopiedView::Mirrored(origin.number),
            }));
        }
        let view = match (
            self.views.remove(&(origin.donor, origin.number)),
            self.donors.get(origin.donor),
        ) {
            (Some(view), _) => Some(view),
            (None, Some(donor)) => StoredView::get(work.objects, &donor.view.views, origin.number)
                .map_err(|error| source_error(donor.config, error))?,
            (None, None) => None,
        };
        // What was written over somebody's values there is no matter of this source.
        Ok(view.filter(StoredView::is_plain).map(|view| Copied {
            bytes,
            native_id: origin.native_id.to_owned(),
            view: CopiedView::Stored(view),
        }))
    }
}
