//! What every adapter must do, as a check that each of them runs.

use super::storage::{Storage, StorageError, StorageResult};

/// Checks an empty storage against the promises of [`Storage`]; returns the first one that is broken.
///
/// It leaves the storage empty. Listings that come late are allowed by the port but not checked for here: the storage
/// must list at once what this process put.
pub fn conformance(storage: &dyn Storage) -> Result<(), String> {
    names(storage)?;
    content(storage)?;
    taken_names(storage)?;
    listing(storage)?;
    deletion(storage)?;
    concurrency(storage)
}

/// Checks that an empty storage holds and lists `count` objects: more than any server shows on one page of a listing.
/// It leaves the storage empty.
pub fn conformance_of_many(storage: &dyn Storage, count: u32) -> Result<(), String> {
    let names: Vec<_> = (0..count).map(|number| format!("log/{number:06}")).collect();
    at_once(&names, |name| storage.put(name, name.as_bytes()))?;
    check(
        listed(storage, "log/")? == names,
        "a listing shows all of many objects, once each",
    )?;
    if let Some(last) = names.last() {
        check(
            listed(storage, last)? == [last.as_str()],
            "a prefix selects one of many",
        )?;
        check(
            storage.get(last, None).map_err(text)? == last.as_bytes(),
            "the last of many comes back",
        )?;
    }
    at_once(&names, |name| storage.delete(name))?;
    check(listed(storage, "")?.is_empty(), "nothing is left of many")
}

/// How many calls run at once.
const WORKERS: usize = 8;

/// Runs a call for each name, several at once; returns the first failure.
fn at_once(names: &[String], call: impl Fn(&str) -> StorageResult<()> + Sync) -> Result<(), String> {
    let share = names.len().div_ceil(WORKERS).max(1);
    let run = |names: &[String]| names.iter().try_for_each(|name| call(name)).map_err(text);
    std::thread::scope(|scope| {
        let workers: Vec<_> = names
            .chunks(share)
            .map(|names| scope.spawn(move || run(names)))
            .collect();
        let broken = |_| Err("broken: calls may run at once".to_owned());
        workers
            .into_iter()
            .try_for_each(|worker| worker.join().unwrap_or_else(broken))
    })
}

fn concurrency(storage: &dyn Storage) -> Result<(), String> {
    let names: Vec<_> = (0..2 * WORKERS).map(|number| format!("log/writer-{number}")).collect();
    at_once(&names, |name| storage.put(name, name.as_bytes()))?;
    check(
        listed(storage, "log/")?.len() == names.len(),
        "names that are put at once are all there",
    )?;
    for name in &names {
        check(
            storage.get(name, None).map_err(text)? == name.as_bytes(),
            "what is put at once under other names does not mix",
        )?;
    }
    at_once(&names, |name| storage.delete(name))?;
    check(
        listed(storage, "")?.is_empty(),
        "nothing is left of what was put at once",
    )
}

fn check(holds: bool, promise: &str) -> Result<(), String> {
    if holds {
        Ok(())
    } else {
        Err(format!("broken: {promise}"))
    }
}

fn text<E: std::error::Error>(error: E) -> String {
    format!("unexpected: {error}")
}

fn listed(storage: &dyn Storage, prefix: &str) -> Result<Vec<String>, String> {
    let objects = storage.list(prefix).map_err(text)?;
    Ok(objects.into_iter().map(|object| object.name).collect())
}

fn names(storage: &dyn Storage) -> Result<(), String> {
    check(!storage.location().is_empty(), "the location has a text")?;
    for name in ["", "/a", "../a", "log/../a", ".hidden", "log/.hidden", "a/b/c", "a b"] {
        let refused =
            storage.put(name, b"x").is_err() && storage.get(name, None).is_err() && storage.delete(name).is_err();
        check(refused, &format!("the name {name:?} is refused"))?;
    }
    check(listed(storage, "")?.is_empty(), "an empty storage lists nothing")
}

fn content(storage: &dyn Storage) -> Result<(), String> {
    let missing = storage.get("log/missing", None);
    check(
        matches!(missing, Err(StorageError::NotFound { .. })),
        "a missing object is NotFound",
    )?;
    let long: Vec<u8> = (0..300_000u32).flat_map(u32::to_le_bytes).collect();
    for (name, bytes) in [("plain", &b"content"[..]), ("log/long", &long), ("log/empty", b"")] {
        storage.put(name, bytes).map_err(text)?;
        check(
            storage.get(name, None).map_err(text)? == bytes,
            "what was put comes back",
        )?;
    }
    for (range, wanted) in [
        (0..4, &b"cont"[..]),
        (3..7, b"tent"),
        (3..99, b"tent"),
        (7..9, b""),
        (50..60, b""),
        (2..2, b""),
    ] {
        let got = storage.get("plain", Some(range.clone())).map_err(text)?;
        check(
            got == wanted,
            &format!("the range {range:?} is cut at the end of the object"),
        )?;
    }
    let all = storage.get("plain", Some(0..u64::MAX)).map_err(text)?;
    check(
        all == b"content",
        "a range up to the largest number is the whole object",
    )
}

fn taken_names(storage: &dyn Storage) -> Result<(), String> {
    check(
        storage.put("plain", b"content").is_ok(),
        "putting equal bytes again is success",
    )?;
    let taken = storage.put("plain", b"other");
    check(
        taken.is_err_and(|error| error.is_exists()),
        "putting other bytes is Exists",
    )?;
    check(
        storage.get("plain", None).map_err(text)? == b"content",
        "a taken name keeps its bytes",
    )?;
    let longer = storage.put("plain", b"content and more");
    check(
        longer.is_err_and(|error| error.is_exists()),
        "equal bytes at the start are not equal bytes",
    )
}

fn listing(storage: &dyn Storage) -> Result<(), String> {
    let objects = storage.list("").map_err(text)?;
    let shown: Vec<_> = objects
        .iter()
        .map(|object| (object.name.as_str(), object.length_bytes))
        .collect();
    let wanted = [("log/empty", 0), ("log/long", 1_200_000), ("plain", 7)];
    check(shown == wanted, "a listing shows names in order, with lengths")?;
    for (prefix, wanted) in [
        ("log/", &["log/empty", "log/long"][..]),
        ("log/l", &["log/long"]),
        ("lo", &["log/empty", "log/long"]),
        ("pl", &["plain"]),
        ("plain", &["plain"]),
        ("plain2", &[]),
        ("none/", &[]),
    ] {
        check(
            listed(storage, prefix)? == wanted,
            &format!("the prefix {prefix:?} selects by text"),
        )?;
    }
    Ok(())
}

fn deletion(storage: &dyn Storage) -> Result<(), String> {
    for name in ["plain", "log/long", "log/empty"] {
        storage.delete(name).map_err(text)?;
        check(
            storage.get(name, None).is_err_and(|error| error.is_not_found()),
            "a deleted object is NotFound",
        )?;
    }
    check(storage.delete("plain").is_ok(), "deleting what is not there is success")?;
    check(listed(storage, "")?.is_empty(), "nothing is left")
}
