//! The shape of the source: imports point downwards, files stay short.

use std::fs;
use std::path::{Path, PathBuf};

/// The modules, lowest rank first, as in `docs/architecture.md`.
const RANKS: [&str; 14] = [
    "model", "spool", "port", "disk", "tree", "delta", "merge", "store", "format", "source", "remote", "sync",
    "server", "cli",
];

/// The longest file, in lines before its tests.
const MOST_LINES: usize = 800;

#[test]
fn imports_point_downwards() {
    let mut upward = Vec::new();
    for (path, text) in sources() {
        let Some(own) = rank_of_file(&path) else { continue };
        for (line, module) in imports(&text) {
            match rank(&module) {
                Some(other) if other > own => upward.push(format!("{}:{line} imports {module}", path.display())),
                Some(_) => {}
                None => upward.push(format!("{}:{line} imports {module}, which has no rank", path.display())),
            }
        }
    }
    assert!(upward.is_empty(), "upward imports:\n{}", upward.join("\n"));
}

#[test]
fn every_module_has_a_rank_and_a_place_in_the_documents() {
    let architecture = fs::read_to_string(root().join("docs/architecture.md")).unwrap();
    let library = fs::read_to_string(root().join("src/lib.rs")).unwrap();
    for line in library.lines() {
        let Some(module) = line.strip_prefix("pub mod ").and_then(|rest| rest.strip_suffix(';')) else {
            continue;
        };
        assert!(rank(module).is_some(), "`{module}` has no rank");
        assert!(
            architecture.contains(&format!("| `{module}` |")),
            "`{module}` is not in docs/architecture.md"
        );
    }
    let rows: Vec<&str> = architecture
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once('`').map(|(module, _)| module))
        .filter(|module| rank(module).is_some())
        .collect();
    assert_eq!(rows, RANKS, "docs/architecture.md lists the modules in another order");
}

#[test]
fn files_stay_short() {
    let mut long = Vec::new();
    for (path, text) in sources() {
        let in_tests = path
            .components()
            .any(|part| part.as_os_str() == "tests" || part.as_os_str() == "tests.rs");
        if in_tests {
            continue;
        }
        let lines = text.lines().take_while(|line| *line != "#[cfg(test)]").count();
        if lines > MOST_LINES {
            long.push(format!("{} has {lines} lines before its tests", path.display()));
        }
    }
    assert!(long.is_empty(), "{}", long.join("\n"));
}

#[test]
fn the_scan_sees_every_form_of_import() {
    let text = "use crate::sync::{A};\nlet x = crate::model::Value::Null;\nuse crate::{port, store::Store};\n\
                // crate::cli in a comment\nuse crate::{\n    disk::Disk,\n    tree::{self, Node},\n};\n";
    let modules: Vec<String> = imports(text).into_iter().map(|(_, module)| module).collect();
    assert_eq!(modules, ["sync", "model", "port", "store", "disk", "tree"]);
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn rank(module: &str) -> Option<usize> {
    RANKS.iter().position(|name| *name == module)
}

fn rank_of_file(path: &Path) -> Option<usize> {
    let relative = path.strip_prefix(root().join("src")).unwrap();
    let first = relative.components().next()?.as_os_str().to_str()?;
    rank(first.strip_suffix(".rs").unwrap_or(first))
}

fn sources() -> Vec<(PathBuf, String)> {
    fn walk(folder: &Path, out: &mut Vec<(PathBuf, String)>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, out);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                out.push((path, text));
            }
        }
    }
    let mut out = Vec::new();
    walk(&root().join("src"), &mut out);
    out.sort();
    assert!(out.len() > 10, "the source was not found");
    out
}

/// Lists the modules that follow `crate::`, with their lines; comments are left out.
fn imports(text: &str) -> Vec<(usize, String)> {
    let code: Vec<&str> = text
        .lines()
        .map(|line| if line.trim_start().starts_with("//") { "" } else { line })
        .collect();
    let code = code.join("\n");
    let mut found = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        // `$crate::` of a macro and `some_crate::` are something else.
        if code[..at].ends_with(|before: char| before.is_alphanumeric() || before == '_') {
            continue;
        }
        let line = code[..at].matches('\n').count() + 1;
        let rest = &code[at + "crate::".len()..];
        match rest.strip_prefix('{') {
            Some(list) => found.extend(first_words(list).into_iter().map(|word| (line, word))),
            None => found.push((line, leading_word(rest))),
        }
    }
    found.retain(|(_, word)| word.starts_with(|first: char| first.is_ascii_lowercase()));
    found
}

/// Returns the first word of each entry of a braced list.
fn first_words(list: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut depth = 0;
    let mut entry = String::new();
    for character in list.chars() {
        match character {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => words.push(leading_word(entry.split_off(0).trim())),
            _ if depth == 0 => entry.push(character),
            _ => {}
        }
    }
    words.push(leading_word(entry.trim()));
    words.retain(|word| !word.is_empty());
    words
}

fn leading_word(text: &str) -> String {
    text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}
