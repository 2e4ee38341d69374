//! The first step of a run: what the sources have to say.

use super::config::{Direction, SourceConfig};
use super::intake::{self, Taken};
use super::report::{SetAside, SourceAway, SourceReport};
use super::repository::{Run, heads_of};
use super::work::Work;
use super::{SyncError, SyncOptions, SyncResult, prefer, table, tabled};

impl Run {
    pub(super) fn scan(
        &mut self,
        work: &mut Work<'_>,
        sources: &[SourceConfig],
        options: &SyncOptions,
    ) -> SyncResult<()> {
        for config in sources {
            if table::format_of(config).is_some() {
                match self.scan_table(work, config, options) {
                    Err(SyncError::SourceUnreachable { location, reason, .. }) => {
                        self.away(config, location, reason);
                    }
                    result => result?,
                }
                continue;
            }
            let waiting = match tabled::refresh(work, config).and_then(|()| waiting(work, config, options)) {
                Err(SyncError::SourceUnreachable { location, reason, .. }) => {
                    self.away(config, location, reason);
                    continue;
                }
                waiting => waiting?,
            };
            if !waiting.is_empty() {
                self.add_source(SourceReport {
                    name: config.name.clone(),
                    set_aside: waiting,
                    ..SourceReport::default()
                });
            }
            if intake::is_untouched(work, config)? {
                self.untouched(config);
                continue;
            }
            let taken: Taken = intake::take_in(work, config, options.overrides, options.message.as_deref())?;
            if self.report.unions.is_empty() {
                self.report.unions = taken.unions;
            } else {
                self.report.unions.extend(taken.unions);
            }
            self.add_source(taken.report);
            self.indexes.insert(config.name.clone(), taken.items);
        }
        // What was read now was here before what comes next.
        self.before = heads_of(work);
        Ok(())
    }

    fn scan_table(&mut self, work: &mut Work<'_>, config: &SourceConfig, options: &SyncOptions) -> SyncResult<()> {
        prefer::refuse(config.prefer.as_deref())?;
        if table::is_untouched(work, config) {
            self.untouched(config);
            return Ok(());
        }
        let taken = table::take_in(work, config, options.overrides, options.message.as_deref())?;
        self.add_source(taken.report);
        self.tables.insert(config.name.clone(), taken.rows);
        Ok(())
    }

    fn untouched(&mut self, config: &SourceConfig) {
        self.untouched.insert(config.name.clone());
        self.add_source(SourceReport {
            name: config.name.clone(),
            ..SourceReport::default()
        });
    }

    /// Notes that the server of a source is away: nothing is read or written there in this run.
    pub(super) fn away(&mut self, config: &SourceConfig, location: String, reason: String) {
        self.away.insert(config.name.clone());
        self.add_source(SourceReport {
            name: config.name.clone(),
            unreachable: Some(SourceAway { location, reason }),
            ..SourceReport::default()
        });
    }
}

/// Writes what a table of items did not take yet; returns what it does not take now.
fn waiting(work: &Work<'_>, config: &SourceConfig, options: &SyncOptions) -> SyncResult<Vec<SetAside>> {
    if options.dry_run || config.direction == Direction::In {
        return Ok(Vec::new());
    }
    tabled::push(work, config)
}
