//! Two people change one thing: the same is shown everywhere, nothing is lost, and one decision holds for all.

use dsync::sync::{DiffOptions, Resolution, SyncOptions};

use crate::world::{System, World, card, settle};

const THUNDERBIRD: &str =
    "First Name,Last Name,Display Name,Primary Email,Work Phone,Mobile Number,Job Title,Notes\r\n";

/// Three systems with three formats and one contact.
fn three(world: &World) -> [System<'_>; 3] {
    let lines = [
        "EMAIL:ann@x.example",
        "TEL;TYPE=CELL:+1 555 000 1111",
        "TITLE:Engineer",
        "X-KEEP:this",
    ];
    let one = world.with("one", "book.vcf", "vcard", &card("ann", "Ann Smith", &lines));
    let two = world.with("two", "list.csv", "thunderbird-csv", THUNDERBIRD);
    let three = world.with("three", "book.ldif", "mozilla-ldif", "");
    let all = [one, two, three];
    settle(&all.each_ref());
    all
}

const FILES: [&str; 3] = ["book.vcf", "list.csv", "book.ldif"];

/// Lets the first two systems write two titles at once.
fn clash(all: &[System<'_>; 3]) {
    all[0].edit("book.vcf", "TITLE:Engineer", "TITLE:Director");
    all[1].edit("list.csv", "Engineer", "President");
    settle(&all.each_ref());
}

fn assert_title(all: &[System<'_>; 3], title: &str) {
    for (system, file) in all.iter().zip(FILES) {
        let text = system.read(file);
        let shown: Vec<&str> = ["Engineer", "Director", "President", "Boss"]
            .into_iter()
            .filter(|word| text.contains(word))
            .collect();
        assert_eq!(shown, [title], "{file}: {text}");
    }
}

#[test]
fn a_clash_shows_one_value_everywhere_and_keeps_the_other() {
    let world = World::new();
    let all = three(&world);
    clash(&all);
    assert_title(&all, "President");
    for system in &all {
        let reports = system.conflicts();
        assert_eq!(reports.len(), 1, "{reports:#?}");
        assert_eq!(
            (reports[0].kind.as_str(), reports[0].base.clone()),
            ("field", Some("Engineer".into()))
        );
        let mut sides: Vec<(String, String, bool)> = reports[0]
            .alternatives
            .iter()
            .map(|side| (side.value.as_str().unwrap().to_owned(), side.system.clone(), side.shown))
            .collect();
        sides.sort();
        assert_eq!(
            sides,
            [
                ("Director".to_owned(), "one".to_owned(), false),
                ("President".to_owned(), "two".to_owned(), true)
            ]
        );
        system.quiet();
    }
    // Looking at the shown value again, or changing something else, decides nothing.
    all[0].edit("book.vcf", "X-KEEP:this", "X-KEEP:that");
    settle(&all.each_ref());
    assert_eq!(all[2].conflicts().len(), 1);
}

#[test]
fn a_decision_on_one_system_holds_on_all() {
    for take in ["Director", "President", "Boss", "base"] {
        let world = World::new();
        let all = three(&world);
        clash(&all);
        let report = all[2].conflicts().remove(0);
        let resolution = match take {
            "Boss" => Resolution::Value("Boss".into()),
            "base" => Resolution::TakeBase,
            title => {
                let sides = &report.alternatives;
                Resolution::Take(sides.iter().find(|side| side.value == *title).unwrap().n)
            }
        };
        all[2].resolve(&report.key, Some(&report.path), &resolution);
        settle(&all.each_ref());
        assert_title(&all, if take == "base" { "Engineer" } else { take });
        assert!(all.iter().all(|system| system.conflicts().is_empty()), "{take}");
        assert!(all[0].read("book.vcf").contains("X-KEEP:this"));
    }
}

#[test]
fn editing_the_field_in_any_source_decides() {
    for (at, file) in FILES.into_iter().enumerate() {
        let world = World::new();
        let all = three(&world);
        clash(&all);
        all[at].edit(file, "President", "Boss");
        settle(&all.each_ref());
        assert_title(&all, "Boss");
        assert!(all.iter().all(|system| system.conflicts().is_empty()), "{file}");
    }
}

#[test]
fn a_removal_against_an_edit_keeps_the_record() {
    let world = World::new();
    let all = three(&world);
    all[0].edit("book.vcf", "TITLE:Engineer", "TITLE:Director");
    all[1].write("list.csv", THUNDERBIRD);
    all[1].sync_forced();
    settle(&all.each_ref());
    assert_title(&all, "Director");
    for (system, file) in all.iter().zip(FILES) {
        assert!(system.read(file).contains("+1 555 000 1111"), "{}", system.read(file));
        let kinds: Vec<String> = system.conflicts().into_iter().map(|report| report.kind).collect();
        assert_eq!(kinds, ["modify-delete"]);
    }
    assert!(all[0].read("book.vcf").contains("X-KEEP:this"));
    // The removal is chosen after all.
    let report = all[2].conflicts().remove(0);
    let gone = report.alternatives.iter().find(|side| side.absent).unwrap().n;
    all[2].resolve(&report.key, None, &Resolution::Take(gone));
    settle(&all.each_ref());
    assert!(
        all.iter()
            .all(|system| system.records() == 0 && system.conflicts().is_empty())
    );
    assert!(!all[1].read("list.csv").contains("Ann"));
    let world = World::new();
    let all = three(&world);
    all[0].edit("book.vcf", "TITLE:Engineer", "TITLE:Director");
    all[1].write("list.csv", THUNDERBIRD);
    all[1].sync_forced();
    settle(&all.each_ref());
    let report = all[2].conflicts().remove(0);
    let kept = report.alternatives.iter().find(|side| !side.absent).unwrap().n;
    all[2].resolve(&report.key, None, &Resolution::Take(kept));
    settle(&all.each_ref());
    assert!(
        all.iter()
            .all(|system| system.records() == 1 && system.conflicts().is_empty())
    );
    assert_title(&all, "Director");
}

#[test]
fn a_removed_field_against_an_edit_of_it_keeps_both() {
    let world = World::new();
    let all = three(&world);
    all[0].edit("book.vcf", "TEL;TYPE=CELL:+1 555 000 1111\r\n", "");
    all[1].edit("list.csv", "+1 555 000 1111", "+1 555 000 9999");
    settle(&all.each_ref());
    for (system, file) in all.iter().zip(FILES) {
        assert!(system.read(file).contains("+1 555 000 9999"), "{}", system.read(file));
        let kinds: Vec<String> = system.conflicts().into_iter().map(|report| report.kind).collect();
        assert_eq!(kinds, ["modify-delete"]);
    }
    // Removing it again, seeing the other's number, is a decision.
    all[2].edit("book.ldif", "mobile: +1 555 000 9999\n", "");
    settle(&all.each_ref());
    for (system, file) in all.iter().zip(FILES) {
        assert!(!system.read(file).contains("+1 555 000"), "{}", system.read(file));
        assert!(system.conflicts().is_empty());
    }
}

#[test]
fn shared_work_is_undone_where_it_still_stands() {
    let world = World::new();
    let all = three(&world);
    let before: Vec<String> = all.iter().zip(FILES).map(|(system, file)| system.read(file)).collect();
    all[0].edit("book.vcf", "TITLE:Engineer", "TITLE:Director");
    all[0].edit("book.vcf", "ann@x.example", "ann@y.example");
    settle(&all.each_ref());
    // Somebody changed one of both fields since.
    all[1].edit("list.csv", "ann@y.example", "ann@z.example");
    settle(&all.each_ref());
    let operations = all[0].repository().ops(None, false).unwrap();
    let mine = operations.iter().filter(|one| one.undoable).nth(1).unwrap();
    let report = all[0]
        .repository()
        .undo(Some(&mine.operation), &SyncOptions::default())
        .unwrap();
    assert_eq!(report.kept.len(), 1, "{report:#?}");
    settle(&all.each_ref());
    assert_title(&all, "Engineer");
    for ((system, file), before) in all.iter().zip(FILES).zip(before) {
        // The name of an entry in a directory stays, whatever its address is.
        let expected = before
            .replace("ann@x.example", "ann@z.example")
            .replace(",mail=ann@z", ",mail=ann@x");
        assert_eq!(system.read(file), expected, "{file}");
        assert!(system.conflicts().is_empty());
    }
}

#[test]
fn an_undone_removal_and_a_restored_state_come_back_everywhere() {
    let world = World::new();
    let all = three(&world);
    let start = all[0].log()[0].snapshot.clone();
    all[1].write("list.csv", THUNDERBIRD);
    all[1].sync_forced();
    settle(&all.each_ref());
    assert_eq!(all[0].records(), 0);
    all[1].undo();
    settle(&all.each_ref());
    assert_eq!(all[0].records(), 1);
    for (system, file) in all.iter().zip(FILES) {
        assert!(system.read(file).contains("+1 555 000 1111"), "{}", system.read(file));
    }
    assert!(all[0].read("book.vcf").contains("X-KEEP:this"));
    all[0].edit("book.vcf", "TITLE:Engineer", "TITLE:Director");
    all[1].edit("list.csv", "+1 555 000 1111", "");
    settle(&all.each_ref());
    all[2]
        .repository()
        .restore(&start, &[], &SyncOptions::default())
        .unwrap();
    settle(&all.each_ref());
    assert_title(&all, "Engineer");
    for (system, file) in all.iter().zip(FILES) {
        assert!(system.read(file).contains("+1 555 000 1111"), "{}", system.read(file));
        assert!(system.conflicts().is_empty());
    }
}

/// Returns what `diff` tells as `op title path: old > new`.
fn differences(system: &System<'_>, from: Option<&str>, to: Option<&str>) -> Vec<String> {
    let mut list = Vec::new();
    let options = DiffOptions {
        from: from.map(str::to_owned),
        to: to.map(str::to_owned),
        ..DiffOptions::default()
    };
    let repository = &mut system.repository();
    repository
        .diff(&options, &mut |record| {
            for field in &record.fields {
                let text =
                    |value: &Option<serde_json::Value>| value.as_ref().map_or("-".to_owned(), ToString::to_string);
                list.push(format!(
                    "{} {} {} > {}",
                    record.op,
                    record.title,
                    text(&field.old),
                    text(&field.new)
                ));
            }
            Ok(())
        })
        .unwrap();
    list
}

#[test]
fn looking_tells_what_was_done() {
    let world = World::new();
    let all = three(&world);
    clash(&all);
    let log = all[2].log();
    assert_eq!(log.len(), 3, "{log:#?}");
    assert_eq!(
        log.iter().map(|entry| entry.system.as_str()).collect::<Vec<_>>(),
        ["two", "one", "one"]
    );
    let shown = differences(&all[2], Some(&log[2].snapshot), Some("@"));
    assert_eq!(shown, ["change Ann Smith \"Engineer\" > \"President\""]);
    assert_eq!(differences(&all[2], Some("@"), Some("@")), Vec::<String>::new());
    assert_eq!(differences(&all[2], None, None), Vec::<String>::new());
    let mut changes = Vec::new();
    let entry = all[2].repository().show(&log[1].snapshot, &mut |record| {
        changes.extend(record.fields.into_iter().filter_map(|field| field.new));
        Ok(())
    });
    assert_eq!(
        (entry.unwrap().system.as_str(), changes),
        ("one", vec!["Director".into()])
    );
    let mut keys = Vec::new();
    let repository = all[2].repository();
    for typed in ["ann", "Ann Smith"] {
        repository
            .cat("contacts", &[typed.to_owned()], &mut |record| {
                keys.push(record.key);
                Ok(())
            })
            .unwrap();
    }
    assert_eq!(keys, ["ann", "ann"]);
    all[0].edit("book.vcf", "President", "Boss");
    assert_eq!(
        differences(&all[0], None, None),
        ["change Ann Smith \"President\" > \"Boss\""]
    );
}

#[test]
fn a_preferred_system_is_shown_everywhere() {
    let world = World::new();
    let all = three(&world);
    let policy = "prefer:one".parse().unwrap();
    let dry = all[2].repository().set_policy("contacts", None, &policy, true).unwrap();
    assert!(dry.changed && dry.dry_run);
    let set = all[2]
        .repository()
        .set_policy("contacts", None, &policy, false)
        .unwrap();
    assert!(set.changed && set.note.is_none(), "{set:?}");
    settle(&all.each_ref());
    clash(&all);
    assert_title(&all, "Director");
    for system in &all {
        let status = system.repository().collections().unwrap().remove(0);
        assert_eq!(status.policies.get("").map(String::as_str), Some("prefer one"));
        assert_eq!((status.records, status.conflicts, status.versions["merge"]), (1, 1, 1));
    }
    let again = all[0]
        .repository()
        .set_policy("contacts", None, &policy, false)
        .unwrap();
    assert!(!again.changed);
    let other = "prefer:nobody".parse().unwrap();
    let noted = all[0]
        .repository()
        .set_policy("contacts", Some("titles"), &other, true)
        .unwrap();
    assert!(noted.note.is_some_and(|note| note.contains("nobody")));
}

#[test]
fn conflicts_that_are_open_are_decided_by_a_policy_when_somebody_asks() {
    let world = World::new();
    let all = three(&world);
    clash(&all);
    let policy = "prefer:one".parse().unwrap();
    let set = all[2]
        .repository()
        .set_policy("contacts", None, &policy, false)
        .unwrap();
    assert_eq!(set.decidable, 1);
    settle(&all.each_ref());
    assert_title(&all, "President");
    let dry = all[2].repository().resolve_by_policy("contacts", true).unwrap();
    assert!(dry.dry_run && dry.done[0].contains("1 of 1"), "{:?}", dry.done);
    assert_eq!(all[2].conflicts().len(), 1);
    let done = all[2].repository().resolve_by_policy("contacts", false).unwrap();
    assert_eq!((done.done.len(), done.conflicts.open), (1, 0), "{done:#?}");
    settle(&all.each_ref());
    assert_title(&all, "Director");
    assert!(all.iter().all(|system| system.conflicts().is_empty()));
    // It is an operation like any other, and a snapshot only where there is something to decide.
    let before = all[2].snapshots();
    let again = all[2].repository().resolve_by_policy("contacts", false).unwrap();
    assert!(again.done[0].contains("0 of 0"), "{:?}", again.done);
    assert_eq!(all[2].snapshots(), before);
}
