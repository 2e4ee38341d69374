//! The laws of put on made-up records.

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;

use super::*;
use crate::format::{Bindings, Old, Put};
use crate::model::contact::rename_elements;
use crate::model::{FieldPath, Map, Value};

fn text() -> BoxedStrategy<String> {
    prop_oneof![
        4 => "[A-Za-z]{1,8}",
        2 => "[A-Za-z äöüß,;:\\\\\"'^=n&+-]{0,24}[A-Za-z]",
        1 => "[a-z]{1,5}\n[a-z ]{0,40}\n?[A-Zé]{1,60}",
        1 => Just("日本語テキスト、とても長い行なので折り返しが必要になるはずです。さらに続く文字列😀".to_owned()),
    ]
    .boxed()
}

fn word() -> BoxedStrategy<String> {
    "[a-z]{2,9}".boxed()
}

fn date() -> BoxedStrategy<String> {
    prop_oneof![
        Just("1985-04-12".to_owned()),
        Just("--04-15".to_owned()),
        Just("1985-04".to_owned()),
        Just("1985".to_owned()),
        Just("1953-10-15T23:10:00Z".to_owned()),
        Just("2001-12-31".to_owned()),
    ]
    .boxed()
}

/// Makes an element from optional fields.
fn element(fields: Vec<(&'static str, BoxedStrategy<Value>, bool)>) -> BoxedStrategy<Value> {
    let strategies: Vec<BoxedStrategy<Option<(String, Value)>>> = fields
        .into_iter()
        .map(|(name, strategy, always)| {
            let strategy = strategy.prop_map(move |one| (name.to_owned(), one));
            if always {
                strategy.prop_map(Some).boxed()
            } else {
                proptest::option::weighted(0.4, strategy).boxed()
            }
        })
        .collect();
    strategies
        .prop_map(|fields| Value::Map(fields.into_iter().flatten().collect()))
        .boxed()
}

fn texts(strategy: BoxedStrategy<String>) -> BoxedStrategy<Value> {
    strategy.prop_map(Value::from).boxed()
}

fn flags(words: &'static [&'static str]) -> BoxedStrategy<Value> {
    proptest::sample::subsequence(words, 1..=words.len())
        .prop_map(|words| {
            Value::Map(
                words
                    .into_iter()
                    .map(|word| (word.to_owned(), Value::Bool(true)))
                    .collect(),
            )
        })
        .boxed()
}

fn one_of(words: &'static [&'static str]) -> BoxedStrategy<Value> {
    proptest::sample::select(words).prop_map(Value::from).boxed()
}

fn uri() -> BoxedStrategy<Value> {
    "https://[a-z]{1,8}[.]org/[a-z,;=?\\\\]{0,60}"
        .prop_map(Value::from)
        .boxed()
}

fn pref() -> BoxedStrategy<Value> {
    prop_oneof![Just(1_i64), Just(2)].prop_map(Value::Integer).boxed()
}

fn components(kinds: &'static [&'static str]) -> BoxedStrategy<Value> {
    let one = (
        proptest::sample::select(kinds),
        text().prop_map(|text| text.replace('\n', " ")),
    );
    vec(one, 1..5)
        .prop_map(|items| {
            let items = items.into_iter().map(|(kind, text)| {
                (
                    kind.to_owned(),
                    Value::Map(Map::from([("value".to_owned(), Value::Text(text.into()))])),
                )
            });
            let mut items: Map = items.collect();
            if !items.contains_key("given2") {
                items.remove("given2:2");
            }
            Value::Map(items)
        })
        .boxed()
}

fn bound() -> BoxedStrategy<Value> {
    let property = element(vec![("value", texts("[A-Za-z ,;]{1,9}".boxed()), true)]);
    btree_map("X-[A-C]{2}", property, 1..3)
        .prop_map(|map| Value::Map(map.into_iter().collect()))
        .boxed()
}

fn collection(name: &'static str, element: BoxedStrategy<Value>) -> BoxedStrategy<Option<(String, Value)>> {
    let map =
        btree_map("[a-h]", element, 1..4).prop_map(move |map| (name.to_owned(), Value::Map(map.into_iter().collect())));
    proptest::option::weighted(0.5, map).boxed()
}

fn contexts() -> BoxedStrategy<Value> {
    flags(&["private", "work"])
}

#[expect(clippy::too_many_lines, reason = "one list of all collections")]
fn elements() -> Vec<BoxedStrategy<Option<(String, Value)>>> {
    let label = || texts(prop_oneof![Just("HomePage".to_owned()), text()].boxed());
    let units = btree_map("[1-3]", element(vec![("name", texts(text()), true)]), 1..3);
    let units = units.prop_map(|map| Value::Map(map.into_iter().collect())).boxed();
    let data = vec(any::<u8>(), 1..120).prop_map(Value::Bytes).boxed();
    let params = btree_map("[A-C]{2}|TYPE", texts("[a-z\"^,;ä]{0,6}[a-z]".boxed()), 1..3);
    let params = params.prop_map(|map| Value::Map(map.into_iter().collect())).boxed();
    vec![
        collection("nicknames", element(vec![("name", texts(text()), true)])),
        collection(
            "organizations",
            element(vec![
                ("name", texts(text()), true),
                ("units", units, false),
                ("vcard", bound(), false),
            ]),
        ),
        collection(
            "titles",
            element(vec![("name", texts(text()), true), ("kind", one_of(&["role"]), false)]),
        ),
        collection(
            "emails",
            element(vec![
                ("address", texts(text()), true),
                ("contexts", contexts(), false),
                ("pref", pref(), false),
                ("label", label(), false),
                ("vcard", bound(), false),
            ]),
        ),
        collection(
            "phones",
            element(vec![
                ("number", texts("[+0-9 ()/-]{3,14}[0-9]".boxed()), true),
                (
                    "features",
                    flags(&["mobile", "voice", "fax", "pager", "main-number", "text"]),
                    false,
                ),
                ("contexts", contexts(), false),
                ("pref", pref(), false),
                ("label", label(), false),
            ]),
        ),
        collection(
            "addresses",
            element(vec![
                (
                    "components",
                    components(&[
                        "postOfficeBox",
                        "apartment",
                        "name",
                        "locality",
                        "region",
                        "postcode",
                        "country",
                    ]),
                    true,
                ),
                ("full", texts(text()), false),
                ("contexts", contexts(), false),
                ("pref", pref(), false),
                ("label", label(), false),
                ("countryCode", one_of(&["US", "DE"]), false),
                ("coordinates", one_of(&["geo:1.5,-2.5"]), false),
            ]),
        ),
        collection(
            "onlineServices",
            element(vec![
                ("service", one_of(&["AIM", "Mastodon", "Jabber"]), false),
                ("uri", uri(), true),
                ("vCardName", one_of(&["impp", "x-socialprofile"]), true),
                ("contexts", contexts(), false),
            ]),
        ),
        collection(
            "anniversaries",
            element(vec![
                ("kind", one_of(&["birth", "death", "wedding"]), false),
                ("date", texts(date()), true),
                ("label", label(), false),
            ]),
        ),
        collection("notes", element(vec![("note", texts(text()), true)])),
        collection(
            "links",
            element(vec![
                ("uri", uri(), true),
                ("kind", one_of(&["contact"]), false),
                ("label", label(), false),
            ]),
        ),
        collection(
            "media",
            element(vec![
                ("kind", one_of(&["photo", "logo"]), true),
                ("data", data, true),
                ("mediaType", one_of(&["image/png", "image/jpeg"]), false),
            ]),
        ),
        collection(
            "personalInfo",
            element(vec![
                ("kind", one_of(&["hobby", "expertise"]), true),
                ("value", texts(text()), true),
                ("level", one_of(&["high", "low"]), false),
            ]),
        ),
        collection(
            "preferredLanguages",
            element(vec![("language", one_of(&["de", "en"]), true), ("pref", pref(), false)]),
        ),
        collection(
            "vcard",
            element(vec![
                ("name", one_of(&["X-FOO", "X-BAR", "GENDER"]), true),
                ("value", texts("[A-Za-z ,;]{0,70}[a-z]".boxed()), true),
                ("params", params, false),
            ]),
        ),
    ]
}

pub(in crate::format) fn record() -> BoxedStrategy<Value> {
    let keywords = vec(text(), 1..4).prop_map(|words| {
        let words = words
            .into_iter()
            .map(|word| (word.trim().to_owned(), Value::Bool(true)));
        ("keywords".to_owned(), Value::Map(words.collect()))
    });
    let related = btree_map(text(), flags(&["spouse", "friend", "Colleague of"]), 1..3).prop_map(|map| {
        let map = map
            .into_iter()
            .map(|(key, words)| (key, Value::Map(Map::from([("relation".to_owned(), words)]))));
        ("relatedTo".to_owned(), Value::Map(map.collect()))
    });
    let name = (
        components(&["title", "given", "given2", "given2:2", "surname", "credential"]),
        proptest::option::weighted(0.2, text()),
    );
    let name = name.prop_map(|(components, full)| {
        let mut map = Map::from([("components".to_owned(), components)]);
        let derived = crate::model::contact::derive_full_name(map["components"].as_map().unwrap());
        map.extend(
            full.filter(|full| *full != derived)
                .map(|full| ("full".to_owned(), Value::Text(full.into()))),
        );
        ("name".to_owned(), Value::Map(map))
    });
    let language = word().prop_map(|word| ("language".to_owned(), Value::Text(word.into())));
    let others = (
        proptest::option::weighted(0.9, name),
        proptest::option::weighted(0.5, keywords),
        proptest::option::weighted(0.4, related),
        proptest::option::weighted(0.3, language),
    );
    (others, elements())
        .prop_map(|((name, keywords, related, language), elements)| {
            let parts = [name, keywords, related, language]
                .into_iter()
                .chain(elements)
                .flatten();
            let mut record = Value::Map(parts.collect());
            record.set_at(&FieldPath::new(["uid"]), "urn:uuid:1".into());
            record.prune();
            record
        })
        .boxed()
}

fn view(document: &dyn Document, put: &Put) -> Value {
    rename_elements(document.parse(&put.bytes).unwrap().record, &put.bindings)
}

/// The card shows each leaf or says that it does not, and shows nothing else.
fn check(document: &dyn Document, record: &Value, put: &Put) {
    let shown = view(document, put);
    let text = String::from_utf8_lossy(&put.bytes);
    for (path, value) in record.leaves() {
        assert_eq!(
            put.not_shown.contains(&path),
            shown.at(&path) != Some(value),
            "{path}\n{text}"
        );
    }
    for (path, value) in shown.leaves() {
        // Degraded leaves are reported; a full name may stand in for what N cannot say.
        let known = record.at(&path) == Some(value) || put.not_shown.contains(&path);
        let path = path.to_string();
        assert!(
            known || path == "/name/full" || path.ends_with("/vCardName"),
            "extra {path} {value:?}\n{text}"
        );
    }
    let again = document
        .put(
            &shown,
            Some(Old {
                bytes: &put.bytes,
                bindings: &put.bindings,
            }),
        )
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&again.bytes), text, "GetPut");
    let again = document
        .put(
            record,
            Some(Old {
                bytes: &put.bytes,
                bindings: &put.bindings,
            }),
        )
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&again.bytes), text, "PutPut");
    assert_eq!(again.bindings, put.bindings);
}

/// Adds lines and parameters that no record holds.
fn with_hidden(bytes: &[u8]) -> Vec<u8> {
    let text = String::from_utf8(bytes.to_vec()).unwrap();
    let text = text.replacen("\r\nUID", "\r\nREV:20200101T000000Z\r\nX-EMPTY:\r\nrubbish\r\nUID", 1);
    text.replace("TEL;", "TEL;X-HIDDEN=\"a;b\";")
        .replace("TEL:", "TEL;X-HIDDEN=\"a;b\":")
        .replace("\r\nNOTE:", "\r\nNote;X-HIDDEN=c:")
        .into_bytes()
}

const HIDDEN: [&str; 3] = ["\r\nREV:20200101T000000Z\r\n", "\r\nX-EMPTY:\r\n", "\r\nrubbish\r\n"];

fn edit(version: &str, first: &Value, second: &Value) {
    let document = Vcard::default().create(Some(version));
    let put = document.put(first, None).unwrap();
    check(&*document, first, &put);
    let old = Put {
        bytes: with_hidden(&put.bytes),
        not_shown: Vec::new(),
        ..put
    };
    let shown = view(&*document, &old);
    check(&*document, &shown, &old);
    let new = document
        .put(
            second,
            Some(Old {
                bytes: &old.bytes,
                bindings: &old.bindings,
            }),
        )
        .unwrap();
    let text = String::from_utf8_lossy(&new.bytes).into_owned();
    for hidden in HIDDEN {
        assert!(text.contains(hidden), "{hidden:?} in\n{text}");
    }
    check(&*document, second, &new);
    // A patched card shows what a new one would.
    let fresh = document.put(second, None).unwrap();
    for path in &new.not_shown {
        assert!(
            fresh.not_shown.contains(path),
            "{path}\nbefore {}\nafter {text}",
            String::from_utf8_lossy(&old.bytes)
        );
    }
    let kept = |record: &Value, collection: &str| {
        record
            .as_map()
            .unwrap()
            .get(collection)
            .and_then(Value::as_map)
            .cloned()
            .unwrap_or_default()
    };
    let (before, after) = (kept(first, "phones"), kept(second, "phones"));
    let stayed = before.keys().filter(|id| after.contains_key(*id)).count();
    let hidden = text
        .replace("\r\n ", "")
        .replace("=\r\n", "")
        .matches("X-HIDDEN=\"a;b\"")
        .count();
    assert_eq!(hidden, stayed, "{text}");
}

/// Mixes two records: each top-level part and each element comes from one of them.
pub(in crate::format) fn mixed(left: &Value, right: &Value, choices: &[bool]) -> Value {
    let mut choices = choices.iter().copied().cycle();
    let (left, right) = (left.as_map().unwrap(), right.as_map().unwrap());
    let mut out = Map::new();
    for key in left.keys().chain(right.keys()) {
        let empty = Value::Map(Map::new());
        let (one, two) = (left.get(key).unwrap_or(&empty), right.get(key).unwrap_or(&empty));
        let (Some(a), Some(b)) = (one.as_map(), two.as_map()) else {
            out.insert(key.clone(), one.clone());
            continue;
        };
        let mut inner = Map::new();
        for id in a.keys().chain(b.keys()) {
            let side = if choices.next().unwrap() { a } else { b };
            inner.extend(side.get(id).map(|value| (id.clone(), value.clone())));
        }
        out.insert(key.clone(), Value::Map(inner));
    }
    let mut out = Value::Map(out);
    let derived = out.at(&FieldPath::new(["name", "components"])).and_then(Value::as_map);
    let derived = derived.map(crate::model::contact::derive_full_name).unwrap_or_default();
    let full = FieldPath::new(["name", "full"]);
    if out.at(&full) == Some(&Value::Text(derived.into())) {
        out.remove_at(&full);
    }
    out.prune();
    out
}

proptest! {
    #![proptest_config(ProptestConfig { max_shrink_iters: 3000, ..crate::format::law_config(60) })]

    #[test]
    fn laws_hold_in_2_1(first in record(), other in record(), choices in vec(any::<bool>(), 23)) {
        edit("2.1", &first, &mixed(&first, &other, &choices));
    }

    #[test]
    fn laws_hold_in_3_0(first in record(), other in record(), choices in vec(any::<bool>(), 23)) {
        edit("3.0", &first, &mixed(&first, &other, &choices));
    }

    #[test]
    fn laws_hold_in_4_0(first in record(), other in record(), choices in vec(any::<bool>(), 23)) {
        edit("4.0", &first, &mixed(&first, &other, &choices));
    }

    #[test]
    fn jscontact_shows_everything(first in record(), other in record(), choices in vec(any::<bool>(), 23)) {
        use crate::format::jscontact::{JsContact, from_jscontact, to_jscontact};
        let document = JsContact::default().create(None);
        let put = document.put(&first, None).unwrap();
        prop_assert_eq!(&put.not_shown, &Vec::new());
        prop_assert_eq!(&view(&*document, &put), &first);
        let second = mixed(&first, &other, &choices);
        let new = document.put(&second, Some(Old { bytes: &put.bytes, bindings: &put.bindings })).unwrap();
        prop_assert_eq!(&view(&*document, &new), &second, "{}\n{}", String::from_utf8_lossy(&put.bytes), String::from_utf8_lossy(&new.bytes));
        let back = document.put(&second, Some(Old { bytes: &new.bytes, bindings: &new.bindings })).unwrap();
        prop_assert_eq!(back.bytes, new.bytes);
        let mut card = from_jscontact(&to_jscontact(&first));
        let mut first = first;
        // Unknown properties have no ids there.
        card.remove_at(&FieldPath::new(["vcard"]));
        first.remove_at(&FieldPath::new(["vcard"]));
        prop_assert_eq!(card, first);
    }
}

#[test]
fn no_bindings_means_the_keys_themselves() {
    let document = Vcard::default().create(None);
    let bytes = b"BEGIN:VCARD\r\nVERSION:3.0\r\nTEL:1\r\nEND:VCARD\r\n";
    let record = document.parse(bytes).unwrap().record;
    let put = document
        .put(
            &record,
            Some(Old {
                bytes,
                bindings: &Bindings::new(),
            }),
        )
        .unwrap();
    assert_eq!(put.bytes, bytes);
}
