//! A source that shows, while a field is in conflict, the value of one system: this decides nothing by itself.

use dsync::disk::Disk;
use dsync::sync::{AddSource, Resolution, SyncError};

use crate::world::{System, World, card, settle};

const TITLES: [&str; 5] = ["Engineer", "Director", "President", "Boss", "Chief"];

/// Two systems with a clash about a title, of which the first system's `Director` is not shown; the second one has
/// further sources: one that prefers the first system, in two formats, and one that prefers what is newest.
fn clash(world: &World) -> [System<'_>; 2] {
    let lines = ["EMAIL:ann@x.example", "TITLE:Engineer", "X-KEEP:this"];
    let one = world.with("one", "book.vcf", "vcard", &card("ann", "Ann Smith", &lines));
    let two = world.with("two", "book.vcf", "vcard", "");
    let prefer = |system: &str| AddSource {
        prefer: Some(system.to_owned()),
        ..AddSource::default()
    };
    two.add_with("first.vcf", "vcard", prefer("one"));
    two.add_with("first.json", "jscontact", prefer("one"));
    two.add_with("newest.vcf", "vcard", prefer("newest"));
    settle(&[&one, &two]);
    one.edit("book.vcf", "TITLE:Engineer", "TITLE:Director");
    one.record();
    two.edit("book.vcf", "TITLE:Engineer", "TITLE:President");
    settle(&[&one, &two]);
    [one, two]
}

/// Asserts which title each source shows.
#[track_caller]
fn assert_titles(systems: &[System<'_>; 2], all: &str, first: &str) {
    let [one, two] = systems;
    for (system, file, wanted) in [
        (one, "book.vcf", all),
        (two, "book.vcf", all),
        (two, "newest.vcf", all),
        (two, "first.vcf", first),
        (two, "first.json", first),
    ] {
        let text = system.read(file);
        let shown: Vec<&str> = TITLES.into_iter().filter(|title| text.contains(title)).collect();
        assert_eq!(shown, [wanted], "{file}: {text}");
    }
}

#[test]
fn a_source_shows_the_value_of_the_system_it_prefers() {
    let world = World::new();
    let systems = clash(&world);
    assert_titles(&systems, "President", "Director");
    let [one, two] = &systems;
    // The collection is what it is, everywhere.
    assert_eq!(one.state(), two.state());
    assert_eq!((one.clashes().len(), two.clashes()), (1, one.clashes()));
    // Neither looking at the source again nor an edit of something else decides.
    two.quiet();
    two.world.touch(two.path("first.vcf"));
    two.quiet();
    two.edit("first.vcf", ":ann@x.example", ":ann@y.example");
    settle(&[one, two]);
    assert_titles(&systems, "President", "Director");
    assert_eq!(two.clashes().len(), 1);
    assert!(one.read("book.vcf").contains("ann@y.example"));
}

#[test]
fn an_edit_of_the_preferred_value_decides() {
    for file in ["first.vcf", "first.json"] {
        for title in ["Boss", "President"] {
            let world = World::new();
            let systems = clash(&world);
            systems[1].edit(file, "Director", title);
            settle(&systems.each_ref());
            assert_titles(&systems, title, title);
            assert!(
                systems.iter().all(|system| system.clashes().is_empty()),
                "{file} {title}"
            );
        }
    }
}

#[test]
fn a_decision_for_what_is_shown_elsewhere_reaches_the_source_that_shows_another_value() {
    let world = World::new();
    let systems = clash(&world);
    let report = systems[0].conflicts().remove(0);
    // The record is what it was; only the conflict goes.
    systems[0].resolve(&report.key, Some(&report.path), &Resolution::Take(1));
    settle(&systems.each_ref());
    assert_titles(&systems, "President", "President");
    assert!(systems[1].clashes().is_empty());
}

#[test]
fn a_preference_that_changes_is_followed_without_an_edit() {
    let world = World::new();
    let systems = clash(&world);
    let [one, two] = &systems;
    let config = two.read(".dsync/config.toml");
    two.write(".dsync/config.toml", config.replace("prefer = \"one\"\n", ""));
    settle(&[one, two]);
    assert_titles(&systems, "President", "President");
    two.write(".dsync/config.toml", &config);
    settle(&[one, two]);
    assert_titles(&systems, "President", "Director");
    two.write(
        ".dsync/config.toml",
        config.replace("prefer = \"one\"\n", "prefer = \"two\"\n"),
    );
    settle(&[one, two]);
    assert_titles(&systems, "President", "President");
    assert_eq!(one.clashes().len(), 1);
}

#[test]
fn what_is_new_to_a_source_is_shown_as_it_prefers() {
    let world = World::new();
    let [one, two] = clash(&world);
    two.add_with(
        "late.vcf",
        "vcard",
        AddSource {
            prefer: Some("one".to_owned()),
            ..AddSource::default()
        },
    );
    two.add_source("plain.vcf", "vcard");
    settle(&[&one, &two]);
    let (late, plain) = (two.read("late.vcf"), two.read("plain.vcf"));
    assert!(late.contains("Director") && !late.contains("President"), "{late}");
    assert!(plain.contains("President") && !plain.contains("Director"), "{plain}");
    // A copy of an item that stands beside it would have kept this.
    assert_eq!(one.clashes().len(), 1);
}

#[test]
fn a_table_of_rows_has_no_preference() {
    let world = World::new();
    let a = world.system("a");
    a.write("prices.csv", "sku,price\r\n1,2\r\n");
    let with = |prefer: Option<&str>| AddSource {
        location: "prices.csv".to_owned(),
        key: vec!["sku".to_owned()],
        prefer: prefer.map(str::to_owned),
        ..AddSource::default()
    };
    let refused = a.repository().add_source(&a.dir(), &with(Some("b")));
    assert!(matches!(refused, Err(SyncError::NotBuilt(_))), "{refused:?}");
    a.add(with(None));
    let config = a.read(".dsync/config.toml");
    a.write(
        ".dsync/config.toml",
        config.trim_end().to_owned() + "\nprefer = \"b\"\n",
    );
    let refused = a.try_sync(&Disk::default());
    assert!(matches!(refused, Err(SyncError::NotBuilt(_))), "{refused:?}");
}
