//! Line-wise merge of texts of several lines.

use crate::model::{BlobShape, Value};
use crate::port::{ObjectError, Objects, blob};

/// Longer texts stay in conflict (chosen: bounds time without a clock, which would make replicas differ).
const MAX_BYTES: u64 = 1 << 20;
/// Texts of more lines stay in conflict; the cost grows with lines times differences.
const MAX_LINES: usize = 20_000;

/// Merges `alternatives` line by line over `base`, in the given order; `None` when they are no such texts or clash.
pub(super) fn merge(
    objects: &dyn Objects,
    base: &Value,
    alternatives: &[&Value],
) -> Result<Option<Value>, ObjectError> {
    let Some(base) = load(objects, base)? else {
        return Ok(None);
    };
    let mut several_lines = base.contains('\n');
    let mut merged: Option<String> = None;
    for alternative in alternatives {
        let Some(text) = load(objects, alternative)? else {
            return Ok(None);
        };
        // A return to the old text, or its being chosen again, is a write; by lines it would count for nothing.
        if text == base {
            return Ok(None);
        }
        several_lines |= text.contains('\n');
        merged = match merged {
            None => Some(text),
            Some(before) => match merge_three(&base, &before, &text) {
                Some(both) => Some(both),
                None => return Ok(None),
            },
        };
    }
    let Some(text) = merged.filter(|_| several_lines) else {
        return Ok(None);
    };
    let mut value = Value::Text(text.into());
    blob::externalize(objects, &mut value)?;
    Ok(Some(value))
}

/// Unites texts, one of which has several lines: where changed lines clash, those of both stand, in the given order.
///
/// Without a base all lines of all texts stand, common ones once. `None` when they are no such texts, or one is the base.
pub(super) fn unite(
    objects: &dyn Objects,
    base: Option<&Value>,
    alternatives: &[&Value],
) -> Result<Option<Value>, ObjectError> {
    let base = match base {
        Some(base) => load(objects, base)?,
        None => None,
    };
    let mut several_lines = false;
    let mut united: Option<String> = None;
    for alternative in alternatives {
        let Some(text) = load(objects, alternative)?.filter(|text| Some(text) != base.as_ref()) else {
            return Ok(None);
        };
        several_lines |= text.contains('\n');
        united = Some(match (united, &base) {
            (None, _) => text,
            (Some(before), Some(base)) => unite_three(base, &before, &text),
            (Some(before), None) => unite_two(&before, &text),
        });
    }
    let Some(text) = united.filter(|text| several_lines && text.len() as u64 <= MAX_BYTES) else {
        return Ok(None);
    };
    let mut value = Value::Text(text.into());
    blob::externalize(objects, &mut value)?;
    Ok(Some(value))
}

/// Appends lines; one without an end gets it when another follows.
fn push_line(out: &mut String, line: &str) {
    if !out.is_empty() && !out.ends_with('\n') {
        out.push('\n');
    }
    out.push_str(line);
}

fn unite_two(left: &str, right: &str) -> String {
    let mut out = String::new();
    for change in similar::TextDiff::from_lines(left, right).iter_all_changes() {
        push_line(&mut out, change.value());
    }
    out
}

fn unite_three(base: &str, left: &str, right: &str) -> String {
    let merge = similar::TextMerge::from_lines(base, left, right);
    let mut out = String::new();
    for region in merge.regions() {
        let ours = || region.ours_range().filter_map(|at| merge.ours_line(at));
        let theirs = || region.theirs_range().filter_map(|at| merge.theirs_line(at));
        match region.resolution() {
            similar::MergeResolution::Theirs => theirs().for_each(|line| push_line(&mut out, line)),
            similar::MergeResolution::Conflict => {
                let known: Vec<&str> = ours().collect();
                let others = theirs().filter(|line| !known.contains(line));
                known
                    .iter()
                    .copied()
                    .chain(others)
                    .for_each(|line| push_line(&mut out, line));
            }
            _ => ours().for_each(|line| push_line(&mut out, line)),
        }
    }
    out
}

/// Returns whether a value may be such a text, without reading it.
pub(super) fn is_text(value: &Value) -> bool {
    match value {
        Value::Text(_) => true,
        Value::Blob(blob) => blob.shape == BlobShape::Text && blob.length_bytes <= MAX_BYTES,
        _ => false,
    }
}

fn load(objects: &dyn Objects, value: &Value) -> Result<Option<String>, ObjectError> {
    let text = match value {
        Value::Text(text) => text.to_string(),
        Value::Blob(reference) if is_text(value) => {
            let content = blob::get(objects, reference)?;
            String::from_utf8(content).map_err(|_| ObjectError::damaged(reference.hash, "blob text"))?
        }
        _ => return Ok(None),
    };
    let fits = text.len() as u64 <= MAX_BYTES && text.lines().count() <= MAX_LINES;
    Ok(fits.then_some(text))
}

fn merge_three(base: &str, left: &str, right: &str) -> Option<String> {
    let merge = similar::TextMerge::from_lines(base, left, right);
    if merge.is_conflicted() {
        return None;
    }
    let mut out = Vec::new();
    merge.to_writer(&mut out).ok()?;
    String::from_utf8(out).ok()
}
