//! JSON objects of tables: an unchanged object keeps its bytes, a changed one stays an object, and the compact text of
//! a value is its own.

#![no_main]

use dsync::format::json::{compact, is_nested, members, patch};

libfuzzer_sys::fuzz_target!(|text: &str| {
    if is_nested(text) {
        if let Ok(short) = compact(text) {
            assert!(is_nested(&short));
            assert_eq!(compact(&short).as_deref(), Ok(short.as_str()));
        }
    }
    let Ok(list) = members(text) else { return };
    assert_eq!(patch(text, &list, &[], &[]), text);
    let changed: Vec<_> = list.iter().map(|member| (member.value.clone(), "1.10".to_owned())).collect();
    let new = patch(text, &list, &changed, &[("a\"b", "null".to_owned())]);
    let after = members(&new).expect("a changed object is one");
    assert_eq!(after.len(), list.len() + 1);
});
