//! Write-back: changed items into their files, without touching anything else and without overwriting news.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;

use super::index::Fingerprint;
use super::place::file_hash;
use super::scan::{fingerprint, short};
use super::{Place, SourceError};
use crate::disk::{Disk, DiskError, temporary_name};
use crate::format::{Document, Edit, Format, NewItems};
use crate::model::{Domain, Hash};
use crate::spool::{Spool, SpoolError};

/// From how many new files on they are made durable together (chosen: below, one by one disturbs others less).
const MANY_FILES: usize = 8;
/// How many files are made durable together (chosen).
const PORTION_FILES: usize = 4096;
/// How many bytes the files have, at most, that are made durable together (chosen).
const PORTION_BYTES: usize = 16 << 20;
/// Up to how many bytes a planned file waits compressed (chosen: a large one is alone).
const SMALL_FILE_BYTES: usize = 64 << 10;

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

/// The bytes of a file as it is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileBytes {
    /// The file goes.
    None,
    /// These.
    Here(Vec<u8>),
    /// They wait in the list that the file is in.
    Waiting,
}

/// A file as it is to be.
#[derive(Debug, Clone)]
pub struct FileEdit {
    /// Its name in the place.
    pub name: String,
    /// The hash of the bytes that were scanned; `None` when there is no such file yet.
    pub before: Option<Hash>,
    /// The new bytes.
    pub bytes: FileBytes,
    /// The hash of the new bytes.
    pub after: Option<Hash>,
    /// The numbers of its items in order, 0 for what is no item.
    pub order: Vec<u64>,
    /// Fingerprints of all its items in the new bytes, by ascending number.
    pub fingerprints: Vec<(u64, Fingerprint)>,
    /// The lens of the new bytes.
    pub lens: Option<Hash>,
}

/// Files as they are to be, in order. Those of a folder may be as many as there are records, so their bytes wait
/// compressed.
#[derive(Default)]
pub struct FileEdits {
    edits: Vec<FileEdit>,
    /// The bytes of the small ones, in the same order.
    waiting: Spool,
}

impl FileEdits {
    /// Adds one.
    pub fn push(&mut self, mut edit: FileEdit) -> Result<(), SourceError> {
        if let FileBytes::Here(bytes) = &edit.bytes
            && bytes.len() <= SMALL_FILE_BYTES
        {
            self.waiting.push(&[bytes])?;
            edit.bytes = FileBytes::Waiting;
        }
        self.edits.push(edit);
        Ok(())
    }

    /// Returns how many there are.
    pub fn len(&self) -> usize {
        self.edits.len()
    }

    /// Returns whether there is none.
    pub fn is_empty(&self) -> bool {
        self.edits.is_empty()
    }

    /// Returns one.
    pub fn get(&self, number: usize) -> Option<&FileEdit> {
        self.edits.get(number)
    }
}

/// A file that is written now: its number, what is known of it, and its bytes unless it goes.
struct Present<'e> {
    number: usize,
    edit: &'e FileEdit,
    bytes: Option<Cow<'e, [u8]>>,
}

impl Present<'_> {
    fn is_new(&self) -> bool {
        self.edit.before.is_none() && self.bytes.is_some()
    }

    fn bytes(&self) -> &[u8] {
        self.bytes.as_deref().unwrap_or_default()
    }
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
        let items = after.iter().enumerate().filter(|(_, number)| **number != 0);
        let fingerprints = items.map(|(at, number)| (*number, print(again.item(at).bytes)));
        let mut fingerprints: Vec<(u64, Fingerprint)> = fingerprints.collect();
        fingerprints.sort_unstable();
        let lens = Some(again.lens());
        if trailing {
            after.push(0);
        }
        Ok(Self {
            name: name.to_owned(),
            before,
            bytes: FileBytes::Here(again.into_bytes()),
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
            bytes: FileBytes::None,
            after: None,
            order: Vec::new(),
            fingerprints: Vec::new(),
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
    fn write(&self, file: &Present<'_>) -> FileOutcome {
        match self.try_write(file) {
            Ok(outcome) => outcome,
            Err(error) => {
                let edit = file.edit;
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

    fn try_write(&self, file: &Present<'_>) -> Result<FileOutcome, DiskError> {
        let edit = file.edit;
        let path = self.place.file_path(&edit.name);
        let temporary = temporary_name(&path);
        if self.present(edit)? != edit.before {
            return Ok(FileOutcome::ChangedMeanwhile);
        }
        let Some(bytes) = &file.bytes else {
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

    /// Writes files and calls `each` with the number of each and how it went; the bytes that wait are given up.
    ///
    /// Many new files are made durable together, first their bytes, then their names: a stop leaves each of them as
    /// before or as intended, as with one by one.
    pub fn write_all(
        &self,
        files: &mut FileEdits,
        each: &mut dyn FnMut(usize, FileOutcome),
    ) -> Result<(), SourceError> {
        let mut waiting = std::mem::take(&mut files.waiting).drain();
        let mut portion = Vec::new();
        let mut portion_bytes = 0;
        for (number, edit) in files.edits.iter().enumerate() {
            let bytes = match &edit.bytes {
                FileBytes::None => None,
                FileBytes::Here(bytes) => Some(Cow::Borrowed(bytes.as_slice())),
                FileBytes::Waiting => Some(Cow::Owned(waiting.next().ok_or(SpoolError)??)),
            };
            portion_bytes += bytes.as_deref().map_or(0, <[u8]>::len);
            portion.push(Present { number, edit, bytes });
            if portion.len() >= PORTION_FILES || portion_bytes >= PORTION_BYTES {
                self.write_portion(std::mem::take(&mut portion), each);
                portion_bytes = 0;
            }
        }
        self.write_portion(portion, each);
        Ok(())
    }

    fn write_portion(&self, portion: Vec<Present<'_>>, each: &mut dyn FnMut(usize, FileOutcome)) {
        let (new, others): (Vec<_>, Vec<_>) = portion.into_iter().partition(Present::is_new);
        if new.len() < MANY_FILES {
            new.iter().for_each(|file| each(file.number, self.write(file)));
        } else {
            self.write_new(&new, each);
        }
        others.iter().for_each(|file| each(file.number, self.write(file)));
    }

    fn write_new(&self, portion: &[Present<'_>], each: &mut dyn FnMut(usize, FileOutcome)) {
        let mut staged = Vec::with_capacity(portion.len());
        for file in portion {
            let path = self.place.file_path(&file.edit.name);
            let temporary = temporary_name(&path);
            match self.stage(&temporary, file.bytes()) {
                Ok(()) => staged.push((file, path, temporary)),
                Err(error) => {
                    let _left = self.disk.remove(&temporary);
                    each(file.number, FileOutcome::Failed(error));
                }
            }
        }
        let folder = self.place.path();
        let temporaries = staged.iter().map(|(_, _, temporary)| temporary.as_path());
        if let Err(error) = self.disk.sync_written(folder, temporaries) {
            for (file, _, temporary) in staged {
                let _left = self.disk.remove(&temporary);
                each(file.number, FileOutcome::Failed(error.clone()));
            }
            return;
        }
        let mut placed = Vec::with_capacity(staged.len());
        for (file, path, temporary) in staged {
            match self.disk.rename_new_unsynced(&temporary, &path) {
                Ok(true) => placed.push((file, path)),
                outcome => {
                    // A name that somebody took since is left to them.
                    let _left = self.disk.remove(&temporary);
                    each(
                        file.number,
                        outcome.map_or_else(FileOutcome::Failed, |_| FileOutcome::ChangedMeanwhile),
                    );
                }
            }
        }
        let durable = self.disk.sync_dir(folder);
        for (file, path) in placed {
            let outcome = durable.clone().and_then(|()| self.read_back(&path, file.bytes()));
            each(file.number, outcome.unwrap_or_else(FileOutcome::Failed));
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
