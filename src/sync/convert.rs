//! One format to another, without a store.

use std::cell::RefCell;
use std::path::Path;

use super::bind::{detect, output_format};
use super::report::{SetAside, SourceReport, SyncReport};
use super::repository::Repository;
use super::work::{format_named, in_encoding, place_of};
use super::{Environment, SyncError, SyncResult, other};
use crate::format::{Edit, NewItems};
use crate::model::contact::{align, rename_elements, title};
use crate::model::{RecordKey, Value, cbor};
use crate::source::{Place, StatCache, decorate};
use crate::spool::{Spool, SpoolError};

impl Repository {
    /// Reads one file or folder and writes its records in another format.
    pub fn convert(
        env: &Environment,
        input: &Path,
        output: &Path,
        from: Option<&str>,
        encoding: Option<&str>,
        to: Option<&str>,
        dry_run: bool,
    ) -> SyncResult<SyncReport> {
        if env.disk.stat(input)?.is_none() {
            return Err(SyncError::LocationMissing(input.to_owned()));
        }
        let source = match from {
            Some(name) => format_named(name)?,
            None => detect(env, input)?,
        };
        let source = in_encoding(source, encoding)?;
        let target = output_format(env, output, to)?;
        if env.disk.stat(output)?.is_some_and(|stat| stat.length_bytes > 0) && !env.disk.is_dir(output) {
            return Err(SyncError::Exists {
                what: "file",
                name: output.display().to_string(),
            });
        }
        let mut report = SourceReport {
            name: input.display().to_string(),
            ..SourceReport::default()
        };
        let records = read_all(env, &*source, input, &mut report)?;
        write_all(env, &*target, output, records, dry_run, &mut report)?;
        Ok(SyncReport {
            sources: vec![report],
            dry_run,
            ..SyncReport::default()
        })
    }
}

/// Reads the records of a file or folder, encoded: as values all of them take many times the bytes of the file.
fn read_all(
    env: &Environment,
    format: &dyn crate::format::Format,
    input: &Path,
    report: &mut SourceReport,
) -> SyncResult<Spool> {
    let place = place_of(format, input, env.disk.is_dir(input))?;
    let mut records = Spool::default();
    let files = place
        .files(&env.disk, &StatCache::default())
        .map_err(|error| other("listing the input", error))?;
    for file in files {
        let path = place.file_path(&file.name);
        let document = format.open(env.disk.read(&path)?).map_err(|source| SyncError::Format {
            location: path.display().to_string(),
            format: format.info().name.clone(),
            source,
        })?;
        let at = |line: u64| format!("{}:{line}", path.display());
        for broken in document.broken() {
            report.set_aside.push(SetAside {
                item: at(broken.line),
                reason: broken.reason.clone(),
            });
        }
        for index in 0..document.item_count() {
            let item = document.item(index);
            match document.parse(item.bytes) {
                Ok(parsed) => {
                    let bindings = align(&parsed.record, None, &std::collections::BTreeMap::new(), &|_, _| false);
                    let mut record = rename_elements(parsed.record.clone(), &bindings);
                    if let Value::Map(map) = &mut record {
                        decorate(map, None, &bindings);
                        if let Some(uid) = parsed.native_id {
                            map.insert("uid".to_owned(), Value::Text(uid.into()));
                        }
                    }
                    report.read.added += 1;
                    records.push(&[&cbor::encode(&record)])?;
                }
                Err(error) => report.set_aside.push(SetAside {
                    item: at(item.line),
                    reason: error.reason,
                }),
            }
        }
    }
    Ok(records)
}

/// Decodes records that [`read_all`] has read.
fn decoded(records: impl Iterator<Item = Result<Vec<u8>, SpoolError>>) -> impl Iterator<Item = SyncResult<Value>> {
    records.map(|bytes| cbor::decode(&bytes?).map_err(|error| other("keeping records", error)))
}

fn write_all(
    env: &Environment,
    format: &dyn crate::format::Format,
    output: &Path,
    records: Spool,
    dry_run: bool,
    report: &mut SourceReport,
) -> SyncResult<()> {
    let folder = env.disk.is_dir(output) || (output.extension().is_none() && format.info().folder_extension.is_some());
    let place = place_of(format, output, folder)?;
    let mut document = format.create(None);
    for record in decoded(records.iter()) {
        document.grow(&record?);
    }
    let document = document;
    let length_bytes = records.length_bytes();
    let failure = RefCell::new(None);
    // Each record becomes an item when the file needs it: in memory, the items would be as much again as the file.
    let records = decoded(records.drain()).map_while(|record| {
        let record = record.map_err(|error| *failure.borrow_mut() = Some(error));
        record.ok()
    });
    let mut items = records
        .enumerate()
        .filter_map(|(at, record)| match document.put(&record, None) {
            Ok(put) => {
                report.written.added += 1;
                report.not_shown += put.not_shown.len() as u64;
                let name = folder.then(|| RecordKey::from_identity(&format!("{at} {}", title(&record))));
                Some((name, put.bytes))
            }
            Err(error) => {
                report.set_aside.push(SetAside {
                    item: title(&record),
                    reason: error.reason,
                });
                None
            }
        });
    match &place {
        _ if dry_run => items.for_each(drop),
        Place::File(path) => {
            let more = NewItems {
                length_bytes,
                items: Box::new(items.map(|(_, bytes)| bytes)),
            };
            return env.disk.replace_by_pieces(path, |write| {
                document.write_new(more, write);
                failure.take().map_or(Ok(()), Err)
            });
        }
        Place::Folder { path, extension } => {
            env.disk.create_dir_all(path)?;
            for (name, bytes) in items.by_ref() {
                let name = name.map(|name| name.to_string()).unwrap_or_default();
                let file = path.join(format!("{name}.{extension}"));
                env.disk
                    .create_new(&file, &format.create(None).assemble(&[Edit::Append(bytes)]))?;
            }
        }
    }
    failure.take().map_or(Ok(()), Err)
}
