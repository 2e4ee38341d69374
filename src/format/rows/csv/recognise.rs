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

/// Returns whether rows under translated column names hold addresses and dates where the mapping expects them.
fn content_fits(mapping: &Mapping, header: &[String], sample: &[Vec<String>]) -> bool {
    let layout = Layout::bind(mapping, header);
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
    let values = |columns: &[usize]| -> Vec<&String> {
        let cells = sample
            .iter()
            .flat_map(|row| columns.iter().filter_map(|column| row.get(*column)));
        cells.filter(|text| !text.is_empty()).collect()
    };
    let addresses = values(&emails);
    !addresses.is_empty()
        && addresses.iter().all(|text| text.contains('@'))
        && values(&numbers)
            .iter()
            .all(|text| text.bytes().all(|byte| byte.is_ascii_digit()))
        && !header.iter().any(|name| name.contains('@'))
}
