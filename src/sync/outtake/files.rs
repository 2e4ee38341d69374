//! The files of a plan: what each is to become, once it is known what happens to its items.

use super::{OutPlan, Planner};
use crate::source::{FileEdit, FileWrites, IndexEdit, ItemEntry, Place, StoredView};
use crate::sync::kept::keep_file;
use crate::sync::report::SetAside;
use crate::sync::{SyncResult, source_error};

impl Planner<'_, '_> {
    /// Notes the bytes that the items of a file will have.
    fn fingerprints(&mut self, edit: &FileEdit) {
        for (number, print) in &edit.fingerprints {
            if let Some(IndexEdit::Put(entry, _)) = self.edits.get_mut(number) {
                entry.fingerprint = Some(*print);
                continue;
            }
            // A wider layout changes the bytes of rows that were not touched.
            let known = self.index.items.get(number);
            if let Some(entry) = known.filter(|entry| entry.fingerprint != Some(*print)) {
                let entry = ItemEntry {
                    fingerprint: Some(*print),
                    ..entry.clone()
                };
                self.edits.insert(*number, IndexEdit::Put(entry, None));
            }
        }
    }

    /// Plans what one file is to become.
    pub(super) fn plan_file(&mut self, name: String, writes: FileWrites) -> SyncResult<()> {
        let wrap = |error| source_error(self.config, error);
        let known = self.index.files.get(&name).cloned();
        if let (Place::Folder { .. }, Some((hash, old))) = (&self.place, &known)
            && writes.removes_all(old)
        {
            self.files.push(FileEdit::removal(&name, *hash)).map_err(wrap)?;
            self.order.remove(&name);
            return Ok(());
        }
        let (before, old) = known.map_or((None, Vec::new()), |(hash, old)| (Some(hash), old));
        let numbers: Vec<u64> = writes.numbers().collect();
        let planned = match self.take_document(&name) {
            Some(document) => FileEdit::plan(&name, before, document, &old, writes, self.format.as_ref())
                .map_err(|error| crate::sync::chain(&error)),
            None => Err(self.unreadable.get(&name).cloned().unwrap_or_default()),
        };
        let edit = match planned {
            Ok(edit) => edit,
            Err(reason) => {
                // What cannot be written is left; it does not stop the rest.
                let item = self.place.file_path(&name).display().to_string();
                self.report.set_aside.push(SetAside { item, reason });
                keep_file(
                    &mut self.edits,
                    &mut self.order,
                    self.index,
                    &self.view.base,
                    &name,
                    numbers.iter().copied(),
                );
                for number in numbers.iter().filter(|number| self.rewritten.remove(number)) {
                    let objects = self.work.objects;
                    if let Some(before) = StoredView::get(objects, &self.view.views, *number).map_err(wrap)? {
                        self.views.put_stored(objects, *number, before).map_err(wrap)?;
                    }
                }
                return Ok(());
            }
        };
        self.fingerprints(&edit);
        self.lens = edit.lens.or(self.lens);
        if let Some(hash) = edit.after {
            self.order.insert(name, (hash, edit.order.clone()));
        }
        self.files.push(edit).map_err(wrap)
    }

    pub(super) fn finish(mut self) -> SyncResult<OutPlan> {
        for (name, writes) in std::mem::take(&mut self.writes) {
            self.plan_file(name, writes)?;
        }
        for number in self.copies.not_mirrored(&self.mirrored) {
            self.views
                .remove(self.work.objects, number)
                .map_err(|error| source_error(self.config, error))?;
        }
        let views = self
            .views
            .flush(self.work.objects)
            .map_err(|error| source_error(self.config, error))?;
        Ok(OutPlan {
            views,
            first_new: self.view.next_item,
            rewritten: self.rewritten,
            report: self.report,
            files: self.files,
            edits: self.edits,
            agreed: self.agreed,
            order: self.order,
            heads: self.heads,
            next_item: self.next_item,
            lens: self.lens.or(self.view.lens),
            index: None,
        })
    }
}
