//! The kind `contact`: the universal form of a person or an organisation.
//!
//! The model is `JSContact` Card (RFC 9553); arrays are maps, so that two people who edit two parts do not collide:
//!
//! | path | content |
//! |---|---|
//! | `/uid` | text; the UID the record was first seen with |
//! | `/kind` | `individual` (absent means this), `group`, `org`, `location`, `device`, `application` |
//! | `/name/components/<c>/value` | `<c>` = component kind of RFC 9553 §2.2.1: `title given given2 surname surname2 credential generation`; the second of a kind `given:2` and so on; also `phonetic` |
//! | `/name/full` | text, **only** where it differs from [`derive_full_name`] of the components |
//! | `/name/sortAs/<c>` | text |
//! | `/nicknames/<e>/name` | text |
//! | `/organizations/<e>` | `name`, `units/<1,2,…>/name`, `sortAs` |
//! | `/titles/<e>` | `name`, `kind` (`title` is absent, `role`) |
//! | `/emails/<e>` | `address`, `contexts/<work,private>` = true, `pref` (1 to 100), `label` |
//! | `/phones/<e>` | `number` as written, `features/<mobile,voice,text,video,fax,pager,textphone,main-number>` = true, `contexts`, `pref`, `label` |
//! | `/onlineServices/<e>` | `service`, `uri` or `user`, `contexts`, `pref`, `label`, `vCardName` (`impp`, `x-socialprofile`) |
//! | `/addresses/<e>` | `components/<c>/value` with `<c>` = `postOfficeBox apartment name locality region postcode country` (street in `name`, further RFC 9553 §2.5.1 kinds allowed), `full` (formatted label, only where it says more), `countryCode`, `coordinates`, `timeZone`, `contexts`, `pref`, `label` |
//! | `/anniversaries/<e>` | `kind` (`birth death wedding` or another word), `date` (one leaf: `1985-04-12`, `--04-12`, `1985-04`, `1985`, or RFC 3339), `label` |
//! | `/notes/<e>/note` | text with LF line ends |
//! | `/keywords/<text>` | true (CATEGORIES, labels, groups) |
//! | `/links/<e>` | `uri`, `kind` (`contact` or absent), `contexts`, `pref`, `label` |
//! | `/media/<e>` | `kind` (`photo logo sound`), `data` (bytes) or `uri`, `mediaType` |
//! | `/relatedTo/<text>/relation/<word>` | true; key is a UID or a name |
//! | `/members/<uid>` | true |
//! | `/personalInfo/<e>` | `kind` (`hobby interest expertise`), `value`, `level` |
//! | `/preferredLanguages/<e>` | `language`, `contexts`, `pref` |
//! | `/speakToAs` | `grammaticalGender`, `pronouns/<e>/pronouns` |
//! | `/directories`, `/calendars`, `/schedulingAddresses`, `/cryptoKeys` `/<e>` | `uri` (or `data` bytes), `kind`, `contexts`, `pref`, `label`, `mediaType` |
//! | `/language`, `/created` | text |
//! | `/vcard/<e>` | a property no path above stands for: `name` (upper case), `value` (decoded text), `params/<NAME>` (text; several values joined by `,`) |
//! | `/<collection>/<e>/vcard/<NAME>` | the same, bound to an element by a vCard group: `value`, `params` |
//! | `/custom/<name>` | text of a column that only some row formats have (`Mileage`, `Custom 1`) |
//!
//! `<e>` is an element id. A codec never makes one: it numbers what it reads with [`super::provisional`] keys
//! (or `~` + any stable name of a slot), and [`align()`] replaces them by the ids of the elements that were there
//! before. `order` inside an element keeps the order in which elements were first met; it is never a conflict.
//! What belongs to a source stays there and out of the record: REV, PRODID, VERSION, server stamps.

mod align;
mod fields;
mod identity;
mod name;

pub use align::{align, align_new, rename_elements, same_class};
pub use fields::{Fields, UnknownField, asked, asked_names};
pub use identity::{IdentityKeys, compatible_names, identity_keys, title};
pub use name::{derive_full_name, is_generation};

use super::{Map, Text};

/// The collections of a card whose members are elements with ids.
pub const ELEMENT_MAPS: [&str; 17] = [
    "addresses",
    "anniversaries",
    "calendars",
    "cryptoKeys",
    "directories",
    "emails",
    "links",
    "media",
    "nicknames",
    "notes",
    "onlineServices",
    "organizations",
    "personalInfo",
    "phones",
    "preferredLanguages",
    "schedulingAddresses",
    "titles",
];

/// Returns whether the members of the top-level map `collection` are elements with ids.
pub fn has_elements(collection: &str) -> bool {
    ELEMENT_MAPS.contains(&collection) || collection == "vcard"
}

/// Returns the elements of a collection in the order in which a person should see them: by `order`, then id.
pub fn ordered(elements: &Map) -> Vec<(&Text, &Map)> {
    let mut list: Vec<_> = elements
        .iter()
        .filter_map(|(id, value)| Some((id, value.as_map()?)))
        .collect();
    list.sort_by_key(|(id, element)| {
        (
            element
                .get("order")
                .and_then(super::Value::as_integer)
                .unwrap_or(i64::MAX),
            *id,
        )
    });
    list
}
