//! The words of vCard that mean something to the model, and those that belong to the source.

use super::text::Version;
pub(super) use crate::model::contact::is_generation;

/// What a word of TYPE says.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Meaning {
    /// `/contexts/<word>`.
    Context(&'static str),
    /// `/features/<word>`.
    Feature(&'static str),
    /// `/pref` = 1.
    Preferred,
}

/// Contexts by TYPE word (RFC 9555 §2.3.1; the last two for addresses, RFC 9554 §5).
const CONTEXTS: [(&str, &str); 4] = [
    ("home", "private"),
    ("work", "work"),
    ("billing", "billing"),
    ("delivery", "delivery"),
];

/// Phone features by TYPE word (RFC 9555 §2.9.4); the first word of a feature is the one that is written.
const FEATURES: [(&str, &str); 11] = [
    ("cell", "mobile"),
    ("mobile", "mobile"),
    ("voice", "voice"),
    ("text", "text"),
    ("video", "video"),
    ("fax", "fax"),
    ("pager", "pager"),
    ("textphone", "textphone"),
    ("tty-tdd", "textphone"),
    ("main-number", "main-number"),
    ("main", "main-number"),
];

/// TYPE words that say nothing beyond the property itself or that the model has no place for; they stay on
/// their line (RFC 2426 §3.3.1, vCard 2.1 §2.3 and what address books add). Other words are labels.
const PLAIN_TYPES: [&str; 24] = [
    "internet",
    "x400",
    "aol",
    "applelink",
    "attmail",
    "cis",
    "eworld",
    "ibmmail",
    "mcimail",
    "powershare",
    "prodigy",
    "tlx",
    "x-internet",
    "email",
    "msg",
    "bbs",
    "modem",
    "isdn",
    "pcs",
    "dom",
    "intl",
    "postal",
    "parcel",
    "other",
];

/// Returns the meaning of a TYPE word at a property.
pub(super) fn meaning(property: &str, word: &str) -> Option<Meaning> {
    let word = word.trim();
    if word.eq_ignore_ascii_case("pref") {
        return Some(Meaning::Preferred);
    }
    if property == "TEL"
        && let Some((_, feature)) = FEATURES.iter().find(|(name, _)| name.eq_ignore_ascii_case(word))
    {
        return Some(Meaning::Feature(feature));
    }
    let known = CONTEXTS
        .iter()
        .take(if matches!(property, "ADR" | "LABEL") { 4 } else { 2 });
    known
        .clone()
        .find(|(name, _)| name.eq_ignore_ascii_case(word))
        .map(|(_, context)| Meaning::Context(context))
}

/// Returns the TYPE word for a meaning in lower case.
pub(super) fn word(meaning: &Meaning, version: Version) -> &'static str {
    let find = |table: &[(&'static str, &str)], value: &str| {
        table
            .iter()
            .find(|(_, meaning)| *meaning == value)
            .map_or("", |(word, _)| *word)
    };
    match meaning {
        Meaning::Preferred => "pref",
        Meaning::Context(context) => find(&CONTEXTS, context),
        Meaning::Feature("main-number") if version != Version::V40 => "main",
        Meaning::Feature(feature) => find(&FEATURES, feature),
    }
}

/// Returns whether a TYPE word is one that people chose, such as `WhatsApp`.
pub(super) fn is_label(property: &str, word: &str) -> bool {
    let word = word.trim();
    let is_plain = || PLAIN_TYPES.iter().any(|plain| plain.eq_ignore_ascii_case(word));
    !word.is_empty() && meaning(property, word).is_none() && !is_plain()
}

/// Returns the model's word for a known feature or context, which gives it the lifetime of the table.
pub(super) fn known_feature(word: &str) -> Option<&'static str> {
    FEATURES
        .iter()
        .find(|(_, feature)| *feature == word)
        .map(|(_, feature)| *feature)
}

/// See [`known_feature`].
pub(super) fn known_context(collection: &str, word: &str) -> Option<&'static str> {
    let count = if collection == "addresses" { 4 } else { 2 };
    CONTEXTS
        .iter()
        .take(count)
        .find(|(_, context)| *context == word)
        .map(|(_, context)| *context)
}

/// Properties that belong to the source and never enter a record: revision stamps, product names, layouts and
/// ids that one application makes for itself.
pub(super) const SOURCE_OWNED: [&str; 20] = [
    "REV",
    "PRODID",
    "PROFILE",
    "CLIENTPIDMAP",
    "X-ABUID",
    "X-REV",
    "X-GENERATOR",
    "X-THUNDERBIRD-ETAG",
    "X-EVOLUTION-FILE-AS",
    "X-EVOLUTION-WEBDAV-ETAG",
    "X-EVOLUTION-WEBDAV-HREF",
    "X-EVOLUTION-REV",
    "X-COUCHDB-APPLICATION-ANNOTATIONS",
    "X-MS-OL-DESIGN",
    "X-MS-CARDPICTURE",
    "X-RADICALE-NAME",
    "X-LAST-MODIFIED",
    "X-MODIFIED",
    "X-ACCESS-TIME",
    "X-ADDRESSBOOKSERVER-MODIFIED",
];

/// Returns whether a property belongs to the source.
pub(super) fn is_source_owned(name: &str) -> bool {
    SOURCE_OWNED.contains(&name)
}

/// Messaging services with a property of their own: the property, the service.
const SERVICES: [(&str, &str); 15] = [
    ("X-AIM", "AIM"),
    ("X-ICQ", "ICQ"),
    ("X-JABBER", "Jabber"),
    ("X-MSN", "MSN"),
    ("X-YAHOO", "Yahoo"),
    ("X-SKYPE", "Skype"),
    ("X-SKYPE-USERNAME", "Skype"),
    ("X-GOOGLE-TALK", "Google Talk"),
    ("X-GTALK", "Google Talk"),
    ("X-GADUGADU", "Gadu-Gadu"),
    ("X-GROUPWISE", "GroupWise"),
    ("X-QQ", "QQ"),
    ("X-TWITTER", "Twitter"),
    ("X-MATRIX", "Matrix"),
    ("X-TELEGRAM", "Telegram"),
];

/// Returns the service that a property is for.
pub(super) fn service(property: &str) -> Option<&'static str> {
    SERVICES
        .iter()
        .find(|(name, _)| *name == property)
        .map(|(_, service)| *service)
}

/// Returns the property of a service.
pub(super) fn service_property(service: &str) -> Option<&'static str> {
    SERVICES
        .iter()
        .find(|(_, known)| *known == service)
        .map(|(name, _)| *name)
}

/// Relations with a property of their own.
pub(super) fn relation(property: &str) -> Option<&'static str> {
    match property {
        "X-SPOUSE" | "X-EVOLUTION-SPOUSE" | "X-MS-SPOUSE" | "X-WAB-SPOUSE_NAME" | "X-KADDRESSBOOK-X-SPOUSESNAME" => {
            Some("spouse")
        }
        "X-MANAGER" | "X-EVOLUTION-MANAGER" | "X-MS-MANAGER" | "X-KADDRESSBOOK-X-MANAGERSNAME" => Some("manager"),
        "X-ASSISTANT" | "X-EVOLUTION-ASSISTANT" | "X-MS-ASSISTANT" | "X-KADDRESSBOOK-X-ASSISTANTSNAME" => {
            Some("assistant")
        }
        _ => None,
    }
}

/// Labels that Apple writes as `_$!<…>!$_`, since it translates them.
const APPLE_LABELS: [&str; 23] = [
    "HomePage",
    "Anniversary",
    "Other",
    "Home",
    "Work",
    "Mobile",
    "School",
    "Spouse",
    "Partner",
    "Mother",
    "Father",
    "Parent",
    "Brother",
    "Sister",
    "Child",
    "Son",
    "Daughter",
    "Friend",
    "Assistant",
    "Manager",
    "AssistantPhone",
    "Main",
    "iCloud",
];

/// Reads a label.
pub(super) fn label(text: &str) -> String {
    let inner = text
        .trim()
        .strip_prefix("_$!<")
        .and_then(|rest| rest.strip_suffix(">!$_"));
    inner.unwrap_or(text).to_owned()
}

/// Writes a label as X-ABLabel.
pub(super) fn written_label(label: &str) -> String {
    if APPLE_LABELS.contains(&label) {
        format!("_$!<{label}>!$_")
    } else {
        label.to_owned()
    }
}

/// Reads the label of a related name as a relation.
pub(super) fn relation_of_label(label: &str) -> String {
    if APPLE_LABELS.contains(&label) {
        label.to_ascii_lowercase()
    } else {
        label.to_owned()
    }
}

/// Writes a relation as the label of a related name.
pub(super) fn label_of_relation(relation: &str) -> String {
    let known = APPLE_LABELS.iter().find(|label| label.to_ascii_lowercase() == relation);
    known.map_or_else(|| relation.to_owned(), |label| written_label(label))
}

/// Media types by the TYPE words of 2.1 and 3.0 that are no subtype.
const MEDIA_TYPES: [(&str, &str, &str); 6] = [
    ("PHOTO", "JPG", "image/jpeg"),
    ("LOGO", "JPG", "image/jpeg"),
    ("SOUND", "WAVE", "audio/wav"),
    ("KEY", "PGP", "application/pgp-keys"),
    ("KEY", "X509", "application/pkix-cert"),
    ("SOUND", "AAC", "audio/aac"),
];

fn media_class(property: &str) -> &'static str {
    match property {
        "SOUND" => "audio/",
        "KEY" => "application/",
        _ => "image/",
    }
}

/// Reads a TYPE word of a photo, logo, sound or key.
pub(super) fn media_type(property: &str, word: &str) -> Option<String> {
    let upper = word.trim().to_ascii_uppercase();
    let known = MEDIA_TYPES
        .iter()
        .find(|(of, name, _)| *of == property && *name == upper);
    if let Some((_, _, media_type)) = known {
        return Some((*media_type).to_owned());
    }
    let is_subtype = upper
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b".-+".contains(&byte));
    let is_other = upper.is_empty() || meaning(property, word).is_some() || upper == "OTHER";
    (is_subtype && !is_other).then(|| format!("{}{}", media_class(property), upper.to_ascii_lowercase()))
}

/// Writes a media type as a TYPE word, if it has one that is read back.
pub(super) fn media_word(property: &str, media_type: &str) -> Option<String> {
    let known = MEDIA_TYPES
        .iter()
        .find(|(of, name, known)| *of == property && *known == media_type && *name != "JPG" && *name != "WAVE");
    let word = match known {
        Some((_, name, _)) => (*name).to_owned(),
        None => media_type.strip_prefix(media_class(property))?.to_ascii_uppercase(),
    };
    (self::media_type(property, &word).as_deref() == Some(media_type)).then_some(word)
}
