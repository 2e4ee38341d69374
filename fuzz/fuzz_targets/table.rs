//! What holds of every table in a file: it opens or is an error; a write of nothing changes no byte that counts, and a
//! row that is removed is not there afterwards.

use std::path::Path;

use dsync::disk::Disk;
use dsync::source::table::{Location, RowEdit, Table, TableWrite, WriteOutcome, formats};

/// Opens the table that `bytes` are and edits it.
pub fn check(format: &str, file: &str, bytes: &[u8]) {
    let folder = tempfile::tempdir_in("/dev/shm").expect("a folder in memory");
    let path = folder.path().join(file);
    std::fs::write(&path, bytes).expect("a file in memory");
    let Some(mut table) = open(format, &path) else { return };
    let before = rows(&*table);
    if before.is_empty() {
        return;
    }
    let write = TableWrite {
        columns: Vec::new(),
        rows: vec![RowEdit::Delete { row: 0, old: Vec::new() }].into(),
    };
    if let Ok(WriteOutcome::Written(refused)) = table.write(&write) {
        assert_eq!(refused, []);
        let after = open(format, &path).map(|table| rows(&*table)).expect("a written table opens");
        assert_eq!(after.len(), before.len() - 1);
    }
}

fn open(format: &str, path: &Path) -> Option<Box<dyn Table>> {
    let formats = formats();
    let format = formats.iter().find(|known| known.info().name == format)?;
    let location = Location {
        path: path.to_owned(),
        table: None,
        password_file: None,
    };
    format.open(&Disk::default(), &location).ok()
}

/// Reads all rows; whether each can be understood.
fn rows(table: &dyn Table) -> Vec<bool> {
    let mut rows = Vec::new();
    let _end = table.read(&mut |row| {
        rows.push(table.cells(row.bytes, &mut |_, _| {}).is_ok());
        Ok(())
    });
    rows
}
