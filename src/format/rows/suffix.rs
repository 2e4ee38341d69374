//! The suffix of a name: one cell for what records keep as generations and credentials.
//!
//! Commas separate the parts. A part that tells a generation ([`is_generation`]) is one; of another part such words at its
//! start or end are. Everything else is a credential, spaces included: `Jr., M.D., Ph. D.`, `III MBA`.

use crate::model::contact::is_generation;
use crate::model::{FieldPath, Map, Text, Value};

const KINDS: [&str; 2] = ["generation", "credential"];

/// Splits a suffix into generations and credentials.
fn split(text: &str) -> [Vec<&str>; 2] {
    let (mut generations, mut credentials) = (Vec::new(), Vec::new());
    for part in text.split(',').map(str::trim) {
        let mut rest = part;
        let mut last = None;
        if let Some((first, after)) = rest.split_once(char::is_whitespace)
            && is_generation(first)
        {
            generations.push(first);
            rest = after.trim_start();
        }
        if let Some((before, word)) = rest.rsplit_once(char::is_whitespace)
            && is_generation(word)
        {
            last = Some(word);
            rest = before.trim_end();
        }
        if is_generation(rest) {
            generations.push(rest);
        } else if !rest.is_empty() {
            credentials.push(rest);
        }
        generations.extend(last);
    }
    [generations, credentials]
}

/// The key of the `n`-th (from 0) component of a kind.
fn key(kind: &str, n: usize) -> String {
    if n == 0 {
        kind.to_owned()
    } else {
        format!("{kind}:{}", n + 1)
    }
}

/// Puts what a cell says into `part`; `path` leads to the components.
pub(super) fn read(path: &FieldPath, text: &str, part: &mut Value) {
    for (kind, texts) in KINDS.iter().zip(split(text)) {
        for (n, text) in texts.into_iter().enumerate() {
            let component = path.child(&key(kind, n)).child("value");
            part.set_at(&component, Value::Text(text.into()));
        }
    }
}

/// Returns the leaves of components that a suffix can be about.
pub(super) fn own(path: &FieldPath, element: &Value) -> Vec<(FieldPath, Value)> {
    let components = element.at(path).and_then(Value::as_map);
    let is_own = |name: &Text| KINDS.contains(&name.split(':').next().unwrap_or_default());
    let own = components.into_iter().flatten().filter(|(name, _)| is_own(name));
    own.filter_map(|(name, component)| {
        let value = component.as_map()?.get("value")?.clone();
        Some((path.child(name.as_str()).child("value"), value))
    })
    .collect()
}

/// Writes the components that a suffix can say: of each kind those before the first that would be read as something else.
pub(super) fn write(components: Option<&Map>) -> String {
    let mut parts = Vec::new();
    for kind in KINDS {
        for n in 0.. {
            let component = components.and_then(|components| components.get(key(kind, n).as_str()));
            let value = component.and_then(|component| component.as_map()?.get("value")?.as_text());
            let Some(text) = value.filter(|text| is_writable(kind, text)) else {
                break;
            };
            parts.push(text);
        }
    }
    parts.join(", ")
}

fn is_writable(kind: &str, text: &str) -> bool {
    let [generations, credentials] = split(text);
    match kind {
        "generation" => generations == [text] && credentials.is_empty(),
        _ => credentials == [text] && generations.is_empty(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_suffix_has_generations_and_credentials() {
        for (text, generations, credentials) in [
            ("Jr.", &["Jr."][..], &[][..]),
            ("M.D.", &[], &["M.D."]),
            ("Jr., M.D., Ph. D.", &["Jr."], &["M.D.", "Ph. D."]),
            ("III MBA", &["III"], &["MBA"]),
            ("MBA III", &["III"], &["MBA"]),
            ("of York", &[], &["of York"]),
            (" , ", &[], &[]),
        ] {
            assert_eq!(split(text), [generations, credentials], "{text}");
        }
    }
}
