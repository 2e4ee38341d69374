//! Carrying out a plan of write-back: intent, files, and what is really there afterwards.

use super::config::SourceConfig;
use super::kept::keep_file;
use super::outtake::OutPlan;
use super::report::{RecordDifference, SetAside, SourceReport};
use super::work::Work;
use super::{SyncResult, source_error};
use crate::delta::{FieldOperation, Operation, apply};
use crate::model::contact::{align, same_class};
use crate::model::{Domain, FieldPath, Hash, Map, Value};
use crate::port::blob;
use crate::source::{FileEdit, FileOutcome, Index, IndexEdit, Writer, view_edits};
use crate::store::{Intent, SourceView};

impl OutPlan {
    /// Returns what will be known of the source once the plan is carried out.
    pub(super) fn intended(&self, work: &Work<'_>, config: &SourceConfig) -> SyncResult<SourceView> {
        let mut view = work.source_view(&config.name);
        let wrap = |error| source_error(config, error);
        let (index, views) =
            Index::store(work.objects, &view.index, &self.views, &self.edits, &self.agreed).map_err(wrap)?;
        view.index = index;
        view.views = views;
        view.files = Index::store_files(work.objects, &view.files, &self.order).map_err(wrap)?;
        view.base.clone_from(&self.heads);
        view.next_item = self.next_item;
        view.lens = self.lens;
        view.intent = None;
        Ok(view)
    }

    /// Records the intent in the view of the source.
    pub(super) fn announce(&self, work: &mut Work<'_>, config: &SourceConfig) -> SyncResult<()> {
        let intended = self.intended(work, config)?;
        let mut view = work.source_view(&config.name);
        view.intent = Some(Intent {
            index: intended.index,
            views: intended.views,
            files: intended.files,
            base: intended.base,
            next_item: intended.next_item,
            lens: intended.lens,
        });
        work.set_source_view(&config.name, view);
        Ok(())
    }

    /// Writes the files and settles what is known of the source by what is really there.
    pub(super) fn execute(mut self, work: &mut Work<'_>, config: &SourceConfig) -> SyncResult<SourceReport> {
        let place = work.place(config)?;
        let disk = work.env.disk.clone();
        let writer = Writer::new(&disk, &place);
        let total = self.files.len() as u64;
        work.env
            .progress
            .start(&format!("writing {}", config.name), Some(total));
        let mut files = std::mem::take(&mut self.files);
        let mut done = 0;
        let mut others = Vec::new();
        let written = writer.write_all(&mut files, &mut |number, outcome| {
            done += 1;
            work.env.progress.at(done);
            if !matches!(outcome, FileOutcome::Written) {
                others.push((number, outcome));
            }
        });
        written.map_err(|error| source_error(config, error))?;
        let as_intended = others.is_empty() && !files.is_empty();
        for (number, outcome) in others {
            let Some(edit) = files.get(number) else { continue };
            match outcome {
                FileOutcome::Written => {}
                FileOutcome::Rewritten(bytes) => self.normalised(work, config, edit, bytes)?,
                FileOutcome::ChangedMeanwhile => {
                    self.unwritten(work, config, edit)?;
                    let path = place.file_path(&edit.name).display().to_string();
                    self.report
                        .notes
                        .push(format!("`{path}` changed meanwhile; it is left for the next run"));
                }
                FileOutcome::Failed(error) => {
                    self.unwritten(work, config, edit)?;
                    let reason = format!("{error}: {}", error.source);
                    self.report.set_aside.push(SetAside {
                        item: place.file_path(&edit.name).display().to_string(),
                        reason,
                    });
                }
            }
        }
        work.env.progress.finish();
        let mut view = work.source_view(&config.name);
        match view.intent.take().filter(|_| as_intended) {
            Some(intent) => {
                view.index = intent.index;
                view.views = intent.views;
                view.files = intent.files;
                view.base = intent.base;
                view.next_item = intent.next_item;
                view.lens = intent.lens;
            }
            None => view = self.intended(work, config)?,
        }
        super::selection::note_filter(&mut view, config);
        super::prefer::note(&mut view, config);
        work.set_source_view(&config.name, view);
        Ok(self.report)
    }

    /// A file was not written: its items stay what they were.
    fn unwritten(&mut self, work: &Work<'_>, config: &SourceConfig, edit: &FileEdit) -> SyncResult<()> {
        let view = work.source_view(&config.name);
        let wrap = |error| source_error(config, error);
        if self.index.is_none() {
            self.index = Some(Index::load(work.objects, &view.index, &view.files).map_err(wrap)?);
        }
        if let Some(index) = &self.index {
            let planned = || edit.fingerprints.iter().map(|(number, _)| *number);
            keep_file(
                &mut self.edits,
                &mut self.order,
                index,
                &view.base,
                &edit.name,
                planned(),
            );
            for number in planned().filter(|number| self.rewritten.remove(number)) {
                if let Some(IndexEdit::Put(_, shown)) = self.edits.get_mut(&number) {
                    *shown = Some(Box::new(Index::view(work.objects, &view.views, number).map_err(wrap)?));
                }
            }
        }
        Ok(())
    }

    /// Something rewrote the file on the way. What differs where our write changed something is its normal form;
    /// what differs elsewhere is an edit, which the next scan takes in.
    fn normalised(
        &mut self,
        work: &Work<'_>,
        config: &SourceConfig,
        edit: &FileEdit,
        bytes: Vec<u8>,
    ) -> SyncResult<()> {
        let hash = Hash::of(Domain::Item, &bytes);
        let format = work.format(config)?;
        let whole = format.open(bytes).ok().filter(|document| {
            document.item_count() == edit.order.iter().filter(|number| **number != 0).count()
                && !edit.order.contains(&0)
        });
        let Some(document) = whole else {
            self.report
                .notes
                .push("the file was rewritten by another program while it was written".to_owned());
            // Left as intended: the next scan compares item by item.
            return Ok(());
        };
        let mut settled = true;
        let stored = work.source_view(&config.name).views;
        for (at, number) in edit.order.iter().enumerate() {
            let item = document.item(at);
            let print: [u8; 16] = Hash::of(Domain::Item, item.bytes).bytes()[..16]
                .try_into()
                .unwrap_or_default();
            if edit.fingerprints.binary_search(&(*number, print)).is_ok() {
                continue;
            }
            let views = self.views;
            let is_new = *number >= self.first_new;
            let Some(IndexEdit::Put(entry, view)) = self.edits.get_mut(number) else {
                settled = false;
                continue;
            };
            if view.is_none() && (is_new || self.rewritten.contains(number)) {
                let stored = Index::view(work.objects, &views, *number).map_err(|error| source_error(config, error))?;
                *view = Some(Box::new(stored));
            }
            let Some(intended) = view else {
                settled = false;
                continue;
            };
            let Ok(mut parsed) = document.parse(item.bytes) else {
                settled = false;
                continue;
            };
            blob::externalize(work.objects, &mut parsed.record)?;
            parsed.record.prune();
            let reference = Value::Map(intended.view.clone());
            let bindings = align(&parsed.record, Some(&reference), &intended.bindings, &|_, _| false);
            let mut actual = super::intake::rename(parsed.record, &bindings);
            actual.remove("uid");
            // What the item showed before is recorded until the plan is carried out.
            let before = if is_new {
                Map::new()
            } else {
                let before = Index::view(work.objects, &stored, *number);
                before.map_err(|error| source_error(config, error))?.view
            };
            let (accepted, others) = accepted(&before, &intended.view, &actual);
            if others {
                settled = false;
                // The next scan finds what is left as a person's edits.
                let change = Operation::Change(accepted);
                if let Ok(Some(Value::Map(view))) = apply(Some(&Value::Map(intended.view.clone())), &change) {
                    intended.view = view;
                }
            } else {
                entry.fingerprint = Some(print);
                entry.native_id = parsed.native_id;
                intended.view = actual;
                intended.bindings = bindings;
            }
        }
        // A file that holds more than our write stays known as we meant it, so that the next scan reads it.
        if settled {
            self.order.insert(edit.name.clone(), (hash, edit.order.clone()));
        }
        Ok(())
    }
}

/// Returns the differences between what we wrote and what is there that can be another spelling of it: they lie where
/// our write changed something, or are of one compare class. And whether there are others.
fn accepted(before: &Map, intended: &Map, actual: &Map) -> (Vec<FieldOperation>, bool) {
    let (before, intended_value, actual_value) = (
        Value::Map(before.clone()),
        Value::Map(intended.clone()),
        Value::Map(actual.clone()),
    );
    let edits = view_edits(intended, actual);
    let count = edits.len();
    let accepted: Vec<FieldOperation> = edits
        .into_iter()
        .filter(|edit| {
            let path: &FieldPath = edit.path();
            let ours = before.at(path) != intended_value.at(path);
            let same = match (intended_value.at(path), actual_value.at(path)) {
                (Some(left), Some(right)) => same_class(path, left, right),
                _ => false,
            };
            ours || same
        })
        .collect();
    let others = accepted.len() < count;
    (accepted, others)
}

impl OutPlan {
    /// Returns whether the tree of views has what an item is to show.
    fn has_view(&self, number: u64) -> bool {
        number >= self.first_new || self.rewritten.contains(&number)
    }

    /// Calls `each` for every item that the plan writes, as the source will show it.
    pub(super) fn differences(
        &self,
        work: &Work<'_>,
        config: &SourceConfig,
        each: &mut dyn FnMut(RecordDifference) -> SyncResult<()>,
    ) -> SyncResult<()> {
        let stored = work.source_view(&config.name);
        let index =
            Index::load(work.objects, &stored.index, &stored.files).map_err(|error| source_error(config, error))?;
        let state = work.state_at(&self.heads)?;
        for (number, edit) in &self.edits {
            let known = index.items.get(number).filter(|entry| entry.fingerprint.is_some());
            let old = match known {
                Some(_) => Some(
                    Index::view(work.objects, &stored.views, *number)
                        .map_err(|e| source_error(config, e))?
                        .view,
                ),
                None => None,
            };
            let (key, new) = match edit {
                IndexEdit::Put(entry, Some(view)) if entry.fingerprint.is_some() => {
                    (entry.key.clone(), Some(view.view.clone()))
                }
                IndexEdit::Put(entry, None) if self.has_view(*number) && entry.fingerprint.is_some() => {
                    let view = Index::view(work.objects, &self.views, *number).map_err(|e| source_error(config, e))?;
                    (entry.key.clone(), Some(view.view))
                }
                IndexEdit::Put(..) => continue,
                IndexEdit::Remove => match known {
                    Some(entry) => (entry.key.clone(), None),
                    None => continue,
                },
            };
            let (old, new) = (old.map(Value::Map), new.map(Value::Map));
            if let Some(mut line) =
                super::look::record_difference(work, &config.collection, &state, &key, old.as_ref(), new.as_ref())
            {
                line.source = Some(config.name.clone());
                line.direction = Some("out".to_owned());
                each(line)?;
            }
        }
        Ok(())
    }
}
