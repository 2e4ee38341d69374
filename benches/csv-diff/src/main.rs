//! Counts the rows that differ between two CSV files, with the engine of `qsv diff`; rows are known by their first column.

use std::fs::File;

use csv_diff::csv_diff::CsvByteDiffLocal;
use csv_diff::csv::Csv;

fn main() {
    let paths: Vec<String> = std::env::args().skip(1).collect();
    let [left, right] = paths.as_slice() else {
        eprintln!("usage: csv-diff-peer LEFT RIGHT");
        std::process::exit(2);
    };
    let open = |path: &str| Csv::with_reader_seek(File::open(path).expect("a readable file"));
    let differ = CsvByteDiffLocal::new().expect("threads");
    let found = differ.diff(open(left), open(right)).expect("two CSV files");
    println!("{}", found.as_slice().len());
}
