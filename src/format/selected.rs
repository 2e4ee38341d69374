//! Some fields of a format: a source that shows a choice of what its format can.
//!
//! What is not chosen is neither read nor written. An item that is written again keeps what it had of it: its own
//! reading takes the place of the record's, so that a codec sees it unchanged. A new item has only what is chosen.

use std::sync::Arc;

use super::{
    Bindings, Broken, Confidence, Document, Edit, Format, FormatError, FormatInfo, ItemError, NewItems, Old, Parsed,
    Put, RawItem,
};
use crate::model::contact::{Fields, rename_elements};
use crate::model::{Domain, FieldPath, Hash, Map, Value, element_pointer, is_provisional};

/// A format of which a choice of fields is shown.
pub struct Selected {
    format: Arc<dyn Format>,
    fields: Fields,
}

impl Selected {
    /// Makes the format that shows only `fields`.
    pub fn new(format: Arc<dyn Format>, fields: Fields) -> Self {
        Self { format, fields }
    }

    fn document(&self, document: Box<dyn Document>) -> Box<dyn Document> {
        Box::new(SelectedDocument {
            document,
            fields: self.fields.clone(),
        })
    }
}

impl Format for Selected {
    fn info(&self) -> &FormatInfo {
        self.format.info()
    }

    fn detect(&self, file_name: &str, head: &[u8]) -> Confidence {
        self.format.detect(file_name, head)
    }

    fn open(&self, bytes: Vec<u8>) -> Result<Box<dyn Document>, FormatError> {
        self.format.open(bytes).map(|document| self.document(document))
    }

    fn create(&self, style: Option<&str>) -> Box<dyn Document> {
        self.document(self.format.create(style))
    }
}

struct SelectedDocument {
    document: Box<dyn Document>,
    fields: Fields,
}

impl SelectedDocument {
    /// Parts a record into what is shown and what is not.
    fn split(&self, record: &Value) -> (Map, Map) {
        self.fields.split(record.as_map().cloned().unwrap_or_default())
    }

    /// Returns what an item has of the fields that are not shown, under ids of their own, with the bindings of those.
    fn own(&self, bytes: &[u8]) -> Result<(Map, Bindings), ItemError> {
        let (_, hidden) = self.split(&self.document.parse(bytes)?.record);
        let mut bindings = Bindings::new();
        for (collection, elements) in &hidden {
            let keys = elements.as_map().into_iter().flat_map(Map::keys);
            for key in keys.filter(|key| is_provisional(key)) {
                let mut pointer = String::new();
                element_pointer(collection, key, &mut pointer);
                bindings.insert(pointer, format!("own{key}"));
            }
        }
        let hidden = match rename_elements(Value::Map(hidden), &bindings) {
            Value::Map(hidden) => hidden,
            _ => Map::new(),
        };
        Ok((hidden, bindings))
    }

    /// Returns whether the element at a pointer is shown.
    fn shows(&self, pointer: &str) -> bool {
        let path = FieldPath::parse(pointer);
        path.is_none_or(|path| path.parts().first().is_none_or(|property| self.fields.shows(property)))
    }
}

impl Document for SelectedDocument {
    fn item_count(&self) -> usize {
        self.document.item_count()
    }

    fn item(&self, index: usize) -> RawItem<'_> {
        self.document.item(index)
    }

    fn broken(&self) -> &[Broken] {
        self.document.broken()
    }

    fn is_complete(&self) -> bool {
        self.document.is_complete()
    }

    fn lens(&self) -> Hash {
        let mut bytes = self.document.lens().bytes().to_vec();
        bytes.extend_from_slice(self.fields.text().as_bytes());
        Hash::of(Domain::Value, &bytes)
    }

    fn style(&self) -> String {
        self.document.style()
    }

    fn parse(&self, bytes: &[u8]) -> Result<Parsed, ItemError> {
        let parsed = self.document.parse(bytes)?;
        let (shown, _) = self.split(&parsed.record);
        Ok(Parsed {
            record: Value::Map(shown),
            ..parsed
        })
    }

    fn put(&self, record: &Value, old: Option<Old<'_>>) -> Result<Put, ItemError> {
        let (mut shown, hidden) = self.split(record);
        let mut put = match old {
            None => self.document.put(&Value::Map(shown), None)?,
            Some(old) => {
                let (own, mut bindings) = self.own(old.bytes)?;
                bindings.extend(old.bindings.clone());
                shown.extend(own);
                let old = Old {
                    bytes: old.bytes,
                    bindings: &bindings,
                };
                self.document.put(&Value::Map(shown), Some(old))?
            }
        };
        put.bindings.retain(|pointer, _| self.shows(pointer));
        // What is not shown of the item's own is no matter of the record.
        put.not_shown
            .retain(|path| path.parts().first().is_none_or(|property| self.fields.shows(property)));
        let hidden = hidden.keys().filter(|property| **property != "distinct");
        put.not_shown
            .extend(hidden.map(|property| FieldPath::new([property.as_str()])));
        Ok(put)
    }

    fn grow(&mut self, record: &Value) -> bool {
        let (shown, _) = self.split(record);
        self.document.grow(&Value::Map(shown))
    }

    fn assemble(&self, edits: &[Edit]) -> Vec<u8> {
        self.document.assemble(edits)
    }

    fn assemble_with(&self, edits: &[Edit], more: NewItems<'_>) -> Vec<u8> {
        self.document.assemble_with(edits, more)
    }

    fn into_bytes(self: Box<Self>) -> Vec<u8> {
        self.document.into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::LazyLock;

    use proptest::prelude::*;

    use super::*;
    use crate::format::vcard::laws::{mixed, record};

    /// Returns what an item shows in full, by property; the elements of a collection without their keys.
    fn properties(document: &dyn Document, bytes: &[u8]) -> BTreeMap<String, Vec<Value>> {
        let record = document.parse(bytes).unwrap().record;
        let properties = record.as_map().unwrap().iter().map(|(property, value)| {
            let mut values = match value {
                Value::Map(map) if map.keys().any(|key| is_provisional(key)) => map.values().cloned().collect(),
                value => vec![value.clone()],
            };
            values.sort_by_key(crate::model::cbor::encode);
            (property.to_string(), values)
        });
        properties.collect()
    }

    fn bindings(document: &dyn Document, bytes: &[u8]) -> Bindings {
        let record = document.parse(bytes).unwrap().record;
        let mut bindings = Bindings::new();
        for (collection, elements) in record.as_map().unwrap() {
            let keys = elements.as_map().into_iter().flat_map(Map::keys);
            for key in keys.filter(|key| is_provisional(key)) {
                let mut pointer = String::new();
                element_pointer(collection, key, &mut pointer);
                bindings.insert(pointer, format!("id{}{collection}", &key[1..]));
            }
        }
        bindings
    }

    /// Asserts what a choice of fields promises of a format: nothing that is hidden is read, written anew or lost.
    ///
    /// `record` makes an item, which is then to show `other`.
    fn check(format: &dyn Format, style: Option<&str>, record: &Value, other: &Value, names: &[&str]) {
        let fields = Fields::parse(names).unwrap();
        let name = &format.info().name;
        let mut whole = format.create(style);
        whole.grow(record);
        whole.grow(other);
        let Ok(item) = whole.put(record, None) else { return };
        let file = whole.assemble(&[Edit::Append(item.bytes.clone())]);
        // A file in a code page does not say which one: it is stated from the time it is made.
        let stated = format.new_encoding().and_then(|label| format.in_encoding(label));
        let format = stated.as_deref().unwrap_or(format);
        let whole = format.open(file.clone()).unwrap();
        if whole.item_count() == 0 {
            // A row of nothing but blank cells is none where a file has no header.
            let is_blank = |byte: &u8| b",;\t\"\r\n ".contains(byte);
            assert!(item.bytes.iter().all(is_blank), "{name}: {:?}", item.bytes);
            return;
        }
        let selected = SelectedDocument {
            document: format.open(file).unwrap(),
            fields: fields.clone(),
        };
        let bytes = selected.item(0).bytes.to_vec();
        let shown = selected.parse(&bytes).unwrap().record;
        assert!(shown.as_map().unwrap().keys().all(|property| fields.shows(property)));
        let bindings = bindings(&selected, &bytes);
        let old = Old {
            bytes: &bytes,
            bindings: &bindings,
        };
        let same = selected.put(&rename_elements(shown, &bindings), Some(old)).unwrap();
        assert_eq!(same.bytes, bytes, "{name} with {names:?}");
        assert_eq!(same.bindings, bindings, "{name} with {names:?}");
        let hidden = |bytes: &[u8]| -> BTreeMap<String, Vec<Value>> {
            let all = properties(&*whole, bytes).into_iter();
            all.filter(|(property, _)| !fields.shows(property)).collect()
        };
        if let Ok(put) = selected.put(other, Some(old)) {
            assert_eq!(hidden(&put.bytes), hidden(&bytes), "{name} with {names:?}");
            let all = put.bindings.keys().all(|pointer| selected.shows(pointer));
            assert!(all, "{name} with {names:?}: {:?}", put.bindings);
        }
        if let Ok(put) = selected.put(other, None) {
            assert_eq!(hidden(&put.bytes), BTreeMap::new(), "{name} with {names:?}");
        }
    }

    /// Choices to be tried.
    const CHOICES: [&[&str]; 5] = [
        &["name"],
        &["phones", "emails"],
        &["emails", "notes", "organizations", "keywords"],
        &["addresses", "titles", "other"],
        &["anniversaries", "media", "links", "nicknames", "custom"],
    ];
    static FORMATS: LazyLock<Vec<Box<dyn Format>>> = LazyLock::new(crate::format::all);

    proptest! {
        #![proptest_config(crate::format::law_config(24))]

        #[test]
        fn what_is_hidden_is_neither_read_nor_changed_nor_lost(
            first in record(),
            other in record(),
            choices in prop::collection::vec(any::<bool>(), 23),
        ) {
            let other = mixed(&first, &other, &choices);
            for format in FORMATS.iter() {
                let styles: &[Option<&str>] = match format.info().name.as_str() {
                    "vcard" => &[Some("2.1"), Some("3.0"), Some("4.0")],
                    _ => &[None],
                };
                for (style, names) in styles.iter().flat_map(|style| CHOICES.map(|names| (*style, names))) {
                    check(&**format, style, &first, &other, names);
                }
            }
        }
    }
}
