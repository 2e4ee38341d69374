//! What holds for every file of every format.

use dsync::format::Format;

/// The most items of one input that are parsed, so that a run is not spent on one long file.
const ITEMS: usize = 64;

/// Opens `bytes`, parses the items, and changes nothing: then no byte may change.
pub fn check(format: &dyn Format, bytes: &[u8]) {
    let _confidence = format.detect("input", bytes);
    let Ok(document) = format.open(bytes.to_vec()) else {
        return;
    };
    assert_eq!(document.assemble(&[]), bytes, "untouched files keep their bytes");
    for index in 0..document.item_count().min(ITEMS) {
        let item = document.item(index);
        let first = document.parse(item.bytes);
        assert_eq!(first, document.parse(item.bytes), "parsing is deterministic");
    }
}
