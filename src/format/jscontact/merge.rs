//! A changed card in the text of the old one: only members that changed are written again.

use serde_json::Value as Json;

use super::convert::{Tree, named_items};
use super::scan::{Node, Shape};

/// The text of a card that is being changed.
pub(super) struct Merge<'a> {
    /// The old text.
    pub(super) bytes: &'a [u8],
    /// The names of the entries of `vCardProps`.
    pub(super) props: &'a [String],
}

/// One member or item with what stands around it.
struct Piece {
    lead: String,
    text: String,
}

impl Merge<'_> {
    fn slice(&self, start: usize, end: usize) -> String {
        String::from_utf8_lossy(self.bytes.get(start..end).unwrap_or_default()).into_owned()
    }

    /// Returns the text of `node`, whose known content goes from `base` to `target`. What neither knows stays.
    pub(super) fn value(&self, name: &str, node: &Node, base: &Tree, target: &Tree) -> String {
        if base == target {
            return self.slice(node.start, node.end);
        }
        match (&node.shape, base, target) {
            (Shape::Object(members), Tree::Object(_), Tree::Object(wanted)) => {
                let items: Vec<_> = members.iter().map(|(key, node)| (key.clone(), node)).collect();
                self.container(node, &items, base, wanted, true)
            }
            (Shape::Array(nodes), Tree::Array(_), Tree::Array(wanted)) => {
                let names = self.item_names(name, nodes);
                {
                    let items: Vec<_> = names.into_iter().zip(nodes).collect();
                    self.container(node, &items, base, wanted, false)
                }
            }
            _ => self.fresh(target, &self.indent(node.start)),
        }
    }

    /// Names the items of an array in the old text as trees do.
    fn item_names(&self, name: &str, nodes: &[Node]) -> Vec<String> {
        match name {
            "components" => {
                let read = |node: &Node| {
                    serde_json::from_slice(self.bytes.get(node.start..node.end).unwrap_or_default())
                        .unwrap_or(Json::Null)
                };
                let items: Vec<Json> = nodes.iter().map(read).collect();
                named_items(&items).into_iter().map(|(name, _)| name).collect()
            }
            "vCardProps" => self.props.to_vec(),
            _ => (1..=nodes.len()).map(|at| at.to_string()).collect(),
        }
    }

    fn container(
        &self,
        node: &Node,
        items: &[(String, &Node)],
        base: &Tree,
        wanted: &[(String, Tree)],
        is_object: bool,
    ) -> String {
        let mut pieces = Vec::new();
        let mut at = node.start + 1;
        let mut lead_of_last = None;
        let mut seen: Vec<&str> = Vec::new();
        for (name, item) in items {
            let lead_end = super::scan::skip_space(self.bytes, at);
            let lead = self.slice(at, lead_end);
            let target = wanted.iter().find(|(key, _)| key == name).map(|(_, tree)| tree);
            let text = match (base.get(name), target) {
                (Some(base), Some(target)) => {
                    Some(self.slice(lead_end, item.start) + &self.value(name, item, base, target))
                }
                (Some(_), None) => None,
                (None, Some(target)) => {
                    Some(self.slice(lead_end, item.start) + &self.fresh(target, &self.indent(item.start)))
                }
                (None, None) => Some(self.slice(lead_end, item.end)),
            };
            seen.push(name);
            let after = super::scan::skip_space(self.bytes, item.end);
            let is_last = self.bytes.get(after) != Some(&b',');
            let tail = if is_last {
                String::new()
            } else {
                self.slice(item.end, after)
            };
            pieces.extend(text.map(|text| Piece {
                lead: lead.clone(),
                text: text + &tail,
            }));
            lead_of_last = Some(lead);
            at = after + 1;
        }
        let close = items.last().map_or(node.end - 1, |(_, item)| item.end);
        let mut close = self.slice(if items.is_empty() { node.start + 1 } else { close }, node.end - 1);
        let own = self.indent(node.start);
        let lead = lead_of_last.unwrap_or_else(|| {
            if self.is_spread() {
                format!("{own}  ")
            } else {
                String::new()
            }
        });
        if items.is_empty() && self.is_spread() {
            close.clone_from(&own);
        }
        for (name, target) in wanted.iter().filter(|(name, _)| !seen.contains(&name.as_str())) {
            let key = if is_object {
                format!("{}{}", Json::from(name.as_str()), self.colon())
            } else {
                String::new()
            };
            pieces.push(Piece {
                lead: lead.clone(),
                text: key + &self.fresh(target, &lead),
            });
        }
        let (open, end) = if is_object { ("{", "}") } else { ("[", "]") };
        if pieces.is_empty() {
            return format!("{open}{end}");
        }
        let texts: Vec<String> = pieces.into_iter().map(|piece| piece.lead + &piece.text).collect();
        format!("{open}{}{close}{end}", texts.join(","))
    }

    fn is_spread(&self) -> bool {
        self.bytes.contains(&b'\n')
    }

    fn colon(&self) -> &'static str {
        if self.bytes.windows(2).any(|pair| pair == b"\":") && !self.bytes.windows(3).any(|three| three == b"\": ") {
            ":"
        } else {
            ": "
        }
    }

    /// Returns the line break and indentation of the line that `at` is on.
    fn indent(&self, at: usize) -> String {
        let before = self.bytes.get(..at).unwrap_or_default();
        let start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let line = self.bytes.get(start..).unwrap_or_default();
        let width = line.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        let crlf = start >= 2 && self.bytes.get(start - 2) == Some(&b'\r');
        format!(
            "{}{}",
            if crlf { "\r\n" } else { "\n" },
            self.slice(start, start + width)
        )
    }

    /// Writes a value anew, in one line or indented as the text is.
    fn fresh(&self, tree: &Tree, lead: &str) -> String {
        if !self.is_spread() || !lead.contains('\n') {
            return compact(tree, self.colon());
        }
        pretty(tree, lead)
    }
}

fn entries(tree: &Tree) -> (&'static str, &'static str, Vec<(Option<&str>, &Tree)>) {
    match tree {
        Tree::Object(members) => (
            "{",
            "}",
            members.iter().map(|(key, tree)| (Some(key.as_str()), tree)).collect(),
        ),
        Tree::Array(items) => ("[", "]", items.iter().map(|(_, tree)| (None, tree)).collect()),
        Tree::Leaf(_) => ("", "", Vec::new()),
    }
}

fn key_text(key: Option<&str>, colon: &str) -> String {
    key.map(|key| format!("{}{colon}", Json::from(key))).unwrap_or_default()
}

fn compact(tree: &Tree, colon: &str) -> String {
    if let Tree::Leaf(json) = tree {
        return json.to_string();
    }
    let (open, end, entries) = entries(tree);
    let texts: Vec<String> = entries
        .into_iter()
        .map(|(key, tree)| key_text(key, colon) + &compact(tree, colon))
        .collect();
    let comma = if colon == ":" { "," } else { ", " };
    format!("{open}{}{end}", texts.join(comma))
}

/// Writes a value over several lines; `lead` is the line break and indentation of the line it starts on.
pub(super) fn pretty(tree: &Tree, lead: &str) -> String {
    if let Tree::Leaf(json) = tree {
        return json.to_string();
    }
    let (open, end, entries) = entries(tree);
    if entries.is_empty() {
        return format!("{open}{end}");
    }
    let inner = format!("{lead}  ");
    let texts: Vec<String> = entries
        .into_iter()
        .map(|(key, tree)| format!("{inner}{}{}", key_text(key, ": "), pretty(tree, &inner)))
        .collect();
    format!("{open}{}{lead}{end}", texts.join(","))
}

/// Writes a value in one line.
pub(super) fn one_line(tree: &Tree) -> String {
    compact(tree, ":")
}
