//! `dsync resolve`: decides conflicts.

use clap::Args;
use serde_json::Value as Json;

use super::arguments::DryRun;
use super::conflicts;
use super::context::Context;
use super::error::Exit;
use super::text::value;
use crate::sync::{ConflictReport, KEY_FIELD, Repository, Resolution, SyncError, SyncReport, SyncResult};

/// Decide a conflict
///
/// Alone, on a terminal, it walks through all open conflicts.
#[derive(Debug, Args)]
#[command(
    after_long_help = "Examples:\n  dsync resolve contacts 0f1e2d3c /name/full --take 2\n  \
    dsync resolve contacts --by-policy"
)]
pub(super) struct Resolve {
    /// The collection
    collection: Option<String>,
    /// The record
    key: Option<String>,
    /// The field, as `dsync conflicts` prints it, or `@key` [default: the record itself, or its only conflict]
    field: Option<String>,
    /// Take the N-th value, or `base` for the one before both
    #[arg(long, value_name = "N|base", group = "decision")]
    take: Option<String>,
    /// Take another value
    #[arg(long, value_name = "JSON", group = "decision")]
    value: Option<String>,
    /// Say that KEY2 is the same record
    #[arg(long, value_name = "KEY2", group = "decision", conflicts_with = "field")]
    same_as: Option<String>,
    /// Say that KEY2 is another record
    #[arg(long, value_name = "KEY2", group = "decision", conflicts_with = "field")]
    distinct: Option<String>,
    /// Decide the open conflicts of the collection as its policies would show them (`dsync collections set`)
    ///
    /// What a policy leaves to a person stays open: removals, keys, and with `prefer:SYSTEM` what that system did not write.
    #[arg(long, group = "decision", requires = "collection", conflicts_with = "key")]
    by_policy: bool,
    #[command(flatten)]
    dry_run: DryRun,
}

impl Resolve {
    pub(super) fn run(&self, cx: &Context<'_>) -> SyncResult<Exit> {
        if let (true, Some(collection)) = (self.by_policy, &self.collection) {
            let report = cx.repository()?.resolve_by_policy(collection, self.dry_run.dry_run)?;
            return finish(cx, &report);
        }
        let decision = self.decision()?;
        let (Some(collection), Some(key)) = (&self.collection, &self.key) else {
            if decision.is_some() || self.collection.is_some() {
                return Err(SyncError::Usage(
                    "say of which record: `dsync resolve COLLECTION KEY …`".to_owned(),
                ));
            }
            return self.walk(cx);
        };
        let Some(resolution) = decision else {
            return Err(SyncError::Usage(
                "say what to take: `--take N`, `--take base`, `--value JSON`, `--same-as KEY2` or `--distinct KEY2`"
                    .to_owned(),
            ));
        };
        let field = self.field.as_deref();
        let dry_run = self.dry_run.dry_run;
        let report = cx.repository()?.resolve(collection, key, field, &resolution, dry_run)?;
        finish(cx, &report)
    }

    fn decision(&self) -> SyncResult<Option<Resolution>> {
        if let Some(take) = &self.take {
            return match take.as_str() {
                "base" => Ok(Some(Resolution::TakeBase)),
                number => match number.parse() {
                    Ok(number) if number > 0 => Ok(Some(Resolution::Take(number))),
                    _ => Err(SyncError::Usage(format!(
                        "`--take {number}` is neither a number from 1 nor `base`"
                    ))),
                },
            };
        }
        if let Some(text) = &self.value {
            let json: Json = serde_json::from_str(text).map_err(|error| {
                SyncError::Usage(format!(
                    "`--value {text}` is not JSON ({error}); quote text twice: '\"text\"'"
                ))
            })?;
            return Ok(Some(Resolution::Value(json)));
        }
        Ok(match (&self.same_as, &self.distinct) {
            (Some(other), _) => Some(Resolution::SameAs(other.clone())),
            (_, Some(other)) => Some(Resolution::Distinct(other.clone())),
            _ => None,
        })
    }

    /// Asks about each open conflict.
    fn walk(&self, cx: &Context<'_>) -> SyncResult<Exit> {
        if !cx.ui.may_ask() {
            return Err(SyncError::Usage(
                "without a terminal say what to resolve: `dsync resolve COLLECTION KEY [FIELD] --take N`".to_owned(),
            ));
        }
        let mut repository = cx.repository()?;
        let conflicts = repository.conflicts()?;
        let total = conflicts.len();
        if total == 0 {
            cx.ui.note("no conflicts");
            return Ok(Exit::Done);
        }
        let mut last = None;
        for (number, conflict) in conflicts.iter().enumerate() {
            cx.check_interrupt()?;
            cx.ui.line(format!("\nconflict {} of {total}", number + 1))?;
            match self.ask(cx, &mut repository, conflict)? {
                Answer::Resolved(report) => last = Some(report),
                Answer::Skipped => {}
                Answer::Stop => break,
            }
        }
        match last {
            Some(report) => finish(cx, &report),
            None => Ok(Exit::Open),
        }
    }

    fn ask(&self, cx: &Context<'_>, repository: &mut Repository, conflict: &ConflictReport) -> SyncResult<Answer> {
        conflicts::print(cx.ui, conflict)?;
        cx.ui.flush()?;
        if conflict.kind == "identity" {
            cx.ui.note("  decide it with `--same-as` or `--distinct`");
            return Ok(Answer::Skipped);
        }
        let mut choices: Vec<(String, Option<Resolution>)> = conflict
            .alternatives
            .iter()
            .map(|side| {
                (
                    conflicts::side_text(cx.ui, &conflict.path, side),
                    Some(Resolution::Take(side.n)),
                )
            })
            .collect();
        if let Some(base) = &conflict.base {
            choices.push((
                format!("{}  the value before both", value(&conflict.path, base)),
                Some(Resolution::TakeBase),
            ));
        }
        choices.push(("leave it open".to_owned(), None));
        choices.push(("stop".to_owned(), None));
        let names: Vec<&str> = choices.iter().map(|(name, _)| name.as_str()).collect();
        let chosen = dialoguer::Select::new()
            .with_prompt("take")
            .items(&names)
            .default(0)
            .interact_opt()
            .map_err(prompt_failed)?;
        let stop = choices.len() - 1;
        match chosen {
            None => Ok(Answer::Stop),
            Some(index) if index == stop => Ok(Answer::Stop),
            Some(index) => match choices.into_iter().nth(index).and_then(|(_, resolution)| resolution) {
                None => Ok(Answer::Skipped),
                Some(resolution) => {
                    let path = match conflict.kind.as_str() {
                        "key" => Some(KEY_FIELD),
                        _ => Some(conflict.path.as_str()).filter(|path| !path.is_empty()),
                    };
                    let dry_run = self.dry_run.dry_run;
                    let report = repository.resolve(&conflict.collection, &conflict.key, path, &resolution, dry_run)?;
                    Ok(Answer::Resolved(Box::new(report)))
                }
            },
        }
    }
}

/// Prints what was decided and names the next step.
fn finish(cx: &Context<'_>, report: &SyncReport) -> SyncResult<Exit> {
    let exit = super::report::finish(cx, report)?;
    if !report.dry_run {
        cx.ui.note("next: `dsync sync` tells the other systems");
    }
    Ok(exit)
}

enum Answer {
    Resolved(Box<SyncReport>),
    Skipped,
    Stop,
}

/// Returns the error for a question that could not be asked; Ctrl-C at a question is Ctrl-C.
pub(super) fn prompt_failed(error: dialoguer::Error) -> SyncError {
    let dialoguer::Error::IO(source) = error;
    if source.kind() == std::io::ErrorKind::Interrupted {
        return SyncError::Interrupted;
    }
    SyncError::Other {
        what: "cannot ask on this terminal".to_owned(),
        source: Box::new(source),
    }
}
