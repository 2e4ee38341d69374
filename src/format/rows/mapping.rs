//! The mapping language: a TOML text becomes the groups of fields that the engine works with.
//!
//! `docs/mapping.md` documents the language for people; unknown words in a mapping are errors there and here.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::encoding::Encoding;
use crate::format::{FormatError, FormatInfo};
use crate::model::{FieldPath, Kind, Value, at_place, contact};

/// A compiled mapping.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a word of the mapping language that is there or not"
)]
#[derive(Debug, Clone)]
pub(super) struct Mapping {
    pub info: FormatInfo,
    /// The text it was compiled from; part of the lens.
    pub text: String,
    pub container: Container,
    /// Columns of a new file, in order. Fixed formats are also recognised by them, by name or by position.
    pub header: Vec<String>,
    /// Columns by which the format is recognised.
    pub detect: Vec<String>,
    /// Whether columns whose names are unknown (translated) are found by their position in `header`.
    pub positional: bool,
    /// Whether a few known columns and no unknown ones are enough to recognise the format.
    pub subset: bool,
    /// Whether files have no header row.
    pub headerless: bool,
    /// Whether files without a header row are a format of their own.
    pub also_headerless: bool,
    /// What separates several values in one cell of an element.
    pub multi: Option<String>,
    /// The start of a label that marks the preferred element.
    pub preferred: Option<String>,
    /// How dates are written where no date of the file shows it.
    pub date: DateStyle,
    /// The encoding of its files, where it says it.
    pub encoding: Option<Encoding>,
    /// Style of new files: `encoding delimiter newline quoting`, see [`super::csv`].
    pub style: String,
    pub groups: Vec<GroupSpec>,
}

/// What holds the cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Container {
    Csv,
    Ldif,
}

/// The order in which a date is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(super) enum DateStyle {
    #[serde(rename = "Y-M-D")]
    YearFirst,
    #[serde(rename = "M/D/Y")]
    MonthFirst,
    #[serde(rename = "D/M/Y")]
    DayFirst,
    #[serde(rename = "D.M.Y")]
    DayFirstDots,
}

/// Fields that stand for one thing: the card itself, one element, one entry of a map.
#[derive(Debug, Clone)]
pub(super) struct GroupSpec {
    pub home: Home,
    /// Name of the slot; `{n}` in it counts repetitions.
    pub slot: String,
    pub repeat: bool,
    /// How many repetitions a new file starts with.
    pub initial: usize,
    /// Leaves that being in this slot says.
    pub fixed: Vec<(FieldPath, Value)>,
    /// Leaves that forbid this slot.
    pub unless: Vec<FieldPath>,
    pub fields: Vec<FieldSpec>,
    pub companions: Vec<Companion>,
}

/// Where a group's fields are in the record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Home {
    /// The card itself.
    Root,
    /// An element with an id in this collection.
    Element(String),
    /// An entry of this map, under a key that a column shows.
    Keyed(String),
}

/// One or more columns that show one or more leaves.
#[derive(Debug, Clone)]
pub(super) struct FieldSpec {
    pub kind: FieldKind,
    /// Below the group's home.
    pub path: FieldPath,
    pub columns: Vec<ColumnName>,
    /// Texts that mean nothing.
    pub nothing: Vec<String>,
    /// The most characters that a cell keeps.
    pub max: Option<usize>,
    /// The text of a value that this field cannot hold starts so; the slot is then taken by something unreadable.
    pub unless_prefix: Option<String>,
    /// What a key must contain to have a place here.
    pub contains: Option<String>,
}

/// How cells and leaves correspond.
#[derive(Debug, Clone)]
pub(super) enum FieldKind {
    Text,
    /// Base64 of bytes.
    Bytes,
    /// Lines of one text, one per column, the rest in the last.
    Lines,
    Date,
    /// Year, month and day in a column each.
    DateParts,
    Label(LabelTable),
    /// Keys of a map of `true`, with this separator and the mark of those that the system made.
    Words {
        separator: String,
        system: Option<String>,
        /// Words that get the mark when they are new in a row.
        system_words: Vec<String>,
    },
    /// A text that says again what other fields say; only a deviation is stored.
    Derived {
        rules: Vec<Derivation>,
        when_new: bool,
    },
    /// The key of a [`Home::Keyed`] group.
    Key,
    /// The suffix of a name: generations and credentials among the components at the path.
    Suffix,
}

/// How a redundant text follows from the rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Derivation {
    /// The full name.
    Full,
    /// `Surname, Given`.
    LastFirst,
    /// `Given Surname`.
    FirstLast,
    /// The lines of an address.
    Address,
}

/// What label texts mean.
#[derive(Debug, Clone)]
pub(super) struct LabelTable {
    /// Text and leaves; the first text of equal leaves is the one that is written.
    pub entries: Vec<(String, Vec<(FieldPath, Value)>)>,
    /// Where an unknown text goes: the leaf `label`, or, ending in `*`, a key.
    pub other: String,
}

/// A column that goes with an element but holds nothing of the record.
#[derive(Debug, Clone)]
pub(super) struct Companion {
    pub column: ColumnName,
    /// What a new element gets there.
    pub constant: String,
    /// Texts that say that the slot holds something unreadable.
    pub occupied_by: Vec<String>,
}

/// A column's name and its other spellings.
#[derive(Debug, Clone)]
pub(super) struct ColumnName {
    pub name: String,
    pub aliases: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MappingFile {
    format: FormatTable,
    #[serde(default)]
    labels: BTreeMap<String, LabelFile>,
    #[serde(default)]
    column: Vec<ColumnFile>,
    #[serde(default)]
    element: Vec<ElementFile>,
}

#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a word of the mapping language that is there or not"
)]
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FormatTable {
    name: String,
    title: String,
    kind: Kind,
    container: Container,
    #[serde(default)]
    detect: Vec<String>,
    #[serde(default)]
    header: Vec<String>,
    #[serde(default)]
    positional: bool,
    #[serde(default)]
    subset: bool,
    #[serde(default)]
    headerless: bool,
    #[serde(default)]
    also_headerless: bool,
    multi: Option<String>,
    preferred: Option<String>,
    date: Option<DateStyle>,
    style: Option<String>,
    encoding: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LabelFile {
    other: Option<String>,
    entries: Vec<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ElementFile {
    slot: String,
    #[serde(rename = "in")]
    collection: String,
    #[serde(default)]
    repeat: bool,
    #[serde(default)]
    initial: usize,
    #[serde(default)]
    fixed: Vec<String>,
    #[serde(default)]
    unless: Vec<String>,
    columns: Vec<ColumnFile>,
}

#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a word of the mapping language that is there or not"
)]
#[derive(Deserialize, Clone, Default)]
#[serde(deny_unknown_fields)]
struct ColumnFile {
    name: String,
    #[serde(default)]
    aliases: Vec<String>,
    path: Option<String>,
    field: Option<String>,
    #[serde(default)]
    fixed: Vec<String>,
    #[serde(default)]
    unless: Vec<String>,
    #[serde(default)]
    date: bool,
    part: Option<DatePart>,
    line: Option<usize>,
    label: Option<String>,
    keywords: Option<String>,
    system: Option<String>,
    #[serde(default)]
    system_words: Vec<String>,
    #[serde(default)]
    derive: Vec<Derivation>,
    #[serde(default)]
    derive_new: bool,
    #[serde(default)]
    key: bool,
    #[serde(default)]
    binary: bool,
    #[serde(default)]
    suffix: bool,
    #[serde(default)]
    nothing: Vec<String>,
    max: Option<usize>,
    unless_prefix: Option<String>,
    contains: Option<String>,
    #[serde(default)]
    companion: bool,
    constant: Option<String>,
    #[serde(default)]
    occupied_by: Vec<String>,
}

#[derive(Deserialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum DatePart {
    Year,
    Month,
    Day,
}

fn fault(text: impl Into<String>) -> FormatError {
    FormatError::Mapping(text.into())
}

impl Mapping {
    /// Compiles a mapping text.
    pub(super) fn compile(text: &str) -> Result<Self, FormatError> {
        let file: MappingFile =
            toml::from_str(text).map_err(|error| fault(at_place(text, error.span(), error.message())))?;
        let format = file.format;
        let compiler = Compiler { labels: file.labels };
        let mut groups = vec![compiler.root(&file.column)?];
        for column in file.column.iter().filter(|column| slot_of(column).is_some()) {
            groups.push(compiler.column_element(column)?);
        }
        for element in &file.element {
            groups.push(compiler.element(element)?);
        }
        groups.retain(|group| !group.fields.is_empty());
        let mut slots: Vec<_> = groups.iter().map(|group| (&group.home, &group.slot)).collect();
        slots.sort_by_key(|(home, slot)| (format!("{home:?}"), *slot));
        if let Some(pair) = slots
            .windows(2)
            .find(|pair| pair[0] == pair[1] && *pair[0].0 != Home::Root)
        {
            return Err(fault(format!("two slots are named `{}`", pair[0].1)));
        }
        let mut names: Vec<String> = columns_of(&groups)
            .map(|column| super::layout::folded(&column.name))
            .collect();
        names.sort_unstable();
        if let Some([name, _]) = names.array_windows().find(|[left, right]| left == right) {
            return Err(fault(format!("two columns are named `{name}`")));
        }
        let encoding = match &format.encoding {
            Some(label) => {
                Some(Encoding::by_name(label).ok_or_else(|| fault(format!("`{label}` is no known encoding")))?)
            }
            None => None,
        };
        let mut header = format.header;
        if header.is_empty() {
            header = default_header(&file.column, &file.element);
        }
        if header.is_empty() && format.container == Container::Csv {
            return Err(fault("it names no column"));
        }
        Ok(Self {
            info: FormatInfo {
                name: format.name,
                kind: format.kind,
                title: format.title,
                folder_extension: None,
                has_ids: false,
            },
            text: text.to_owned(),
            container: format.container,
            header,
            detect: format.detect,
            positional: format.positional,
            subset: format.subset,
            headerless: format.headerless,
            also_headerless: format.also_headerless,
            multi: format.multi.filter(|separator| !separator.is_empty()),
            preferred: format.preferred,
            date: format.date.unwrap_or(DateStyle::YearFirst),
            encoding,
            style: format.style.unwrap_or_default(),
            groups,
        })
    }

    /// Returns the mapping of the same columns in files without a header, as a format of its own.
    ///
    /// Whether a file has a header is settled once, when it is bound: a first row that changes must not become one.
    pub(super) fn without_header(&self) -> Self {
        let mut mapping = self.clone();
        mapping.info.name.push_str("-headerless");
        mapping.info.title.push_str(" without a header");
        mapping.text.push_str("headerless");
        mapping.headerless = true;
        mapping
    }

    /// Returns every column name (without repetitions' numbers filled in) with its aliases.
    pub(super) fn columns(&self) -> impl Iterator<Item = &ColumnName> {
        columns_of(&self.groups)
    }
}

fn columns_of(groups: &[GroupSpec]) -> impl Iterator<Item = &ColumnName> {
    groups.iter().flat_map(|group| {
        let fields = group.fields.iter().flat_map(|field| &field.columns);
        fields.chain(group.companions.iter().map(|companion| &companion.column))
    })
}

/// Returns the collection, slot and field of a path such as `/notes/~Notes/note`.
fn slot_of(column: &ColumnFile) -> Option<(String, String, FieldPath)> {
    let path = FieldPath::parse(column.path.as_deref()?)?;
    match path.parts() {
        [collection, slot, field @ ..]
            if contact::has_elements(collection) && slot.starts_with('~') && !field.is_empty() =>
        {
            Some((
                collection.to_string(),
                slot[1..].to_owned(),
                FieldPath::new(field.iter().cloned()),
            ))
        }
        _ => None,
    }
}

fn default_header(columns: &[ColumnFile], elements: &[ElementFile]) -> Vec<String> {
    let mut header: Vec<String> = columns.iter().map(|column| column.name.clone()).collect();
    let fixed = elements.iter().filter(|element| !element.repeat);
    header.extend(fixed.flat_map(|element| element.columns.iter().map(|column| column.name.clone())));
    for element in elements.iter().filter(|element| element.repeat) {
        for n in 1..=element.initial {
            header.extend(element.columns.iter().map(|column| numbered(&column.name, n)));
        }
    }
    let mut seen = std::collections::BTreeSet::new();
    header.retain(|name| seen.insert(name.clone()));
    header
}

/// Fills the number of a repetition into a name.
///
/// Where `{n}` ends the name after `#` (`mail#{n}`), the first has no number: attributes of LDIF repeat their name.
pub(super) fn numbered(template: &str, n: usize) -> String {
    match template.strip_suffix("#{n}") {
        Some(name) if n == 1 => name.to_owned(),
        _ => template.replace("{n}", &n.to_string()),
    }
}

/// Reads `contexts/work` as a leaf `true`, `kind=birth` as a text.
fn leaf(text: &str) -> (FieldPath, Value) {
    match text.split_once('=') {
        Some((path, value)) => {
            let value = value.parse::<i64>().map_or_else(|_| value.into(), Value::Integer);
            (relative(path), value)
        }
        None => (relative(text), true.into()),
    }
}

fn relative(path: &str) -> FieldPath {
    FieldPath::new(path.split('/').filter(|part| !part.is_empty()))
}

struct Compiler {
    labels: BTreeMap<String, LabelFile>,
}

impl Compiler {
    fn root(&self, columns: &[ColumnFile]) -> Result<GroupSpec, FormatError> {
        let mut own = Vec::new();
        for column in columns.iter().filter(|column| slot_of(column).is_none()) {
            let pointer = column.path.as_deref();
            let pointer = pointer.ok_or_else(|| fault(format!("column `{}` has no path", column.name)))?;
            let path = FieldPath::parse(pointer)
                .filter(|path| !path.is_root())
                .ok_or_else(|| fault(format!("column `{}`: `{pointer}` is no path", column.name)))?;
            if path.parts().first().is_some_and(|first| contact::has_elements(first)) {
                return Err(fault(format!(
                    "column `{}`: `{pointer}` lacks a slot (`~name`) and a field",
                    column.name
                )));
            }
            if path.parts().iter().any(|part| part.starts_with('~')) {
                return Err(fault(format!(
                    "column `{}`: `{pointer}` has a slot where no elements are",
                    column.name
                )));
            }
            own.push((column, path));
        }
        self.group(Home::Root, "", &own)
    }

    fn column_element(&self, column: &ColumnFile) -> Result<GroupSpec, FormatError> {
        let (collection, slot, field) = slot_of(column).ok_or_else(|| fault("no slot"))?;
        let mut group = self.group(Home::Element(collection), &slot, &[(column, field)])?;
        group.fixed = column.fixed.iter().map(|text| leaf(text)).collect();
        group.unless = column.unless.iter().map(|text| relative(text)).collect();
        Ok(group)
    }

    fn element(&self, element: &ElementFile) -> Result<GroupSpec, FormatError> {
        let home = if contact::has_elements(&element.collection) {
            Home::Element(element.collection.clone())
        } else if element.columns.iter().any(|column| column.key) {
            Home::Keyed(element.collection.clone())
        } else {
            let name = &element.collection;
            return Err(fault(format!(
                "`{name}` has no elements; a column with `key = true` is needed"
            )));
        };
        if element.repeat != element.slot.contains("{n}") {
            return Err(fault(format!(
                "slot `{}`: `repeat` and `{{n}}` go together",
                element.slot
            )));
        }
        let own: Vec<_> = element
            .columns
            .iter()
            .map(|column| (column, relative(column.field.as_deref().unwrap_or_default())))
            .collect();
        let mut group = self.group(home, &element.slot, &own)?;
        group.repeat = element.repeat;
        group.initial = element.initial;
        group.fixed = element.fixed.iter().map(|text| leaf(text)).collect();
        group.unless = element.unless.iter().map(|text| relative(text)).collect();
        Ok(group)
    }

    fn group(&self, home: Home, slot: &str, columns: &[(&ColumnFile, FieldPath)]) -> Result<GroupSpec, FormatError> {
        let mut fields: Vec<FieldSpec> = Vec::new();
        let mut companions = Vec::new();
        for (column, path) in columns {
            let name = ColumnName {
                name: column.name.clone(),
                aliases: column.aliases.clone(),
            };
            if column.companion {
                companions.push(Companion {
                    column: name,
                    constant: column.constant.clone().unwrap_or_default(),
                    occupied_by: column.occupied_by.clone(),
                });
                continue;
            }
            let kind = self.kind(column)?;
            let at = match column.part {
                Some(DatePart::Month) => 1,
                Some(DatePart::Day) => 2,
                _ => 0,
            };
            let shared = fields
                .iter_mut()
                .find(|field| field.path == *path && matches!(field.kind, FieldKind::Lines | FieldKind::DateParts));
            if let Some(field) = shared {
                let at = column.line.map_or(at, |line| line.saturating_sub(1));
                if at != field.columns.len() {
                    return Err(fault(format!(
                        "column `{}`: lines and date parts stand in order",
                        column.name
                    )));
                }
                field.columns.push(name);
            } else {
                let simple = matches!(kind, FieldKind::Label(_) | FieldKind::Key);
                if path.is_root() && !simple && !matches!(home, Home::Keyed(_)) {
                    return Err(fault(format!("column `{}` has no field", column.name)));
                }
                fields.push(FieldSpec {
                    kind,
                    path: path.clone(),
                    columns: vec![name],
                    nothing: column.nothing.clone(),
                    max: column.max,
                    unless_prefix: column.unless_prefix.clone(),
                    contains: column.contains.clone(),
                });
            }
        }
        Ok(GroupSpec {
            home,
            slot: slot.to_owned(),
            repeat: false,
            initial: 0,
            fixed: Vec::new(),
            unless: Vec::new(),
            fields,
            companions,
        })
    }

    fn kind(&self, column: &ColumnFile) -> Result<FieldKind, FormatError> {
        Ok(if column.key {
            FieldKind::Key
        } else if column.date {
            FieldKind::Date
        } else if column.part.is_some() {
            FieldKind::DateParts
        } else if column.line.is_some() {
            FieldKind::Lines
        } else if column.binary {
            FieldKind::Bytes
        } else if column.suffix {
            FieldKind::Suffix
        } else if let Some(name) = &column.label {
            FieldKind::Label(self.table(name)?)
        } else if let Some(separator) = &column.keywords {
            FieldKind::Words {
                separator: separator.clone(),
                system: column.system.clone(),
                system_words: column.system_words.clone(),
            }
        } else if column.derive.is_empty() {
            FieldKind::Text
        } else {
            FieldKind::Derived {
                rules: column.derive.clone(),
                when_new: column.derive_new,
            }
        })
    }

    fn table(&self, name: &str) -> Result<LabelTable, FormatError> {
        let file = self
            .labels
            .get(name)
            .ok_or_else(|| fault(format!("no labels `{name}`")))?;
        let mut entries = Vec::new();
        for entry in &file.entries {
            let (text, leaves) = entry.split_first().ok_or_else(|| fault("an empty label entry"))?;
            entries.push((text.clone(), leaves.iter().map(|text| leaf(text)).collect()));
        }
        Ok(LabelTable {
            entries,
            other: file.other.clone().unwrap_or_else(|| "label".to_owned()),
        })
    }
}
