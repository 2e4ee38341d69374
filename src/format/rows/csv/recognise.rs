//! How sure a mapping is that a table is its own.

use crate::format::Confidence;
use crate::format::rows::layout::{self, Layout, folded};
use crate::format::rows::mapping::{FieldKind, Home, Mapping};
use crate::model::FieldPath;

/// Tells how well a header and some rows fit a mapping.
pub(super) fn confidence(mapping: &Mapping, header: &[String], sample: &[Vec<String>]) -> Confidence {
    let names: Vec<String> = header
        .iter()
        .map(|name| folded(name))
        .filter(|name| !name.is_empty())
        .collect();
    let known = layout::known_names(mapping);
    let known_count = names.iter().filter(|name| layout::knows(&known, name)).count();
    let in_header = |name: &&String| {
        let spellings = layout::spellings(mapping, name);
        spellings.iter().any(|name| names.contains(&folded(name)))
    };
    let signature = mapping.detect.iter().filter(in_header).count();
    let whole = !mapping.detect.is_empty() && signature == mapping.detect.len();
    if whole && known_count == names.len() {
        return Confidence::Certain;
    }
    if whole || (signature * 10 >= mapping.detect.len() * 6 && !mapping.detect.is_empty()) {
        return Confidence::Likely;
    }
    let subset = mapping.subset && known_count >= 3 && known_count * 4 >= names.len() * 3;
    if subset || (mapping.positional && layout::has_width(mapping, header) && content_fits(mapping, header, sample)) {
        return Confidence::Possible;
    }
    Confidence::No
}

/// Tells how well rows without a header fit a mapping that goes by position.
///
/// Every row must have the width of the mapping, addresses where it has addresses and numbers where it has parts of dates. A
/// header has neither, so the first row has to have an address or a number itself. Half of the rows must besides
/// repeat in one cell what others say, as the column of a derived name does.
pub(super) fn confidence_headerless(mapping: &Mapping, rows: &[Vec<String>]) -> Confidence {
    let width = mapping.header.len();
    let has_width = |row: &Vec<String>| match row.last() {
        Some(last) if last.is_empty() => [width, width + 1].contains(&row.len()),
        _ => row.len() == width,
    };
    if !mapping.positional || !rows.iter().all(has_width) {
        return Confidence::No;
    }
    let layout = Layout::bind(mapping, &mapping.header);
    let (emails, numbers) = telling_columns(mapping, &layout);
    let filled = |row: &Vec<String>, columns: &[usize]| {
        let cells = columns.iter().filter_map(|column| row.get(*column));
        cells.filter(|text| !text.trim().is_empty()).count()
    };
    let is_header = |row: &Vec<String>| filled(row, &emails) + filled(row, &numbers) == 0;
    if rows.first().is_none_or(is_header) || !cells_fit(&emails, &numbers, rows) {
        return Confidence::No;
    }
    let given = column_of(&layout, mapping, &["name", "components", "given", "value"]);
    let surname = column_of(&layout, mapping, &["name", "components", "surname", "value"]);
    let full = column_of(&layout, mapping, &["name", "full"]);
    let repeats = |row: &&Vec<String>| {
        let cell = |column: Option<usize>| column.and_then(|column| row.get(column)).map_or("", |text| text.trim());
        let (given, surname, full) = (cell(given), cell(surname), cell(full));
        !full.is_empty() && !given.is_empty() && full.starts_with(given) && full.ends_with(surname)
    };
    if rows.iter().filter(repeats).count() * 2 < rows.len() {
        return Confidence::No;
    }
    Confidence::Likely
}

fn column_of(layout: &Layout, mapping: &Mapping, path: &[&str]) -> Option<usize> {
    let root = layout
        .groups
        .iter()
        .find(|group| mapping.groups[group.spec].home == Home::Root)?;
    let fields = &mapping.groups[root.spec].fields;
    let (_, columns) = root
        .fields
        .iter()
        .find(|(at, _)| fields[*at].path == FieldPath::new(path.iter().copied()))?;
    columns.first().copied().flatten()
}

/// Returns whether rows under translated column names hold addresses and dates where the mapping expects them.
fn content_fits(mapping: &Mapping, header: &[String], sample: &[Vec<String>]) -> bool {
    let (emails, numbers) = telling_columns(mapping, &Layout::bind(mapping, header));
    cells_fit(&emails, &numbers, sample) && !header.iter().any(|name| name.contains('@'))
}

/// Lists the columns whose cells tell what they are: those of e-mail addresses and those of parts of dates.
fn telling_columns(mapping: &Mapping, layout: &Layout) -> (Vec<usize>, Vec<usize>) {
    let columns_of = |wanted: &dyn Fn(&Home, &FieldKind, &FieldPath) -> bool| -> Vec<usize> {
        let groups = layout
            .groups
            .iter()
            .filter_map(|group| Some((group, mapping.groups.get(group.spec)?)));
        groups
            .flat_map(|(group, spec)| {
                group
                    .fields
                    .iter()
                    .map(move |(at, columns)| (spec, &spec.fields[*at], columns))
            })
            .filter(|(spec, field, _)| wanted(&spec.home, &field.kind, &field.path))
            .flat_map(|(_, _, columns)| columns.iter().flatten().copied())
            .collect()
    };
    let emails = columns_of(&|home, _, path| {
        *home == Home::Element("emails".to_owned()) && path.parts().last().is_some_and(|part| part == "address")
    });
    let numbers = columns_of(&|_, kind, _| matches!(kind, FieldKind::DateParts));
    (emails, numbers)
}

/// Returns whether some cell of the first columns is filled, all of them are addresses, and all of the others numbers.
fn cells_fit(emails: &[usize], numbers: &[usize], rows: &[Vec<String>]) -> bool {
    let values = |columns: &[usize]| -> Vec<&String> {
        let cells = rows
            .iter()
            .flat_map(|row| columns.iter().filter_map(|column| row.get(*column)));
        cells.filter(|text| !text.is_empty()).collect()
    };
    let addresses = values(emails);
    !addresses.is_empty()
        && addresses.iter().all(|text| text.contains('@'))
        && values(numbers)
            .iter()
            .all(|text| text.bytes().all(|byte| byte.is_ascii_digit()))
}
