//! What else happens to systems: items that cannot be read for a while, operations that are taken back, stores that
//! come back from a backup.

use std::collections::BTreeSet;

use super::{Dice, Ledger, Player, Shape};
use crate::world::copy_tree;

/// Text of an item that makes it unreadable, in place of what was there.
pub(super) struct Broken {
    was: String,
    is: String,
}

impl Player<'_> {
    /// Makes an item of the source unreadable, where nothing was written since the last sync.
    pub(super) fn damage(&mut self, dice: &mut Dice) -> Option<String> {
        let (_, items) = self.read();
        if self.broken.is_some() || self.dirty || items.is_empty() {
            return None;
        }
        let at = dice.roll(items.len());
        let location = match self.shape {
            Shape::CardFolder => format!("{}/{}", self.shape.location(), items[at].file),
            _ => self.shape.location().to_owned(),
        };
        let text = self.system.read(&location);
        let broken = match self.shape {
            Shape::CardFile | Shape::CardFolder => {
                let last = items[at].parts.iter().rev().nth(1)?.clone();
                let whole = format!("{last}\r\nEND:VCARD\r\n");
                (text.matches(&whole).count() == 1).then(|| Broken {
                    is: format!("{last}\r\nX-NO-END:1\r\n"),
                    was: whole,
                })?
            }
            Shape::Ldif => {
                let cn = items[at].parts.iter().find(|part| part.starts_with("cn:"))?.clone();
                let cn = format!("\n{cn}\n");
                (text.matches(&cn).count() == 1).then(|| Broken {
                    is: "\ncn:: *no*base64*\n".to_owned(),
                    was: cn,
                })?
            }
            _ => {
                let cell = items[at].parts.iter().find(|cell| cell.contains('@'))?.clone();
                (text.matches(&cell).count() == 1).then(|| Broken {
                    is: format!("{cell}\u{fffd}"),
                    was: cell,
                })?
            }
        };
        self.put_broken(&location, &text.replace(&broken.was, &broken.is));
        let told = format!("{:?} breaks {:?}", self.shape, broken.was);
        self.broken = Some((location, broken));
        Some(told)
    }

    /// Makes the unreadable item what it was.
    pub(super) fn repair(&mut self) -> Option<String> {
        let (location, broken) = self.broken.take()?;
        let text = self.system.read(&location);
        assert_eq!(
            text.matches(&broken.is).count(),
            1,
            "a broken item was touched:\n{text}"
        );
        self.put_broken(&location, &text.replace(&broken.is, &broken.was));
        Some(format!("{:?} repairs {:?}", self.shape, broken.was))
    }

    /// Writes a file in which U+FFFD stands for a byte that is in no encoding.
    fn put_broken(&self, location: &str, text: &str) {
        let parts: Vec<&[u8]> = text.split('\u{fffd}').map(str::as_bytes).collect();
        self.system.write(location, parts.join(&[0xff_u8][..]));
    }

    /// Takes back what the last command changed, where nothing was written since.
    pub(super) fn take_back(&mut self, ledger: &mut Ledger) -> Option<String> {
        if self.broken.is_some() || self.dirty {
            return None;
        }
        let operations = self.system.repository().ops(None, false).unwrap();
        let last = operations.iter().find(|one| one.undoable)?.operation.clone();
        if self.undone.as_ref() == Some(&last) || self.set_up.contains(&last) {
            return None;
        }
        let before = self.held(ledger);
        let options = dsync::sync::SyncOptions {
            overrides: dsync::sync::Overrides {
                deletes: true,
                changes: true,
                empty: true,
                rollback: false,
            },
            ..dsync::sync::SyncOptions::default()
        };
        if let Err(error) = self.system.repository().undo(Some(&last), &options) {
            return Some(format!("{:?} cannot undo: {}", self.shape, crate::world::chain(&error)));
        }
        let after = self.held(ledger);
        ledger.superseded.extend(before.difference(&after).cloned());
        self.undone = Some(self.system.last_change());
        Some(format!("{:?} undoes {last}", self.shape))
    }

    /// The values that the system shows or keeps in conflicts.
    fn held(&self, ledger: &Ledger) -> BTreeSet<String> {
        let mut shown = self.system.shown();
        shown.records.append(&mut shown.conflicts);
        let text = shown.records.join("\n");
        let values = ledger.written.keys();
        values.filter(|value| text.contains(*value)).cloned().collect()
    }

    /// Keeps a copy of the store.
    pub(super) fn back_up(&mut self) -> String {
        let kept = tempfile::tempdir().unwrap();
        copy_tree(&self.system.path(".dsync"), kept.path());
        self.backup = Some(kept);
        format!("{:?} backs up", self.shape)
    }

    /// Puts the copy of the store in its place; the sources stay as they are.
    pub(super) fn come_back(&mut self) -> Option<String> {
        let kept = self.backup.take()?;
        copy_tree(kept.path(), &self.system.path(".dsync"));
        self.undone = None;
        Some(format!("{:?} comes back from a backup", self.shape))
    }

    /// Something that happens to a system.
    pub(super) fn suffer(&mut self, dice: &mut Dice, ledger: &mut Ledger) -> String {
        let told = match dice.roll(8) {
            0 | 1 => self.damage(dice),
            2 | 3 => self.repair(),
            4 => self.take_back(ledger),
            5 | 6 => Some(self.back_up()),
            _ => self.come_back(),
        };
        told.unwrap_or_default()
    }
}
