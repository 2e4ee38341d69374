//! Keeps the same data equal in many formats, on many systems, with history and field-level merge.
//!
//! Modules by rank; lower ranks never import higher ones (a test scans for it):
//! `model` · `spool` · `port` · `disk` · `tree` · `delta` · `merge` · `store` · `format` · `source` · `remote` · `sync` · `server` · `cli`.
//! `docs/architecture.md` names each module's entry type; `formats/SPEC.md` specifies stored and sent bytes.

pub mod cli;
pub mod delta;
pub mod disk;
pub mod format;
pub mod merge;
pub mod model;
pub mod port;
pub mod remote;
pub mod server;
pub mod source;
pub mod spool;
pub mod store;
pub mod sync;
pub mod tree;
