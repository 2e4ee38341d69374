//! The man pages and completions in the repository are those of the present command line.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use dsync::cli::{completion_files, man_pages};

#[test]
fn man_pages_are_fresh() {
    check("man", man_pages(), "cargo run -- man man/");
}

#[test]
fn completions_are_fresh() {
    check(
        "completions",
        completion_files(),
        "for shell in bash elvish fish powershell zsh; do cargo run -- completions $shell > completions/FILE; done \
         (FILE: dsync.bash dsync.elv dsync.fish _dsync.ps1 _dsync)",
    );
}

fn check(folder: &str, generated: Vec<(String, Vec<u8>)>, command: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let stored: BTreeMap<String, Vec<u8>> = fs::read_dir(&path)
        .map(|entries| {
            entries
                .map(|entry| {
                    let entry = entry.unwrap();
                    (
                        entry.file_name().into_string().unwrap(),
                        fs::read(entry.path()).unwrap(),
                    )
                })
                .collect()
        })
        .unwrap_or_default();
    let generated: BTreeMap<String, Vec<u8>> = generated.into_iter().collect();
    let mut stale: Vec<&String> = generated
        .keys()
        .filter(|name| stored.get(*name) != generated.get(*name))
        .collect();
    stale.extend(stored.keys().filter(|name| !generated.contains_key(*name)));
    assert!(
        stale.is_empty(),
        "stale in {folder}/: {stale:?}\nregenerate with: {command}"
    );
}
