//! Tests of the whole program and of the shape of its source.

#![allow(clippy::unwrap_used, reason = "a failing test may panic")]
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_possible_wrap,
    clippy::format_collect,
    clippy::format_push_string,
    clippy::needless_pass_by_value,
    clippy::too_many_lines,
    clippy::fn_params_excessive_bools,
    reason = "scenarios are read from top to bottom, and their numbers are small"
)]

mod broken;
mod clash;
mod cli;
mod commands;
mod converge;
mod copies;
mod crash;
mod env;
mod errors;
mod generated;
mod hostile;
mod identity;
mod lossy;
mod network;
mod newer;
mod partly;
mod parts;
mod peers;
mod postgres;
mod prefer;
mod quiet;
mod ranks;
mod readme;
mod rename;
mod rolling;
mod safeguards;
mod selection;
mod table_columns;
mod table_contacts;
mod table_corpus;
mod table_crash;
mod table_files;
mod table_filter;
mod table_history;
mod table_mapping;
mod table_normal;
mod table_random;
mod table_rules;
mod table_selection;
mod table_sync;
mod traps;
mod undo;
mod world;
