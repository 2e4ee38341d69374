//! Patches of what a card shows once or as a set.

use std::collections::{BTreeMap, BTreeSet};

use super::super::parts::{
    SINGLES, flags, has_flag, member_name, name_parts, new_single, pronoun_line, pronouns, relation_lines, relations,
    single_text,
};
use super::super::read::Role;
use super::super::render;
use super::super::single::Single;
use super::super::text::{Content, Version, param, split_escaped};
use super::super::token::Line;
use super::super::write::{self, Chunk, full_name};
use super::{Fate, Patch, as_property, show_name, with_content};
use crate::model::{FieldPath, Text, Value};

impl Patch<'_> {
    pub(super) fn singles(&mut self) {
        let card = self.card;
        let mut seen = BTreeSet::new();
        for (at, role) in card.roles.iter().enumerate() {
            let Role::Single(single, leaves) = role else { continue };
            seen.insert(*single);
            let Some(line) = card.lines.get(at) else { continue };
            let fate = self.single_fate(*single, leaves, line);
            self.set(at, fate);
        }
        for single in SINGLES.iter().filter(|single| !seen.contains(single)) {
            let Some(property) = new_single(self.record, *single, self.style.version) else {
                continue;
            };
            let bytes = property.lines(self.style);
            let at = match single {
                Single::FullName | Single::Name => card.lines.iter().position(|line| line.name == "VERSION"),
                _ => None,
            };
            let at = at.unwrap_or_else(|| self.end().saturating_sub(1));
            self.after.entry(at).or_default().push(Chunk::plain(bytes));
        }
    }

    pub(super) fn single_fate(&self, single: Single, leaves: &[(FieldPath, Value)], line: &Line) -> Fate {
        let version = self.style.version;
        let shown = |path: &FieldPath| {
            self.record
                .at(path)
                .and_then(Value::as_text)
                .filter(|text| !text.trim().is_empty())
        };
        let become_text = |text: &str| {
            let content = Content::Text(text.to_owned());
            Fate::Become(with_content(line, &content, self.style).lines(self.style))
        };
        match single {
            Single::Uid => Fate::Keep,
            Single::FullName => {
                let old = leaves
                    .first()
                    .and_then(|(_, value)| value.as_text())
                    .unwrap_or_default();
                match shown(&FieldPath::new(["name", "full"])) {
                    Some(full) if full == old => Fate::Keep,
                    Some(full) => become_text(full),
                    None if old.is_empty() || write::serves_as_name(self.record, old) => Fate::Keep,
                    None => {
                        let full = full_name(self.record);
                        if full == old { Fate::Keep } else { become_text(&full) }
                    }
                }
            }
            Single::Name => {
                let least = split_escaped(&line.text(), &[';']).len().min(7);
                let (content, sort) = name_parts(self.record, version, least);
                let mut property = with_content(line, &content, self.style);
                if !self.has_sort_string() {
                    property
                        .params
                        .retain(|param| !param.to_ascii_uppercase().starts_with("SORT-AS="));
                    property.params.extend(sort);
                }
                if self.same_name(leaves, least) {
                    Fate::Keep
                } else {
                    Fate::Become(property.lines(self.style))
                }
            }
            _ => {
                let old = leaves.first().map(|(_, value)| value.clone());
                let new = single_text(self.record, single);
                match (old.as_ref().and_then(Value::as_text), new) {
                    (old, Some(new)) if old == Some(new.as_str()) => Fate::Keep,
                    (None, None) => Fate::Keep,
                    (_, Some(new)) => become_text(&new),
                    (Some(_), None) => Fate::Drop,
                }
            }
        }
    }

    /// Compares what N shows with what the record says, on the components that this version can show.
    pub(super) fn same_name(&self, old: &[(FieldPath, Value)], least: usize) -> bool {
        let shown = show_name(self.record, self.style, least);
        let elsewhere = self.has_sort_string();
        let leaves = |leaves: &[(FieldPath, Value)]| -> BTreeMap<FieldPath, Value> {
            let is_own = |path: &FieldPath| !(elsewhere && path.parts().iter().any(|part| part == "sortAs"));
            leaves.iter().filter(|(path, _)| is_own(path)).cloned().collect()
        };
        leaves(old) == leaves(&shown)
    }

    /// Returns whether SORT-STRING says what SORT-AS of N could say too.
    pub(super) fn has_sort_string(&self) -> bool {
        let is_it = |role: &Role| matches!(role, Role::Single(Single::SortString, _));
        self.card.roles.iter().any(is_it)
    }

    pub(super) fn end(&self) -> usize {
        let end = self.card.lines.iter().rposition(|line| line.name == "END");
        end.unwrap_or(self.card.lines.len())
    }

    pub(super) fn before_end(&mut self, bytes: Vec<u8>) {
        let at = self.end().saturating_sub(1);
        self.after.entry(at).or_default().push(Chunk::plain(bytes));
    }

    pub(super) fn keywords(&mut self) {
        let card = self.card;
        let mut missing: Vec<String> = flags(self.record, "keywords");
        let mut last = None;
        for (at, role) in card.roles.iter().enumerate() {
            let Role::Keywords(words) = role else { continue };
            let left: Vec<String> = words
                .iter()
                .filter(|word| has_flag(self.record, "keywords", word))
                .map(Text::to_string)
                .collect();
            missing.retain(|word| !words.iter().any(|one| one == word));
            if left.len() < words.len() {
                let lines = self.keyword_line(at, &left);
                self.set(
                    at,
                    if left.is_empty() {
                        Fate::Drop
                    } else {
                        Fate::Become(lines)
                    },
                );
            }
            if !left.is_empty() {
                last = Some((at, left));
            }
        }
        if missing.is_empty() {
            return;
        }
        if let Some((at, mut words)) = last {
            words.extend(missing);
            let lines = self.keyword_line(at, &words);
            self.set(at, Fate::Become(lines));
        } else {
            let lines =
                render::simple("CATEGORIES", None, &Content::List(missing), self.style.version).lines(self.style);
            self.before_end(lines);
        }
    }

    pub(super) fn keyword_line(&self, at: usize, words: &[String]) -> Vec<u8> {
        let content = Content::List(words.to_vec());
        let line = self.card.lines.get(at);
        line.map(|line| with_content(line, &content, self.style).lines(self.style))
            .unwrap_or_default()
    }

    pub(super) fn members(&mut self) {
        let card = self.card;
        let mut missing = flags(self.record, "members");
        let mut last = None;
        for (at, role) in card.roles.iter().enumerate() {
            let Role::Member(uid) = role else { continue };
            last = Some((at, card.lines.get(at).map(|line| line.spelling.clone())));
            missing.retain(|one| one != uid);
            if !has_flag(self.record, "members", uid) {
                self.set(at, Fate::Drop);
            }
        }
        let name = last.as_ref().and_then(|(_, name)| name.clone());
        let name = name.unwrap_or_else(|| member_name(self.style.version).to_owned().into());
        for uid in missing {
            let lines = render::simple(&name, None, &Content::Uri(uid), self.style.version).lines(self.style);
            match last {
                Some((at, _)) => self.after.entry(at).or_default().push(Chunk::plain(lines)),
                None => self.before_end(lines),
            }
        }
    }

    pub(super) fn relations(&mut self) {
        let card = self.card;
        let mut missing = relations(self.record);
        let wanted = missing.clone();
        for (at, role) in card.roles.iter().enumerate() {
            let Role::Related(key, words) = role else { continue };
            let is_wanted = |word: &Text| wanted.iter().any(|(one, other)| one == key && other == word);
            let left: Vec<&Text> = words.iter().filter(|word| is_wanted(word)).collect();
            missing.retain(|(one, word)| one != key || !words.iter().any(|other| other == word));
            if left.len() == words.len() {
                continue;
            }
            let label = card.roles.iter().position(|role| *role == Role::RelationLabel(at));
            if left.is_empty() {
                self.set(at, Fate::Drop);
                if let Some(label) = label {
                    self.set(label, Fate::Drop);
                }
            } else if let Some(line) = card.lines.get(at) {
                let mut property = as_property(line, self.style.version);
                property
                    .params
                    .retain(|param| !param.to_ascii_uppercase().starts_with("TYPE"));
                property.params.push(param("TYPE", &left, Version::V40));
                self.set(at, Fate::Become(property.lines(self.style)));
            }
        }
        for lines in relation_lines(&missing, self.style, &mut self.groups) {
            self.before_end(lines);
        }
    }

    pub(super) fn pronouns(&mut self) {
        let card = self.card;
        let mut missing = pronouns(self.record);
        for (at, role) in card.roles.iter().enumerate() {
            let Role::Pronouns(key, map) = role else { continue };
            let new = missing
                .iter()
                .position(|(one, _)| one == key)
                .map(|found| missing.remove(found).1);
            let fate = match new {
                None => Fate::Drop,
                Some(new) if new == *map => Fate::Keep,
                Some(new) => {
                    let content = Content::Text(
                        new.get("pronouns")
                            .and_then(Value::as_text)
                            .unwrap_or_default()
                            .to_owned(),
                    );
                    let Some(line) = card.lines.get(at) else { continue };
                    let mut property = with_content(line, &content, self.style);
                    property
                        .params
                        .retain(|param| !param.to_ascii_uppercase().starts_with("PREF="));
                    if let Some(Value::Integer(pref)) = new.get("pref") {
                        property.params.push(format!("PREF={pref}"));
                    }
                    if line.value("PROP-ID").is_none() {
                        property.params.push(format!("PROP-ID={key}"));
                    }
                    Fate::Become(property.lines(self.style))
                }
            };
            self.set(at, fate);
        }
        for (key, map) in missing {
            let lines = pronoun_line(&key, &map, self.style);
            self.before_end(lines);
        }
    }
}
