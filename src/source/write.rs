//! Write-back: changed items into their files, without touching anything else and without overwriting news.

use std::collections::BTreeMap;
use std::path::Path;

use super::index::Fingerprint;
use super::place::file_hash;
use super::scan::{fingerprint, short};
use super::{Place, SourceError};
use crate::disk::{Disk, DiskError, temporary_name};
use crate::format::{Document, Edit, Format, NewItems};
use crate::model::{Domain, Hash};
use crate::spool::Spool;

/// From how many new files on they are made durable together (chosen: below, one by one disturbs others less).
const MANY_FILES: usize = 8;
/// How many files are made durable together (chosen).
const PORTION_FILES: usize = 4096;

/// What is to happen to the items of one file, by their numbers.
#[derive(Default)]
pub struct FileWrites {
    /// Items that are there: they get these bytes, or go.
    known: BTreeMap<u64, Option<Vec<u8>>>,
    new: Vec<u64>,
    /// The bytes of the new items: all those of a file that is written anew are as much as the file.
    new_bytes: Spool,
}

impl FileWrites {
    /// An item gets other bytes.
    pub fn replace(&mut self, number: u64, bytes: Vec<u8>) {
        self.known.insert(number, Some(bytes));
    }

    /// An item goes.
    pub fn remove(&mut self, number: u64) {
        self.known.insert(number, None);
    }

    /// An item comes behind all others.
    pub fn append(&mut self, number: u64, bytes: &[u8]) -> Result<(), SourceError> {
        self.new.push(number);
        Ok(self.new_bytes.push(&[bytes])?)
    }

    /// Returns whether all that happens is that the items `order`, or more, go.
    pub fn removes_all(&self, order: &[u64]) -> bool {
        self.new.is_empty()
            && self.known.values().all(Option::is_none)
            && order.iter().all(|number| self.known.contains_key(number))
    }

    /// Lists the numbers of all items that something happens to.
    pub fn numbers(&self) -> impl Iterator<Item = u64> {
        self.known.keys().chain(&self.new).copied()
    }
}

/// A file as it is to be.
#[derive(Debug, Clone)]
pub struct FileEdit {
    /// Its name in the place.
    pub name: String,
    /// The hash of the bytes that were scanned; `None` when there is no such file yet.
    pub before: Option<Hash>,
    /// The new bytes; `None` when the file goes.
    pub bytes: Option<Vec<u8>>,
    /// The hash of the new bytes.
    pub after: Option<Hash>,
    /// The numbers of its items in order, 0 for what is no item.
    pub order: Vec<u64>,
    /// Fingerprints of all its items in the new bytes.
    pub fingerprints: BTreeMap<u64, Fingerprint>,
    /// The lens of the new bytes.
    pub lens: Option<Hash>,
}

/// How writing a file went.
#[derive(Debug)]
pub enum FileOutcome {
    /// The bytes are there as intended.
    Written,
    /// The file is there, but something rewrote it on the way: these are its bytes now.
    Rewritten(Vec<u8>),
    /// It is not what was scanned any more; nothing was written.
    ChangedMeanwhile,
    /// It could not be written; the old bytes are in place.
    Failed(DiskError),
}

impl FileEdit {
    /// Plans a file: `document` is the file as scanned (or an empty one) with `order`.
    ///
    /// Fails when the planned bytes do not read back as planned; then nothing should be written.
    pub fn plan(
        name: &str,
        before: Option<Hash>,
        document: Box<dyn Document>,
        order: &[u64],
        mut writes: FileWrites,
        format: &dyn Format,
    ) -> Result<Self, SourceError> {
        let mut edits = Vec::new();
        let mut after = Vec::with_capacity(order.len() + writes.new.len());
        for (at, number) in order.iter().enumerate() {
            match writes.known.remove(number) {
                Some(None) => {
                    edits.push(Edit::Remove(at));
                    continue;
                }
                Some(Some(bytes)) => edits.push(Edit::Replace(at, bytes)),
                None => {}
            }
            after.push(*number);
        }
        let trailing = order.len() > document.item_count();
        if trailing {
            after.pop();
        }
        after.append(&mut writes.new);
        let bytes = assemble(document.as_ref(), &edits, writes.new_bytes)?;
        // What follows needs the new file alone.
        drop((document, edits));
        let (hash, length) = (file_hash(&bytes), bytes.len());
        let again = format.open(bytes).map_err(|source| SourceError::Format {
            file: name.to_owned(),
            source,
        })?;
        if again.item_count() != after.len() {
            return Err(SourceError::State("planned bytes do not read back with the same items"));
        }
        let print = |item: &[u8]| {
            if item.len() == length {
                short(&hash)
            } else {
                fingerprint(item)
            }
        };
        let fingerprints = after
            .iter()
            .enumerate()
            .filter(|(_, number)| **number != 0)
            .map(|(at, number)| (*number, print(again.item(at).bytes)))
            .collect();
        let lens = Some(again.lens());
        if trailing {
            after.push(0);
        }
        Ok(Self {
            name: name.to_owned(),
            before,
            bytes: Some(again.into_bytes()),
            after: Some(hash),
            order: after,
            fingerprints,
            lens,
        })
    }

    /// Plans that a file goes.
    pub fn removal(name: &str, before: Hash) -> Self {
        Self {
            name: name.to_owned(),
            before: Some(before),
            bytes: None,
            after: None,
            order: Vec::new(),
            fingerprints: BTreeMap::new(),
            lens: None,
        }
    }
}

/// Returns the bytes of a file after `edits` and with the items `new` behind them.
fn assemble(document: &dyn Document, edits: &[Edit], new: Spool) -> Result<Vec<u8>, SourceError> {
    let mut failure = None;
    let length_bytes = new.length_bytes();
    // What went into the bytes is given up.
    let items = new.drain().map_while(|item| {
        let item = item.map_err(|error| failure = Some(error));
        item.ok()
    });
    let more = NewItems {
        length_bytes,
        items: Box::new(items),
    };
    let bytes = document.assemble_with(edits, more);
    failure.map_or(Ok(bytes), |error| Err(error.into()))
}

/// Writes planned files into a place.
pub struct Writer<'a> {
    disk: &'a Disk,
    place: &'a Place,
}

impl<'a> Writer<'a> {
    /// Makes a writer for a place.
    pub fn new(disk: &'a Disk, place: &'a Place) -> Self {
        Self { disk, place }
    }

    /// Writes one file and reads it back.
    pub fn write(&self, edit: &FileEdit) -> FileOutcome {
        match self.try_write(edit) {
            Ok(outcome) => outcome,
            Err(error) => {
                // What failed may have failed after the exchange: nothing that was displaced unseen is thrown away.
                let after = edit.after;
                let path = self.place.file_path(&edit.name);
                let again = self.recover(&edit.name, edit.before, after);
                let durable = again.and_then(|()| self.disk.sync_dir(path.parent().unwrap_or(&path)));
                match durable.and_then(|()| self.present(edit)) {
                    Ok(present) if present == after && after != edit.before => FileOutcome::Written,
                    _ => FileOutcome::Failed(error),
                }
            }
        }
    }

    fn try_write(&self, edit: &FileEdit) -> Result<FileOutcome, DiskError> {
        let path = self.place.file_path(&edit.name);
        let temporary = temporary_name(&path);
        if self.present(edit)? != edit.before {
            return Ok(FileOutcome::ChangedMeanwhile);
        }
        let Some(bytes) = &edit.bytes else {
            return self.remove(edit);
        };
        if self.disk.stat(&temporary)?.is_some() {
            self.disk.remove(&temporary)?;
        }
        self.disk.create_new(&temporary, bytes)?;
        self.disk.copy_mode(&path, &temporary)?;
        if edit.before.is_none() {
            // A name that somebody took since is left to them.
            if !self.disk.rename_new(&temporary, &path)? {
                self.disk.remove(&temporary)?;
                return Ok(FileOutcome::ChangedMeanwhile);
            }
        } else if self.disk.exchange(&temporary, &path)? {
            let displaced = hash_of_file(self.disk, &temporary).ok();
            if displaced != edit.before {
                self.disk.exchange(&temporary, &path)?;
                self.disk.remove(&temporary)?;
                return Ok(FileOutcome::ChangedMeanwhile);
            }
            self.disk.remove(&temporary)?;
        }
        self.read_back(&path, bytes)
    }

    /// Compares what is there with what was written.
    fn read_back(&self, path: &Path, bytes: &[u8]) -> Result<FileOutcome, DiskError> {
        Ok(if self.disk.has_bytes(path, bytes)? {
            FileOutcome::Written
        } else {
            FileOutcome::Rewritten(self.disk.read(path)?)
        })
    }

    /// Writes files and calls `each` with the number of each and how it went.
    ///
    /// Many new files are made durable together, first their bytes, then their names: a stop leaves each of them as
    /// before or as intended, as with one by one.
    pub fn write_all(&self, edits: &[FileEdit], each: &mut dyn FnMut(usize, FileOutcome)) {
        let (new, others): (Vec<_>, Vec<_>) = edits
            .iter()
            .enumerate()
            .partition(|(_, edit)| edit.before.is_none() && edit.bytes.is_some());
        if new.len() < MANY_FILES {
            for (number, edit) in edits.iter().enumerate() {
                each(number, self.write(edit));
            }
            return;
        }
        for portion in new.chunks(PORTION_FILES) {
            self.write_new(portion, each);
        }
        for (number, edit) in others {
            each(number, self.write(edit));
        }
    }

    fn write_new(&self, portion: &[(usize, &FileEdit)], each: &mut dyn FnMut(usize, FileOutcome)) {
        let mut staged = Vec::with_capacity(portion.len());
        for (number, edit) in portion {
            let path = self.place.file_path(&edit.name);
            let temporary = temporary_name(&path);
            match self.stage(&temporary, edit.bytes.as_deref().unwrap_or_default()) {
                Ok(()) => staged.push((*number, *edit, path, temporary)),
                Err(error) => {
                    let _left = self.disk.remove(&temporary);
                    each(*number, FileOutcome::Failed(error));
                }
            }
        }
        let folder = self.place.path();
        let temporaries = staged.iter().map(|(_, _, _, temporary)| temporary.as_path());
        if let Err(error) = self.disk.sync_written(folder, temporaries) {
            for (number, _, _, temporary) in staged {
                let _left = self.disk.remove(&temporary);
                each(number, FileOutcome::Failed(error.clone()));
            }
            return;
        }
        let mut placed = Vec::with_capacity(staged.len());
        for (number, edit, path, temporary) in staged {
            match self.disk.rename_new_unsynced(&temporary, &path) {
                Ok(true) => placed.push((number, edit, path)),
                outcome => {
                    // A name that somebody took since is left to them.
                    let _left = self.disk.remove(&temporary);
                    each(
                        number,
                        outcome.map_or_else(FileOutcome::Failed, |_| FileOutcome::ChangedMeanwhile),
                    );
                }
            }
        }
        let durable = self.disk.sync_dir(folder);
        for (number, edit, path) in placed {
            let outcome = durable
                .clone()
                .and_then(|()| self.read_back(&path, edit.bytes.as_deref().unwrap_or_default()));
            each(number, outcome.unwrap_or_else(FileOutcome::Failed));
        }
    }

    /// Writes bytes under a temporary name, over what an earlier attempt may have left.
    fn stage(&self, temporary: &Path, bytes: &[u8]) -> Result<(), DiskError> {
        match self.disk.create_unsynced(temporary, bytes) {
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
                self.disk.remove(temporary)?;
                self.disk.create_unsynced(temporary, bytes)
            }
            result => result,
        }
    }

    /// Takes a file away under another name first, so that a last-moment change is seen and put back.
    fn remove(&self, edit: &FileEdit) -> Result<FileOutcome, DiskError> {
        let path = self.place.file_path(&edit.name);
        let temporary = temporary_name(&path);
        self.disk.rename(&path, &temporary)?;
        let taken = hash_of_file(self.disk, &temporary).ok();
        if taken == edit.before {
            self.disk.remove(&temporary)?;
            return Ok(FileOutcome::Written);
        }
        // Should the name be taken again already, what we took away stays beside it.
        self.disk.rename_new(&temporary, &path)?;
        Ok(FileOutcome::ChangedMeanwhile)
    }

    fn present(&self, edit: &FileEdit) -> Result<Option<Hash>, DiskError> {
        self.hash(&self.place.file_path(&edit.name))
    }

    fn hash(&self, path: &Path) -> Result<Option<Hash>, DiskError> {
        match hash_of_file(self.disk, path) {
            Ok(hash) => Ok(Some(hash)),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Puts in order what a crash left beside a file that was to become `after`: somebody's change that we had
    /// displaced and not yet looked at goes back into its place, anything else is ours and goes.
    pub fn recover(&self, name: &str, before: Option<Hash>, after: Option<Hash>) -> Result<(), DiskError> {
        let path = self.place.file_path(name);
        let temporary = temporary_name(&path);
        let kept = self.hash(&temporary)?;
        if kept.is_none() {
            return Ok(());
        }
        let present = self.hash(&path)?;
        if present == after && kept != before && kept != after {
            if present.is_none() {
                self.disk.rename_new(&temporary, &path)?;
                return Ok(());
            }
            if !self.disk.exchange(&temporary, &path)? {
                return Ok(());
            }
        }
        self.disk.remove(&temporary)
    }
}

/// Hashes a file without holding it.
fn hash_of_file(disk: &Disk, path: &Path) -> Result<Hash, DiskError> {
    Hash::of_pieces(Domain::Item, |take| {
        disk.read_pieces(path, &mut |piece| {
            take(piece);
            true
        })
    })
}
