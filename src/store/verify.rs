//! Reading everything to see whether it is still what was written.

use std::path::PathBuf;

use super::packs::pack_error;
use super::{Store, StoreError};
use crate::model::{Domain, Hash};

/// Something in the store that is not what was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DamagedObject {
    /// The object, where it is known which.
    pub id: Option<Hash>,
    /// The file it lies in.
    pub path: PathBuf,
    /// What is wrong.
    pub what: String,
}

/// A check of an object's content by whoever knows what it means: address, domain, bytes.
pub type DeepCheck<'a> = dyn FnMut(&Hash, Domain, &[u8]) -> Result<(), String> + 'a;

impl Store {
    /// Reads every pack, object and operation and returns what is damaged, in order of path.
    ///
    /// `deep` is called with every sound object; what it returns as an error is reported as damage too. Only
    /// committed objects are read. Needs the lock; without it a pack that is merged meanwhile is reported as gone.
    pub fn verify(&self, deep: &mut DeepCheck<'_>) -> Result<Vec<DamagedObject>, StoreError> {
        let mut damaged = Vec::new();
        for (path, what) in self.packs.damaged() {
            damaged.push(DamagedObject { id: None, path, what });
        }
        for known in self.packs.all() {
            let path = self.packs.path(known.name());
            let mut faults = Vec::new();
            let mut refused = Vec::new();
            // Opened anew, because pages of the index that are in memory would hide what happened to the file.
            let outcome = self.packs.open_pack(&path, known.name()).and_then(|pack| {
                pack.examine(
                    &mut |id, domain, content| {
                        refused.extend(deep(id, domain, content).err().map(|what| (Some(*id), what)));
                    },
                    &mut |fault| {
                        faults.push((fault.id, fault.what.to_owned()));
                        // Reading it tries every pack, and lets it be put again when none has it sound.
                        fault.id.map(|id| self.packs.get(&id));
                    },
                )
            });
            match outcome.map_err(|error| pack_error(&path, error)) {
                Ok(()) => {}
                Err(StoreError::Damaged { what, .. }) => faults.push((None, what)),
                Err(error) if error.is_not_found() => faults.push((None, "its file is gone".to_owned())),
                Err(error) => return Err(error),
            }
            damaged.extend(faults.into_iter().chain(refused).map(|(id, what)| DamagedObject {
                id,
                path: path.clone(),
                what,
            }));
        }
        for operation in self.operations() {
            match operation {
                Ok(_) => {}
                Err(StoreError::Damaged { path, what }) => damaged.push(DamagedObject { id: None, path, what }),
                Err(error) => return Err(error),
            }
        }
        damaged.sort_by(|left, right| (&left.path, left.id, &left.what).cmp(&(&right.path, right.id, &right.what)));
        Ok(damaged)
    }
}
