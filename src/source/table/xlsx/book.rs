//! A workbook: the parts of its zip file.

use std::collections::BTreeMap;
use std::io::{Cursor, Read, Write};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

use super::date::{self, Epoch, Shows};
use super::xml::{Token, Walker, decode_escapes};
use crate::format::ItemError;

/// The largest part that is read, unpacked (chosen: a sheet of a million rows and 30 columns has it; a zip bomb more).
const PART_MAX_BYTES: u64 = 1 << 30;
/// The most parts (chosen: a workbook has some per sheet and picture).
const MAX_PARTS: usize = 20_000;

/// An open workbook.
pub(super) struct Book {
    archive: ZipArchive<Cursor<Vec<u8>>>,
    /// Sheets in their order: name and part.
    pub(super) sheets: Vec<(String, String)>,
    pub(super) epoch: Epoch,
    pub(super) strings: Vec<String>,
    /// What the cell styles show, by their number.
    pub(super) styles: Vec<Option<Shows>>,
    workbook: String,
}

fn broken(error: impl std::fmt::Display) -> ItemError {
    ItemError::new(format!("it is no workbook that can be read: {error}"))
}

impl Book {
    /// Opens a workbook with what all sheets share.
    pub(super) fn open(bytes: Vec<u8>) -> Result<Self, ItemError> {
        let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(broken)?;
        if archive.len() > MAX_PARTS || archive.has_duplicate_names() {
            return Err(broken("its parts are too many, or two have one name"));
        }
        let root = relations(&mut archive, "")?;
        let workbook = root.iter().find(|(_, kind, _)| kind.ends_with("/officeDocument"));
        let workbook = workbook.map_or("xl/workbook.xml", |(.., target)| target).to_owned();
        let parts = relations(&mut archive, &workbook)?;
        let text = part(&mut archive, &workbook)?.ok_or_else(|| broken("it has no workbook part"))?;
        let of_kind = |wanted: &str| {
            let found = parts.iter().find(|(_, kind, _)| kind.ends_with(wanted));
            found.map(|(.., target)| target.clone())
        };
        let (sheets, epoch) = sheets_of(&text, &parts)?;
        let mut shared = |kind| match of_kind(kind) {
            Some(name) => Ok(part(&mut archive, &name)?.unwrap_or_default()),
            None => Ok(String::new()),
        };
        let (strings, styles) = (shared("/sharedStrings")?, shared("/styles")?);
        Ok(Self {
            sheets,
            epoch,
            strings: strings_of(&strings)?,
            styles: styles_of(&styles)?,
            archive,
            workbook,
        })
    }

    /// Returns the text of a part.
    pub(super) fn part(&mut self, name: &str) -> Result<String, ItemError> {
        part(&mut self.archive, name)?.ok_or_else(|| broken(format!("it has no part `{name}`")))
    }

    /// Returns the workbook with another text in the place of a part; all others are copied as they are packed.
    ///
    /// Where formulas are computed from cells, programs are told to compute them anew.
    pub(super) fn with_part(&mut self, name: &str, text: &str) -> Result<Vec<u8>, ItemError> {
        let book = part(&mut self.archive, &self.workbook)?.unwrap_or_default();
        let book = computes_anew(&book);
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        for at in 0..self.archive.len() {
            let file = self.archive.by_index_raw(at).map_err(broken)?;
            let new = match file.name().map_err(broken)? {
                own if own == name => Some(text),
                own if own == self.workbook => book.as_deref(),
                _ => None,
            };
            let Some(new) = new else {
                writer.raw_copy_file(file).map_err(broken)?;
                continue;
            };
            let mut options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
            if let Some(time) = file.last_modified() {
                options = options.last_modified_time(time);
            }
            let own = file.name().map_err(broken)?.into_owned();
            writer.start_file(own, options).map_err(broken)?;
            writer.write_all(new.as_bytes()).map_err(broken)?;
        }
        Ok(writer.finish().map_err(broken)?.into_inner())
    }
}

/// Makes a workbook of one sheet.
pub(super) fn new_book(sheet: &str, name: &str) -> Result<Vec<u8>, ItemError> {
    const MAIN: &str = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
    const RELATIONS: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    const PACKAGE: &str = "http://schemas.openxmlformats.org/package/2006";
    const TYPE: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml";
    const HEAD: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n";
    let name = quick_xml::escape::escape(name);
    let parts = [
        (
            "[Content_Types].xml",
            format!(
                "{HEAD}<Types xmlns=\"{PACKAGE}/content-types\"><Default Extension=\"rels\" \
                 ContentType=\"application/vnd.openxmlformats-package.relationships+xml\"/><Override \
                 PartName=\"/xl/workbook.xml\" ContentType=\"{TYPE}.sheet.main+xml\"/><Override \
                 PartName=\"/xl/worksheets/sheet1.xml\" ContentType=\"{TYPE}.worksheet+xml\"/></Types>"
            ),
        ),
        (
            "_rels/.rels",
            format!(
                "{HEAD}<Relationships xmlns=\"{PACKAGE}/relationships\"><Relationship Id=\"rId1\" \
                 Type=\"{RELATIONS}/officeDocument\" Target=\"xl/workbook.xml\"/></Relationships>"
            ),
        ),
        (
            "xl/workbook.xml",
            format!(
                "{HEAD}<workbook xmlns=\"{MAIN}\" xmlns:r=\"{RELATIONS}\"><sheets><sheet name=\"{name}\" \
                 sheetId=\"1\" r:id=\"rId1\"/></sheets></workbook>"
            ),
        ),
        (
            "xl/_rels/workbook.xml.rels",
            format!(
                "{HEAD}<Relationships xmlns=\"{PACKAGE}/relationships\"><Relationship Id=\"rId1\" \
                 Type=\"{RELATIONS}/worksheet\" Target=\"worksheets/sheet1.xml\"/></Relationships>"
            ),
        ),
        (
            "xl/worksheets/sheet1.xml",
            format!("{HEAD}<worksheet xmlns=\"{MAIN}\"><sheetData>{sheet}</sheetData></worksheet>"),
        ),
    ];
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    // Without a time of its own, so that one table always makes the same bytes.
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
    let options = options.last_modified_time(zip::DateTime::default());
    for (name, text) in parts {
        writer.start_file(name, options).map_err(broken)?;
        writer.write_all(text.as_bytes()).map_err(broken)?;
    }
    Ok(writer.finish().map_err(broken)?.into_inner())
}

/// Returns the text of the workbook part that asks for all formulas to be computed on opening; `None` where it does.
fn computes_anew(text: &str) -> Option<String> {
    let at = text.find("calcPr")?;
    let (before, after) = text.split_at(at + "calcPr".len());
    let tag = after.split_once('>').map_or(after, |(tag, _)| tag);
    (!tag.contains("fullCalcOnLoad")).then(|| format!("{before} fullCalcOnLoad=\"1\"{after}"))
}

/// Reads a part; `None` where there is none.
fn part(archive: &mut ZipArchive<Cursor<Vec<u8>>>, name: &str) -> Result<Option<String>, ItemError> {
    let index = archive.index_for_name(name).or_else(|| {
        let mut names = archive.file_names().flatten();
        names.position(|known| known.eq_ignore_ascii_case(name))
    });
    let Some(index) = index else { return Ok(None) };
    let file = archive.by_index(index).map_err(broken)?;
    let mut bytes = Vec::new();
    file.take(PART_MAX_BYTES + 1).read_to_end(&mut bytes).map_err(broken)?;
    if bytes.len() as u64 > PART_MAX_BYTES {
        return Err(broken(format!(
            "its part `{name}` is larger than {PART_MAX_BYTES} bytes"
        )));
    }
    let text = String::from_utf8(bytes).map_err(|_| broken(format!("its part `{name}` is not UTF-8")))?;
    Ok(Some(text.strip_prefix('\u{feff}').map_or(text.clone(), str::to_owned)))
}

/// Lists the relations of a part: id, type, and the part that is meant.
fn relations(archive: &mut ZipArchive<Cursor<Vec<u8>>>, of: &str) -> Result<Vec<(String, String, String)>, ItemError> {
    let (folder, file) = of.rsplit_once('/').unwrap_or(("", of));
    let own = if folder.is_empty() {
        String::new()
    } else {
        format!("{folder}/")
    };
    let text = part(archive, &format!("{own}_rels/{file}.rels"))?.unwrap_or_default();
    let mut list = Vec::new();
    let mut walker = Walker::new(&text);
    while let Some((token, _)) = walker.next()? {
        let Token::Open(element, _) = token else { continue };
        let get = |name| element.attribute(name).unwrap_or_default();
        if element.name == "Relationship" {
            let target = get("Target");
            let target = match target.strip_prefix('/') {
                Some(whole) => whole.to_owned(),
                None => format!("{own}{target}"),
            };
            list.push((get("Id"), get("Type"), target));
        }
    }
    Ok(list)
}

type Sheets = Vec<(String, String)>;

fn sheets_of(text: &str, parts: &[(String, String, String)]) -> Result<(Sheets, Epoch), ItemError> {
    let mut sheets = Vec::new();
    let mut epoch = Epoch::Y1900;
    let mut walker = Walker::new(text);
    while let Some((token, _)) = walker.next()? {
        let Token::Open(element, _) = token else { continue };
        match element.name.as_str() {
            "workbookPr" if matches!(element.attribute("date1904").as_deref(), Some("1" | "true")) => {
                epoch = Epoch::Y1904;
            }
            "sheet" => {
                let id = element.attribute("id").unwrap_or_default();
                let found = parts
                    .iter()
                    .find(|(known, kind, _)| *known == id && kind.ends_with("/worksheet"));
                // Sheets of charts and macros hold no cells.
                if let (Some(name), Some((.., target))) = (element.attribute("name"), found) {
                    sheets.push((name, target.clone()));
                }
            }
            _ => {}
        }
    }
    Ok((sheets, epoch))
}

fn strings_of(text: &str) -> Result<Vec<String>, ItemError> {
    let mut strings = Vec::new();
    let mut walker = Walker::new(text);
    while let Some((token, _)) = walker.next()? {
        if let Token::Open(element, is_empty) = token
            && element.name == "si"
        {
            strings.push(if is_empty {
                String::new()
            } else {
                text_of(&mut walker, "si")?
            });
        }
    }
    Ok(strings)
}

/// Reads the text of a string with its runs, up to the end of the element `end`; readings of Japanese names aside.
pub(super) fn text_of(walker: &mut Walker<'_>, end: &str) -> Result<String, ItemError> {
    let mut out = String::new();
    let mut run = String::new();
    let (mut is_text, mut keeps_blanks, mut is_reading) = (false, false, false);
    while let Some((token, _)) = walker.next()? {
        match token {
            Token::Open(element, false) if element.name == "t" => {
                is_text = !is_reading;
                keeps_blanks = element.attribute("space").as_deref() == Some("preserve");
            }
            Token::Open(element, false) if element.name == "rPh" => is_reading = true,
            Token::Close(name) if name == "rPh" => is_reading = false,
            Token::Close(name) if name == "t" => {
                is_text = false;
                let text = if keeps_blanks {
                    run.as_str()
                } else {
                    run.trim_matches([' ', '\t', '\n', '\r'])
                };
                out.push_str(text);
                run.clear();
            }
            Token::Close(name) if name == end => break,
            Token::Text(text) if is_text => run.push_str(&text),
            _ => {}
        }
    }
    Ok(decode_escapes(&out))
}

fn styles_of(text: &str) -> Result<Vec<Option<Shows>>, ItemError> {
    let mut codes: BTreeMap<u32, Option<Shows>> = BTreeMap::new();
    let mut styles = Vec::new();
    let mut is_cells = false;
    let mut walker = Walker::new(text);
    while let Some((token, _)) = walker.next()? {
        match token {
            Token::Open(element, is_empty) => {
                let number = |name| element.attribute(name).and_then(|text| text.parse::<u32>().ok());
                match element.name.as_str() {
                    "numFmt" => {
                        if let (Some(id), Some(code)) = (number("numFmtId"), element.attribute("formatCode")) {
                            codes.insert(id, date::of_code(&code));
                        }
                    }
                    "cellXfs" => is_cells = !is_empty,
                    "xf" if is_cells => {
                        let id = number("numFmtId").unwrap_or_default();
                        styles.push(codes.get(&id).copied().unwrap_or_else(|| date::built_in(id)));
                    }
                    _ => {}
                }
            }
            Token::Close(name) if name == "cellXfs" => is_cells = false,
            _ => {}
        }
    }
    Ok(styles)
}
