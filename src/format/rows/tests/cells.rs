//! What a cell says: dates, names, categories, defaults, limits.

use super::{first_bindings, one_row, only, open, path, put, record, text, utf8};
use crate::format::Old;
use crate::model::contact::rename_elements;

#[test]
fn defaults_mean_nothing_and_stay() {
    let (document, row, mut shown, bindings) = only(
        "outlook-csv",
        &[
            ("First Name", "Ann"),
            ("Birthday", "0/0/00"),
            ("Gender", "Unspecified"),
            ("Priority", "Low"),
            ("Sensitivity", "Normal"),
            ("Private", "False"),
        ],
    );
    assert_eq!(shown, record(&[("/name/components/given/value", "Ann")]));
    shown.set_at(&path("/anniversaries/b/kind"), "birth".into());
    shown.set_at(&path("/anniversaries/b/date"), "1985-04-02".into());
    let changed = put(&*document, &shown, &row, &bindings);
    assert_eq!(utf8(&changed.bytes), row.replace("0/0/00", "4/2/1985"));
}

#[test]
fn the_file_tells_whether_days_come_first() {
    let (file, row) = one_row("outlook-csv", &[("First Name", "Ann"), ("Birthday", "4/5/1985")]);
    let birthday = |file: &str| {
        let document = open("outlook-csv", file);
        let shown = document.parse(document.item(0).bytes).unwrap().record;
        (
            text(&shown, "/anniversaries/~0Birthday/date").map(str::to_owned),
            document.lens(),
        )
    };
    let (month_first, lens) = birthday(&file);
    assert_eq!(month_first.as_deref(), Some("1985-04-05"));
    let (day_first, other_lens) = birthday(&format!("{file}{}", row.replace("4/5/1985", "31/5/1985")));
    assert_eq!(day_first.as_deref(), Some("1985-05-04"));
    assert_ne!(lens, other_lens);
    let (dots, _) = birthday(&file.replace("4/5/1985", "4.5.1985"));
    assert_eq!(dots.as_deref(), Some("1985-05-04"));
}

#[test]
fn a_date_without_year_has_no_place_in_outlook() {
    let (document, row, mut shown, bindings) = only("outlook-csv", &[("First Name", "Ann")]);
    shown.set_at(&path("/anniversaries/b/kind"), "birth".into());
    shown.set_at(&path("/anniversaries/b/date"), "--04-02".into());
    let same = put(&*document, &shown, &row, &bindings);
    assert_eq!((utf8(&same.bytes), same.not_shown.len()), (row, 2));
}

#[test]
fn dates_with_the_year_first_are_written_so_again() {
    let (file, row) = one_row("outlook-csv", &[("First Name", "Ann"), ("Birthday", "1985-04-12")]);
    let document = open("outlook-csv", &file);
    let mut shown = document.parse(row.as_bytes()).unwrap().record;
    let bindings = first_bindings(&shown);
    shown = rename_elements(shown.clone(), &bindings);
    shown.set_at(&path("/anniversaries/w/kind"), "wedding".into());
    shown.set_at(&path("/anniversaries/w/date"), "2010-06-01".into());
    assert!(utf8(&put(&*document, &shown, &row, &bindings).bytes).contains(",2010-06-01,"));
}

#[test]
fn birthdays_in_three_columns_may_lack_parts() {
    let cells = [("First Name", "Ann"), ("Birth Month", "02"), ("Birth Day", "29")];
    let (document, row, mut shown, bindings) = only("thunderbird-csv", &cells);
    assert_eq!(
        text(&shown, "/anniversaries/idBirthdayanniversaries/date"),
        Some("--02-29")
    );
    shown.set_at(
        &path("/anniversaries/idBirthdayanniversaries/date"),
        "1984-03-01".into(),
    );
    let changed = put(&*document, &shown, &row, &bindings);
    assert_eq!(utf8(&changed.bytes), row.replace(",,02,29", ",1984,03,01"));

    let cells = [
        ("First Name", "Ann"),
        ("Birth Year", "1977"),
        ("Birth Month", "2"),
        ("Birth Day", "31"),
    ];
    let (document, row, mut shown, bindings) = only("thunderbird-csv", &cells);
    assert_eq!(shown.at(&path("/anniversaries")), None);
    shown.set_at(&path("/anniversaries/b/kind"), "birth".into());
    shown.set_at(&path("/anniversaries/b/date"), "1977-02-03".into());
    assert_eq!(utf8(&put(&*document, &shown, &row, &bindings).bytes), row);
}

#[test]
fn categories_keep_their_order_and_spelling() {
    let (document, row, mut shown, bindings) = only(
        "outlook-csv",
        &[("First Name", "Ann"), ("Categories", "Zoo; Chess;Work")],
    );
    assert!(
        ["Zoo", "Chess", "Work"]
            .iter()
            .all(|word| shown.at(&path(&format!("/keywords/{word}"))).is_some())
    );
    shown.remove_at(&path("/keywords/Work"));
    shown.set_at(&path("/keywords/Art"), true.into());
    shown.set_at(&path("/keywords/a;b"), true.into());
    let changed = put(&*document, &shown, &row, &bindings);
    assert_eq!(utf8(&changed.bytes), row.replace("Zoo; Chess;Work", "Zoo; Chess;Art"));
    assert_eq!(changed.not_shown, [path("/keywords/a;b")]);
}

#[test]
fn derived_names_are_derived_again() {
    let cells = [
        ("Name", "Dr. Ann Lee"),
        ("Given Name", "Ann"),
        ("Family Name", "Lee"),
        ("Name Prefix", "Dr."),
    ];
    let (document, row, mut shown, bindings) = only("google-csv-old", &cells);
    assert_eq!(shown.at(&path("/name/full")), None);
    shown.set_at(&path("/name/components/given/value"), "Anna".into());
    assert_eq!(
        utf8(&put(&*document, &shown, &row, &bindings).bytes),
        row.replace("Ann", "Anna")
    );
    shown.set_at(&path("/name/full"), "The Doctor".into());
    let own = put(&*document, &shown, &row, &bindings);
    assert_eq!(
        utf8(&own.bytes),
        row.replace("Ann,", "Anna,").replace("Dr. Ann Lee", "The Doctor")
    );

    let (document, row, mut shown, bindings) = only(
        "thunderbird-csv",
        &[("First Name", "Ann"), ("Last Name", "Lee"), ("Display Name", "Annie")],
    );
    assert_eq!(text(&shown, "/name/full"), Some("Annie"));
    shown.set_at(&path("/name/components/surname/value"), "Ray".into());
    assert_eq!(
        utf8(&put(&*document, &shown, &row, &bindings).bytes),
        row.replace("Lee", "Ray")
    );
    shown.remove_at(&path("/name/full"));
    assert_eq!(
        utf8(&put(&*document, &shown, &row, &bindings).bytes),
        row.replace("Lee", "Ray").replace("Annie", "Ann Ray")
    );
}

#[test]
fn a_cell_with_a_limit_shows_the_start() {
    let mapping = "[format]\nname = 'x'\ntitle = 'X'\nkind = 'contact'\ncontainer = 'csv'\n\
                   [[column]]\nname = 'Name'\npath = '/name/full'\n\
                   [[column]]\nname = 'Note'\npath = '/notes/~Note/note'\nmax = 10\n";
    let format = super::from_mapping(mapping).unwrap();
    let document = format.open(b"Name,Note\nAnn,short\n".to_vec()).unwrap();
    let long = record(&[("/name/full", "Ann"), ("/notes/n/note", "a long note\nof two lines")]);
    let bindings = [("/notes/~0Note".to_owned(), "n".to_owned())].into();
    let cut = document
        .put(
            &long,
            Some(Old {
                bytes: b"Ann,short\n",
                bindings: &bindings,
            }),
        )
        .unwrap();
    assert_eq!(utf8(&cut.bytes), "Ann,a long not\n");
    assert_eq!(cut.not_shown, [path("/notes/n/note")]);
    let again = document
        .put(
            &long,
            Some(Old {
                bytes: &cut.bytes,
                bindings: &bindings,
            }),
        )
        .unwrap();
    assert_eq!(again.bytes, cut.bytes);
    let new = document.put(&long, None).unwrap();
    assert_eq!(utf8(&new.bytes), "Ann,a long not\n");
    assert_eq!(new.bindings, bindings);
}
