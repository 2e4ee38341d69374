//! What a person calls an operation: everything that one command committed.

use std::iter::Peekable;

use super::report::OperationReport;
use super::repository::{Repository, store_error};
use super::states::SHORTEST_PREFIX;
use super::{SyncError, SyncResult};
use crate::model::{SnapshotId, TimeMs};
use crate::port::Objects;
use crate::store::{Operation, OperationId, Operations, Store, StoreError, View};

/// One command's operations together.
pub(super) struct Command {
    /// Their ids, newest first.
    pub(super) ids: Vec<OperationId>,
    /// When the first was committed.
    pub(super) time: TimeMs,
    /// The command line.
    pub(super) words: String,
    /// The view before; none for what made the store, or where the log is not kept any further.
    pub(super) before: Option<View>,
    /// The views after its operations, oldest first; at least one.
    pub(super) steps: Vec<View>,
}

impl Command {
    /// Returns the view after the command.
    pub(super) fn after(&self) -> Option<&View> {
        self.steps.last()
    }

    /// Returns whether the command changed records or the configuration; what made the store did.
    fn has_changed(&self) -> bool {
        match (&self.before, self.after()) {
            (Some(before), Some(after)) => !same_data(before, after),
            _ => true,
        }
    }

    /// Returns the id that people see.
    pub(super) fn id(&self) -> Option<OperationId> {
        self.ids.first().copied()
    }

    /// Returns the view before, if the command changed something that can be put back.
    pub(super) fn undoable(&self, objects: &dyn Objects) -> Result<&View, &'static str> {
        let Some(before) = &self.before else {
            return Err("it is the first one that is kept");
        };
        if !self.has_changed() {
            return Err("it changed neither records nor the configuration");
        }
        let heads = |view: &View| {
            view.collections
                .values()
                .flat_map(|c| c.heads.clone())
                .collect::<Vec<_>>()
        };
        let is_kept = |id: &SnapshotId| objects.contains(&id.0);
        let after = self.after().map(heads).unwrap_or_default();
        if heads(before).iter().chain(&after).all(is_kept) {
            Ok(before)
        } else {
            Err("`gc` has freed what was dropped since")
        }
    }
}

/// Returns whether records and configuration are the same in two views.
fn same_data(earlier: &View, later: &View) -> bool {
    same_heads(earlier, later) && earlier.config == later.config
}

/// Returns whether the records are the same in two views.
pub(super) fn same_heads(earlier: &View, later: &View) -> bool {
    let heads = |view: &View| {
        let collections = view.collections.iter().filter(|(_, c)| !c.heads.is_empty());
        collections
            .map(|(name, c)| (name.clone(), c.heads.clone()))
            .collect::<Vec<_>>()
    };
    heads(earlier) == heads(later)
}

/// The commands of a store, newest first.
struct Commands(Peekable<Operations>);

impl Commands {
    fn next_of(&mut self) -> Result<Option<Command>, StoreError> {
        let Some((id, newest)) = self.0.next().transpose()? else {
            return Ok(None);
        };
        let mut ids = vec![id];
        let Operation {
            mut time,
            mut command,
            mut continues,
            view,
            ..
        } = newest;
        let mut steps = vec![view];
        while continues && let Some((id, earlier)) = self.0.next().transpose()? {
            ids.push(id);
            steps.push(earlier.view);
            (time, command, continues) = (earlier.time, earlier.command, earlier.continues);
        }
        let before = match self.0.peek() {
            Some(Ok((_, operation))) => Some(operation.view.clone()),
            Some(Err(error)) => return Err(error.clone()),
            None => None,
        };
        steps.reverse();
        Ok(Some(Command {
            ids,
            time,
            words: command,
            before,
            steps,
        }))
    }
}

impl Iterator for Commands {
    type Item = SyncResult<Command>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_of().map_err(store_error).transpose()
    }
}

fn commands(store: &Store) -> Commands {
    Commands(store.operations().peekable())
}

impl Repository {
    /// Lists what was done, newest first: what changed records or the configuration, and with `all` the bookkeeping too.
    pub fn ops(&self, limit: Option<usize>, all: bool) -> SyncResult<Vec<OperationReport>> {
        let mut list = Vec::new();
        for command in commands(&self.store) {
            if limit.is_some_and(|limit| list.len() >= limit) {
                break;
            }
            let command = command?;
            if all || command.has_changed() {
                list.push(OperationReport {
                    operation: command.id().map(|id| id.to_string()).unwrap_or_default(),
                    time: command.time.to_string(),
                    undoable: command.undoable(&self.store).is_ok(),
                    command: command.words,
                });
            }
        }
        Ok(list)
    }

    /// Finds a command by the id of one of its operations; without one, the newest that changed something.
    pub(super) fn command_to_undo(&self, operation: Option<&str>) -> SyncResult<Command> {
        let unknown = || SyncError::Unknown {
            what: "operation",
            name: operation.unwrap_or_default().to_owned(),
            candidates: Vec::new(),
        };
        if operation.is_some_and(|prefix| prefix.len() < SHORTEST_PREFIX) {
            return Err(unknown());
        }
        let wanted = operation.map(|prefix| self.store.operation(prefix).map_err(store_error));
        let wanted = wanted.transpose()?.map(|(id, _)| id);
        for command in commands(&self.store) {
            let command = command?;
            if wanted.map_or_else(|| command.has_changed(), |id| command.ids.contains(&id)) {
                return Ok(command);
            }
        }
        Err(unknown())
    }
}
