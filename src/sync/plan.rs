//! Plans of write-back, of items and of tables alike.

use super::SyncResult;
use super::config::SourceConfig;
use super::outtake::OutPlan;
use super::report::{RecordDifference, SourceReport};
use super::table::TablePlan;
use super::work::Work;

/// What a source is to become, by the way that its records take.
pub(super) enum Plan {
    /// A source of items.
    Items(Box<OutPlan>),
    /// A table.
    Table(Box<TablePlan>),
}

impl Plan {
    /// Returns whether anything is to be written into the source.
    pub(super) fn is_writing(&self) -> bool {
        match self {
            Self::Items(plan) => !plan.files.is_empty(),
            Self::Table(plan) => plan.is_writing(),
        }
    }

    /// Records the intent in the view of the source.
    pub(super) fn announce(&self, work: &mut Work<'_>, config: &SourceConfig) -> SyncResult<()> {
        match self {
            Self::Items(plan) => plan.announce(work, config),
            Self::Table(plan) => plan.announce(work, config),
        }
    }

    /// Returns what the plan says of its source.
    pub(super) fn into_report(self) -> SourceReport {
        match self {
            Self::Items(plan) => plan.report,
            Self::Table(plan) => plan.report,
        }
    }

    /// Calls `each` for every record that the plan writes, as the source will show it.
    pub(super) fn differences(
        &self,
        work: &Work<'_>,
        config: &SourceConfig,
        each: &mut dyn FnMut(RecordDifference) -> SyncResult<()>,
    ) -> SyncResult<()> {
        match self {
            Self::Items(plan) => plan.differences(work, config, each),
            Self::Table(plan) => plan.differences(work, config, each),
        }
    }
}
