//! Sheets of workbooks: the input is the XML of the sheet, in a workbook that is in order.

#![no_main]

use std::io::{Cursor, Write};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

#[path = "table.rs"]
mod table;

const RELATIONS: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";

libfuzzer_sys::fuzz_target!(|xml: &str| {
    let parts = [
        (
            "_rels/.rels",
            format!("<r><Relationship Id=\"a\" Type=\"{RELATIONS}/officeDocument\" Target=\"b.xml\"/></r>"),
        ),
        ("b.xml", "<w><sheets><sheet name=\"S\" r:id=\"a\"/></sheets></w>".to_owned()),
        (
            "_rels/b.xml.rels",
            format!("<r><Relationship Id=\"a\" Type=\"{RELATIONS}/worksheet\" Target=\"s.xml\"/></r>"),
        ),
        ("s.xml", xml.to_owned()),
    ];
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    for (name, text) in parts {
        writer.start_file(name, options).expect("memory takes everything");
        writer.write_all(text.as_bytes()).expect("memory takes everything");
    }
    let book = writer.finish().expect("memory takes everything").into_inner();
    table::check("xlsx", "t.xlsx", &book);
});
