use std::io::Read as _;
use std::sync::Arc;

use proptest::prelude::any;
use secrecy::{ExposeSecret, SecretString};

use super::*;
use crate::disk::{Disk, FaultPlan};

const ED25519: &str = include_str!("../../../tests/data/remote/test-only-ed25519");
const ED25519_PUBLIC: &str = include_str!("../../../tests/data/remote/test-only-ed25519.pub");
const PROTECTED: &str = include_str!("../../../tests/data/remote/test-only-ed25519-protected");
const PROTECTED_PUBLIC: &str = include_str!("../../../tests/data/remote/test-only-ed25519-protected.pub");
const RSA: &str = include_str!("../../../tests/data/remote/test-only-rsa");
const RSA_PUBLIC: &str = include_str!("../../../tests/data/remote/test-only-rsa.pub");
const ECDSA: &str = include_str!("../../../tests/data/remote/test-only-ecdsa");
const ECDSA_PUBLIC: &str = include_str!("../../../tests/data/remote/test-only-ecdsa.pub");
/// Work of passphrase slots in tests: 2^6 instead of 2^18.
const LITTLE_WORK: u8 = 6;

fn secret(text: &str) -> SecretString {
    SecretString::from(text.to_owned())
}

fn keys(text: &str) -> Keys {
    let mut keys = Keys::default();
    keys.add_text(text, "test", &mut |_| None).unwrap();
    keys
}

fn passphrase(text: &str) -> Keys {
    let mut keys = Keys::default();
    keys.add_passphrase(secret(text));
    keys
}

/// A sealed remote in memory, and the identity that opens it.
fn sealed() -> (Arc<MemoryStorage>, Remote, SecretString) {
    let storage = Arc::new(MemoryStorage::default());
    let (identity, public) = generate_identity();
    let options = CreateOptions::Sealed {
        recipients: vec![("home".to_owned(), Recipient::parse(&public).unwrap())],
    };
    let remote = Remote::create(Box::new(Arc::clone(&storage)), &options).unwrap();
    (storage, remote, identity)
}

fn plain() -> (Arc<MemoryStorage>, Remote) {
    let storage = Arc::new(MemoryStorage::default());
    let remote = Remote::create(Box::new(Arc::clone(&storage)), &CreateOptions::Plain).unwrap();
    (storage, remote)
}

fn push(remote: &Remote, object: &LogObject) -> LogName {
    let (name, stored) = remote.prepare(object).unwrap();
    remote.upload(&name, &stored).unwrap();
    name
}

#[test]
fn a_push_is_seen_by_another_system() {
    let home = tempfile::tempdir().unwrap();
    let open = || Box::new(FolderStorage::open(Disk::default(), home.path()).unwrap());
    let (identity, public) = generate_identity();
    let options = CreateOptions::Sealed {
        recipients: vec![("home".to_owned(), Recipient::parse(&public).unwrap())],
    };
    let one = Remote::create(open(), &options).unwrap();
    let name = push(&one, &sample(1, 1));
    push(&one, &sample(1, 2));
    let two = Remote::open(open(), &keys(identity.expose_secret())).unwrap();
    assert_eq!((two.pin(), two.is_sealed()), (one.pin(), true));
    let listing = two.list().unwrap();
    assert_eq!(listing.newest(), BTreeMap::from([(replica_id(1), 2)]));
    assert_eq!(two.read(&name).unwrap(), sample(1, 1));
    assert_eq!(listing.foreign, Vec::<String>::new());
    let descriptor = std::fs::read_to_string(home.path().join("dsync-remote")).unwrap();
    assert!(descriptor.starts_with("dsync-remote 1\n") && descriptor.contains("content sealed\n"));
}

#[test]
fn a_small_push_is_small() {
    let (_, remote, _) = sealed();
    let mut object = sample(1, 123_456);
    object.seen.insert(replica_id(0xDD), 100_000);
    // Told once after a base was made.
    object.acknowledged.clear();
    object.forgotten.clear();
    let (_, stored) = remote.prepare(&object).unwrap();
    assert!(stored.len() <= 450, "{} bytes", stored.len());
    object.seen.clear();
    object.sequence = 100;
    let (_, stored) = remote.prepare(&object).unwrap();
    assert_eq!(stored.len(), 404, "as the specification says");
}

#[test]
fn a_plain_remote_needs_no_key_and_hides_nothing() {
    let (storage, remote) = plain();
    let name = push(&remote, &sample(1, 1));
    let stored = storage.get(&name.to_string(), None).unwrap();
    assert!(stored.windows(6).any(|window| window == b"laptop"));
    let again = Remote::open(Box::new(Arc::clone(&storage)), &Keys::default()).unwrap();
    assert_eq!(again.read(&name).unwrap(), sample(1, 1));
    assert!(again.data_key_text().is_none());
    for keys in [keys(ED25519), passphrase("x")] {
        let refused = Remote::open(Box::new(Arc::clone(&storage)), &keys);
        assert!(
            matches!(refused, Err(RemoteError::NotSealed { .. })),
            "the owner may have left the sealing away"
        );
        assert!(Remote::open_known(Box::new(Arc::clone(&storage)), &keys, remote.pin()).is_ok());
    }
    let recipient = Recipient::parse(ED25519_PUBLIC).unwrap();
    assert!(matches!(
        again.add_slot(&recipient, "a"),
        Err(RemoteError::NotSealed { .. })
    ));
}

#[test]
fn a_sealed_object_shows_nothing() {
    let (storage, remote, _) = sealed();
    let object = sample(1, 1);
    push(&remote, &object);
    for name in storage.list("").unwrap() {
        let bytes = storage.get(&name.name, None).unwrap();
        for secret in [&b"laptop"[..], b"contacts", &object.objects[0].1[..20]] {
            assert!(
                !bytes.windows(secret.len()).any(|window| window == secret),
                "{}",
                name.name
            );
        }
    }
}

#[test]
fn every_cut_and_flip_of_a_stored_object_is_torn() {
    let (storage, remote, _) = sealed();
    for (storage, remote) in [plain(), (storage, remote)] {
        let name = push(&remote, &sample(1, 1));
        let good = storage.get(&name.to_string(), None).unwrap();
        for end in 0..good.len() {
            assert!(matches!(
                remote.decode(&name, &good[..end]),
                Err(RemoteError::Torn { .. })
            ));
        }
        for place in 0..good.len() * 8 {
            let mut bad = good.clone();
            bad[place / 8] ^= 1 << (place % 8);
            assert!(matches!(remote.decode(&name, &bad), Err(RemoteError::Torn { .. })));
        }
        storage.tamper(&name.to_string(), Some(good[..10].to_vec()));
        let error = remote.read(&name).unwrap_err();
        assert!(error.is_temporary(), "{error}");
        storage.tamper(&name.to_string(), None);
        assert!(matches!(remote.read(&name), Err(RemoteError::Storage(error)) if error.is_not_found()));
    }
}

/// The storage knows how names are made; the seal must hold where the hash in the name does not.
#[test]
fn what_an_enemy_renames_or_makes_is_damaged() {
    let (storage, remote, _) = sealed();
    let (first, second) = (push(&remote, &sample(1, 1)), push(&remote, &sample(2, 1)));
    let stored = storage.get(&first.to_string(), None).unwrap();
    let swapped = storage.get(&second.to_string(), None).unwrap();
    assert!(matches!(remote.decode(&first, &swapped), Err(RemoteError::Torn { .. })));
    for (replica, sequence) in [(first.replica, 2), (second.replica, 1)] {
        let forged = LogName::of(replica, sequence, &stored);
        storage.put(&forged.to_string(), &stored).unwrap();
        let error = remote.read(&forged).unwrap_err();
        assert!(matches!(error, RemoteError::Damaged { .. }) && !error.is_temporary());
    }
    for place in 0..stored.len() {
        let mut bad = stored.clone();
        bad[place] ^= 1;
        let forged = LogName::of(first.replica, first.sequence, &bad);
        assert!(matches!(remote.decode(&forged, &bad), Err(RemoteError::Damaged { .. })));
    }
    // An object of another remote, and one that leaves the sealing away.
    let (_, other, _) = sealed();
    let (_, foreign) = other.prepare(&sample(1, 1)).unwrap();
    let (_, open) = plain().1.prepare(&sample(1, 1)).unwrap();
    for bytes in [foreign, open] {
        let forged = LogName::of(first.replica, 1, &bytes);
        assert!(matches!(
            remote.decode(&forged, &bytes),
            Err(RemoteError::Damaged { .. })
        ));
    }
    assert_eq!(remote.list().unwrap().logs[&first.replica][&1].len(), 1);
}

#[test]
fn a_plain_object_under_another_name_is_damaged() {
    let (_, remote) = plain();
    let (name, stored) = remote.prepare(&sample(1, 1)).unwrap();
    let forged = LogName::of(name.replica, 2, &stored);
    assert!(matches!(
        remote.decode(&forged, &stored),
        Err(RemoteError::Damaged { .. })
    ));
}

#[test]
fn forks_and_foreign_names_are_visible() {
    let (storage, remote, _) = sealed();
    let mut other = sample(1, 1);
    other.system = "copy of laptop".to_owned();
    push(&remote, &sample(1, 1));
    push(&remote, &other);
    storage.put("log/notes.txt", b"").unwrap();
    storage.put("base/something", b"").unwrap();
    let listing = remote.list().unwrap();
    assert_eq!(listing.logs[&replica_id(1)][&1].len(), 2);
    assert_eq!(listing.foreign, ["base/something", "log/notes.txt"]);
    assert!(listing.bases.is_empty());
    assert_eq!(listing.slots.iter().collect::<Vec<_>>(), ["home"]);
    assert_eq!(listing.length_bytes.len(), 2);
}

#[test]
fn an_upload_is_repeated_and_heals_what_was_torn() {
    for tear in [Tear::Reported, Tear::Silent] {
        let (storage, remote, _) = sealed();
        let (name, stored) = remote.prepare(&sample(1, 1)).unwrap();
        storage.tear_next_put(tear);
        let error = remote.upload(&name, &stored).unwrap_err();
        assert!(error.is_temporary(), "{error}");
        assert!(matches!(remote.read(&name), Err(RemoteError::Torn { .. })));
        remote.upload(&name, &stored).unwrap();
        remote.upload(&name, &stored).unwrap();
        assert_eq!(remote.read(&name).unwrap(), sample(1, 1));
    }
}

#[test]
fn a_large_upload_is_checked_at_its_end() {
    let (storage, remote, _) = sealed();
    let mut object = sample(1, 1);
    object.objects.push((Domain::Blob, noise(300_000, 5)));
    let (name, stored) = remote.prepare(&object).unwrap();
    storage.tear_next_put(Tear::Silent);
    assert!(matches!(
        remote.upload(&name, &stored),
        Err(RemoteError::NotStored { .. })
    ));
    remote.upload(&name, &stored).unwrap();
    assert_eq!(remote.read(&name).unwrap(), object);
    assert!(matches!(
        remote.upload(&name, &stored[1..]),
        Err(RemoteError::Damaged { .. })
    ));
}

#[test]
fn a_late_listing_hides_nothing_from_who_knows_the_name() {
    let (storage, remote, _) = sealed();
    storage.list_late();
    let name = push(&remote, &sample(1, 1));
    assert!(remote.list().unwrap().logs.is_empty());
    assert_eq!(remote.read(&name).unwrap(), sample(1, 1));
    storage.catch_up();
    assert_eq!(remote.list().unwrap().newest().len(), 1);
}

#[test]
fn each_sort_of_key_opens_the_remote() {
    let (storage, remote, identity) = sealed();
    let add = |text: &str, slot: &str| remote.add_slot(&Recipient::parse(text).unwrap(), slot).unwrap();
    add(ED25519_PUBLIC, "ed25519");
    add(RSA_PUBLIC, "rsa");
    add(PROTECTED_PUBLIC, "protected");
    let words = Recipient::passphrase(secret("correct horse"), LITTLE_WORK).unwrap();
    remote.add_slot(&words, "words").unwrap();
    assert_eq!(remote.slots().unwrap().len(), 5);

    let mut protected = Keys::default();
    let mut asked = Vec::new();
    protected
        .add_text(PROTECTED, "my key", &mut |name| {
            asked.push(name.to_owned());
            Some(secret("test passphrase"))
        })
        .unwrap();
    assert_eq!(asked, ["my key"]);
    let kept = remote.data_key_text().unwrap();
    for keys in [
        keys(identity.expose_secret()),
        keys(ED25519),
        keys(RSA),
        protected,
        passphrase("correct horse"),
        keys(kept.expose_secret()),
    ] {
        let shown = format!("{keys:?}");
        let opened = Remote::open(Box::new(Arc::clone(&storage)), &keys).unwrap();
        assert_eq!(opened.pin(), remote.pin(), "{shown}");
        assert_eq!(opened.data_key_text().unwrap().expose_secret(), kept.expose_secret());
    }
}

#[test]
fn keys_that_do_not_fit_say_which_slots_there_are() {
    let (storage, remote, _) = sealed();
    let open = |keys| Remote::open(Box::new(Arc::clone(&storage)), &keys).unwrap_err();
    for keys in [
        Keys::default(),
        keys(ED25519),
        passphrase("x"),
        keys(generate_identity().0.expose_secret()),
    ] {
        assert!(matches!(open(keys), RemoteError::NoKeyFits { slots, .. } if slots == ["home"]));
    }
    let words = Recipient::passphrase(secret("correct horse"), LITTLE_WORK).unwrap();
    remote.add_slot(&words, "words").unwrap();
    assert!(
        matches!(open(passphrase("correct hose")), RemoteError::WrongPassphrase { slots, .. } if slots == ["words"])
    );
    let other = sealed().1.data_key_text().unwrap();
    assert!(matches!(
        open(keys(other.expose_secret())),
        RemoteError::NoKeyFits { .. }
    ));
}

/// Whoever owns the storage can make slots for public keys.
#[test]
fn a_slot_with_another_key_is_not_believed() {
    let (storage, remote, identity) = sealed();
    let (other_storage, other, _) = sealed();
    let public = identity
        .expose_secret()
        .lines()
        .next()
        .unwrap()
        .trim_start_matches("# public key: ")
        .to_owned();
    other.add_slot(&Recipient::parse(&public).unwrap(), "forged").unwrap();
    for object in other_storage.list("key/forged").unwrap() {
        storage
            .put(&object.name, &other_storage.get(&object.name, None).unwrap())
            .unwrap();
    }
    let opened = Remote::open(Box::new(Arc::clone(&storage)), &keys(identity.expose_secret())).unwrap();
    assert_eq!(opened.pin(), remote.pin());
    for object in storage.list("key/home").unwrap() {
        storage.tamper(&object.name, None);
    }
    let error = Remote::open(Box::new(Arc::clone(&storage)), &keys(identity.expose_secret())).unwrap_err();
    assert!(matches!(error, RemoteError::ForeignKey { slot } if slot == "forged"));
}

#[test]
fn a_slot_is_an_ordinary_age_file() {
    let (storage, remote, identity) = sealed();
    let slot = &storage.list("key/").unwrap()[0].name;
    assert!(
        slot.strip_prefix("key/home.").is_some_and(|rest| rest.len() == 16 + 4),
        "{slot}"
    );
    let bytes = storage.get(slot, None).unwrap();
    assert!(bytes.starts_with(b"age-encryption.org/v1\n"));
    let line = identity.expose_secret().lines().nth(1).unwrap();
    let identity: age::x25519::Identity = line.parse().unwrap();
    let mut text = String::new();
    age::Decryptor::new(&bytes[..])
        .unwrap()
        .decrypt(std::iter::once(&identity as &dyn age::Identity))
        .unwrap()
        .read_to_string(&mut text)
        .unwrap();
    assert!(text.starts_with("dsync-data-key-1 ") && text.ends_with('\n') && text.len() == 17 + 44 + 1);
    assert_eq!(text, remote.data_key_text().unwrap().expose_secret());
}

#[test]
fn damaged_slots_are_passed_over() {
    let (storage, remote, identity) = sealed();
    remote
        .add_slot(&Recipient::parse(ED25519_PUBLIC).unwrap(), "ssh")
        .unwrap();
    let name = storage.list("key/home").unwrap()[0].name.clone();
    let good = storage.get(&name, None).unwrap();
    for end in (0..good.len()).step_by(7) {
        storage.tamper(&name, Some(good[..end].to_vec()));
        let open = |text: &str| Remote::open(Box::new(Arc::clone(&storage)), &keys(text));
        assert!(matches!(
            open(identity.expose_secret()),
            Err(RemoteError::NoKeyFits { .. })
        ));
        assert_eq!(open(ED25519).unwrap().pin(), remote.pin());
    }
    // The other slot is torn, so this one is the last that opens anything.
    assert!(matches!(remote.remove_slot("ssh"), Err(RemoteError::LastSlot { .. })));
}

/// A slot whose hash was made to fit: the reader of the age format must stand everything.
#[test]
fn forged_slots_do_no_harm() {
    let (identity, public) = generate_identity();
    let keys = keys(identity.expose_secret());
    let good = Recipient::parse(&public)
        .unwrap()
        .wrap(&seal::DataKey::new(Box::new([5; 32])))
        .unwrap();
    for end in 0..good.len() {
        assert!(
            !matches!(keys.unwrap(&good[..end]), keys::Unwrapped::Key(_)),
            "cut at {end}"
        );
    }
    for place in 0..good.len() {
        let mut bad = good.clone();
        bad[place] ^= 1;
        assert!(!matches!(keys.unwrap(&bad), keys::Unwrapped::Key(_)), "byte {place}");
    }
    // A well-formed slot that asks for 2^40 would need a pebibyte; one that asks for little is just not ours.
    let asking = |work: u8| {
        let (salt, body) = ("A".repeat(22), "A".repeat(43));
        format!(
            "age-encryption.org/v1\n-> scrypt {salt} {work}\n{body}\n--- {body}\n{}",
            "x".repeat(48)
        )
    };
    let unwrap = |work| passphrase("x").unwrap(asking(work).as_bytes());
    assert!(matches!(unwrap(LITTLE_WORK), keys::Unwrapped::WrongPassphrase));
    for work in [21, 40, 63] {
        assert!(matches!(unwrap(work), keys::Unwrapped::Broken));
    }
}

#[test]
fn slots_come_and_go_but_never_all() {
    let (storage, remote, identity) = sealed();
    let ssh = Recipient::parse(ED25519_PUBLIC).unwrap();
    assert!(matches!(remote.remove_slot("home"), Err(RemoteError::LastSlot { .. })));
    assert!(matches!(
        remote.add_slot(&ssh, "home"),
        Err(RemoteError::SlotExists { .. })
    ));
    assert!(matches!(
        remote.add_slot(&ssh, "My Key"),
        Err(RemoteError::BadSlotName { .. })
    ));
    assert!(matches!(
        remote.remove_slot("none"),
        Err(RemoteError::NoSuchSlot { .. })
    ));
    remote.add_slot(&ssh, "ssh").unwrap();
    remote.remove_slot("home").unwrap();
    assert_eq!(remote.slots().unwrap().into_iter().collect::<Vec<_>>(), ["ssh"]);
    let gone = Remote::open(Box::new(Arc::clone(&storage)), &keys(identity.expose_secret()));
    assert!(matches!(gone, Err(RemoteError::NoKeyFits { .. })));
    assert!(Remote::open(Box::new(storage), &keys(ED25519)).is_ok());
}

#[test]
fn what_is_no_key_is_refused_with_its_reason() {
    for (text, part) in [
        ("age1qqq", "recipient"),
        ("", "recipient"),
        ("AGE-SECRET-KEY-1QQ", "secret key"),
        (ED25519, "secret key"),
        (ECDSA_PUBLIC, "ecdsa"),
    ] {
        let error = Recipient::parse(text).unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
    }
    assert!(matches!(
        Recipient::passphrase(secret(""), 1),
        Err(KeyError::EmptyPassphrase)
    ));
    let add = |text: &str, ask: AskPassphrase<'_>| Keys::default().add_text(text, "file", ask).unwrap_err();
    assert!(matches!(add("", &mut |_| None), KeyError::NotAKey { .. }));
    assert!(matches!(
        add("# only a comment\n", &mut |_| None),
        KeyError::NotAKey { .. }
    ));
    assert!(matches!(
        add("dsync-data-key-1 AAAA\n", &mut |_| None),
        KeyError::NotAKey { .. }
    ));
    assert!(matches!(add(ECDSA, &mut |_| None), KeyError::Unsupported { .. }));
    assert!(matches!(
        add(PROTECTED, &mut |_| None),
        KeyError::NeedsPassphrase { .. }
    ));
    assert!(matches!(
        add(PROTECTED, &mut |_| Some(secret("wrong"))),
        KeyError::WrongPassphrase { .. }
    ));
    assert!(matches!(
        add(PROTECTED, &mut |_| Some(secret(""))),
        KeyError::WrongPassphrase { .. }
    ));
    for end in (0..ED25519.len() - 1).step_by(5) {
        let result = Keys::default().add_text(&ED25519[..end], "file", &mut |_| None);
        assert!(result.is_err() || end + 2 > ED25519.trim_end().len(), "cut at {end}");
    }
}

#[test]
fn key_files_are_private_and_read_again() {
    use std::os::unix::fs::PermissionsExt;
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("origin");
    let (storage, remote, identity) = sealed();
    write_secret(&Disk::default(), &path, &identity).unwrap();
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let mut keys = Keys::default();
    keys.add_file(&Disk::default(), &path, &mut |_| None).unwrap();
    assert_eq!(Remote::open(Box::new(storage), &keys).unwrap().pin(), remote.pin());
    std::fs::write(&path, [0xFF, 0xFE]).unwrap();
    let error = Keys::default().add_file(&Disk::default(), &path, &mut |_| None);
    assert!(matches!(error, Err(KeyError::NotAKey { .. })));
}

#[test]
fn secrets_do_not_print_themselves() {
    let (_, remote, identity) = sealed();
    let kept = remote.data_key_text().unwrap();
    let key = kept.expose_secret().trim_end().rsplit(' ').next().unwrap().to_owned();
    let words = Recipient::passphrase(secret("correct horse"), LITTLE_WORK).unwrap();
    let all = format!(
        "{remote:?} {:?} {words:?} {:?} {:?} {:?}",
        keys(identity.expose_secret()),
        passphrase("correct horse"),
        remote.pin(),
        remote.pin().to_string(),
    );
    let secret_line = identity.expose_secret().lines().nth(1).unwrap();
    for text in [&key, "correct horse", secret_line] {
        assert!(!all.contains(text), "{all}");
    }
}

#[test]
fn a_storage_is_made_a_remote_once() {
    let (storage, _, _) = sealed();
    let before = storage.list("").unwrap();
    let again = Remote::create(Box::new(Arc::clone(&storage)), &CreateOptions::Plain);
    assert!(matches!(again, Err(RemoteError::AlreadyARemote { .. })));
    assert_eq!(storage.list("").unwrap(), before);

    let empty = Arc::new(MemoryStorage::default());
    let create = |recipients| Remote::create(Box::new(Arc::clone(&empty)), &CreateOptions::Sealed { recipients });
    assert!(matches!(create(vec![]), Err(RemoteError::NoRecipients)));
    let ssh = || Recipient::parse(ED25519_PUBLIC).unwrap();
    let twice = vec![("a".to_owned(), ssh()), ("a".to_owned(), ssh())];
    assert!(matches!(create(twice), Err(RemoteError::SlotExists { .. })));
    assert!(matches!(
        create(vec![("../a".to_owned(), ssh())]),
        Err(RemoteError::BadSlotName { .. })
    ));
    assert_eq!(empty.list("").unwrap(), []);
}

#[test]
fn of_two_who_create_at_once_one_is_told() {
    let home = tempfile::tempdir().unwrap();
    let create = || {
        let storage = FolderStorage::open(Disk::default(), home.path()).unwrap();
        let recipients = vec![("ssh".to_owned(), Recipient::parse(ED25519_PUBLIC).unwrap())];
        Remote::create(Box::new(storage), &CreateOptions::Sealed { recipients })
    };
    let results: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(create)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let winners: Vec<_> = results.iter().flatten().collect();
    assert_eq!(winners.len(), 1);
    assert_eq!(winners[0].slots().unwrap().len(), 1);
    let storage = FolderStorage::open(Disk::default(), home.path()).unwrap();
    assert_eq!(
        Remote::open(Box::new(storage), &keys(ED25519)).unwrap().pin(),
        winners[0].pin()
    );
    let losers = results.iter().filter_map(|result| result.as_ref().err());
    assert!(
        losers
            .into_iter()
            .all(|error| matches!(error, RemoteError::AlreadyARemote { .. }))
    );
}

#[test]
fn a_storage_without_descriptor_is_no_remote() {
    let empty = Arc::new(MemoryStorage::default());
    let open = || Remote::open(Box::new(Arc::clone(&empty)), &Keys::default()).unwrap_err();
    assert!(matches!(open(), RemoteError::NotARemote { url } if url == "memory"));
    empty.tamper("dsync-remote", Some(b"my notes".to_vec()));
    assert!(matches!(open(), RemoteError::NotARemote { .. }));
    empty.tamper("dsync-remote", Some(b"dsync-remote 9\n".to_vec()));
    assert!(matches!(open(), RemoteError::NewerVersion { version: 9, .. }));
    empty.tamper("dsync-remote", Some(b"dsync-re".to_vec()));
    assert!(matches!(open(), RemoteError::Torn { .. }));
    empty.set_unreachable(true);
    assert!(matches!(open(), RemoteError::Storage(StorageError::Unreachable { .. })));
}

#[test]
fn a_known_remote_is_opened_without_a_request_and_listed_with_one() {
    let (storage, remote, _) = sealed();
    let counting = Arc::new(Counting::new(Arc::clone(&storage)));
    let keys = keys(remote.data_key_text().unwrap().expose_secret());
    let pin = remote.pin().to_string().parse().unwrap();
    let known = Remote::open_known(Box::new(Arc::clone(&counting)), &keys, pin).unwrap();
    assert_eq!(counting.traffic().requests(), 0);
    push(&remote, &sample(1, 1));
    assert_eq!(known.list().unwrap().newest().len(), 1);
    assert_eq!((counting.traffic().requests(), counting.traffic().lists), (1, 1));
    // A listing may be late, an empty mount point has no descriptor.
    storage.tamper("dsync-remote", None);
    assert!(matches!(known.list(), Err(RemoteError::NotARemote { .. })));
}

#[test]
fn a_replaced_remote_is_noticed() {
    let (_, first, identity) = sealed();
    let (other, _, _) = sealed();
    let (open, bare) = plain();
    let (another, _) = plain();
    for storage in [other, open] {
        // With the key at hand nothing is asked at first; nothing is used before it was.
        let kept = || keys(first.data_key_text().unwrap().expose_secret());
        let (name, stored) = first.prepare(&sample(1, 1)).unwrap();
        let known = Remote::open_known(Box::new(Arc::clone(&storage)), &kept(), first.pin()).unwrap();
        assert!(matches!(
            known.upload(&name, &stored),
            Err(RemoteError::Replaced { .. })
        ));
        assert!(matches!(known.read(&name), Err(RemoteError::Replaced { .. })));
        assert!(matches!(known.remove_slot("home"), Err(RemoteError::Replaced { .. })));
        assert!(known.list().unwrap().logs.is_empty());
        let result = Remote::open_known(Box::new(storage), &keys(identity.expose_secret()), first.pin());
        assert!(matches!(result, Err(RemoteError::Replaced { .. })), "{result:?}");
    }
    let known = Remote::open_known(Box::new(another), &Keys::default(), bare.pin()).unwrap();
    let (name, stored) = bare.prepare(&sample(1, 1)).unwrap();
    assert!(matches!(
        known.upload(&name, &stored),
        Err(RemoteError::Replaced { .. })
    ));
}

#[test]
fn a_stop_at_any_write_of_creation_leaves_a_remote_or_none() {
    let home = tempfile::tempdir().unwrap();
    let (identity, public) = generate_identity();
    let create = |disk| {
        let recipients = vec![
            ("home".to_owned(), Recipient::parse(&public).unwrap()),
            ("ssh".to_owned(), Recipient::parse(ED25519_PUBLIC).unwrap()),
        ];
        let storage = FolderStorage::open(disk, home.path()).unwrap();
        Remote::create(Box::new(storage), &CreateOptions::Sealed { recipients })
    };
    let mut stops = 0;
    while create(Disk::with_faults(FaultPlan::stop_before(stops))).is_err() {
        let open = |text| {
            let storage = FolderStorage::open(Disk::default(), home.path()).unwrap();
            Remote::open(Box::new(storage), &keys(text))
        };
        match open(ED25519) {
            Ok(remote) => assert_eq!(remote.pin(), open(identity.expose_secret()).unwrap().pin()),
            Err(error) => {
                assert!(matches!(error, RemoteError::NotARemote { .. }), "{error}");
                // What the stop left behind is in nobody's way.
                let remote = create(Disk::default()).unwrap();
                assert_eq!(open(ED25519).unwrap().pin(), remote.pin());
            }
        }
        std::fs::remove_dir_all(home.path().join("key")).ok();
        std::fs::remove_file(home.path().join("dsync-remote")).ok();
        stops += 1;
    }
    assert!(stops >= 7, "a folder and three files of two writes each: {stops}");
}

#[test]
fn a_creation_that_was_torn_is_repeated() {
    for tear in [Tear::Reported, Tear::Silent] {
        let storage = Arc::new(MemoryStorage::default());
        storage.tear_next_put(tear);
        let create = || Remote::create(Box::new(Arc::clone(&storage)), &CreateOptions::Plain);
        assert!(create().unwrap_err().is_temporary());
        create().unwrap();
    }
    let storage = Arc::new(MemoryStorage::default());
    storage.tamper("dsync-remote", Some(b"dsync-remote 1\nHist".to_vec()));
    let error = Remote::create(Box::new(storage), &CreateOptions::Plain).unwrap_err();
    assert!(matches!(error, RemoteError::Torn { .. }), "{error}");
}

#[test]
fn an_object_of_a_newer_program_says_so() {
    let (_, remote, _) = sealed();
    let (name, mut stored) = remote.prepare(&sample(1, 1)).unwrap();
    stored[0] = 3;
    let newer = LogName::of(name.replica, name.sequence, &stored);
    assert!(matches!(
        remote.decode(&newer, &stored),
        Err(RemoteError::NewerVersion { version: 3, .. })
    ));
}

#[test]
fn a_key_file_is_never_replaced_and_never_half_written() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("origin");
    for n in 0.. {
        let result = write_secret(&Disk::with_faults(FaultPlan::stop_before(n)), &path, &secret("text"));
        if path.exists() {
            assert_eq!(std::fs::read(&path).unwrap(), b"text");
        }
        if result.is_ok() {
            break;
        }
    }
    assert!(write_secret(&Disk::default(), &path, &secret("other")).is_err());
    assert_eq!(std::fs::read(&path).unwrap(), b"text");
    assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 1);
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]

    /// Slots come from the storage; nothing in one may stop the program.
    #[test]
    fn mangled_slots_and_keys_never_panic(
        changes in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>(), 0..3u8), 1..6),
    ) {
        let mangle = |bytes: &[u8]| {
            let mut bytes = bytes.to_vec();
            for (place, byte, how) in &changes {
                let place = place.index(bytes.len());
                match how {
                    0 => bytes[place] = *byte,
                    1 => bytes.insert(place, *byte),
                    _ => {
                        bytes.remove(place);
                    }
                }
            }
            bytes
        };
        let data_key = seal::DataKey::new(Box::new([5; 32]));
        let mine = [keys(ED25519), keys(RSA), passphrase("x")];
        for recipient in [ED25519_PUBLIC, RSA_PUBLIC] {
            let slot = mangle(&Recipient::parse(recipient).unwrap().wrap(&data_key).unwrap());
            for keys in &mine {
                let _any = keys.unwrap(&slot);
            }
        }
        let words = Recipient::passphrase(secret("x"), LITTLE_WORK).unwrap();
        let _any = mine[2].unwrap(&mangle(&words.wrap(&data_key).unwrap()));
        for text in [ED25519, PROTECTED, ED25519_PUBLIC] {
            let text = String::from_utf8_lossy(&mangle(text.as_bytes())).into_owned();
            let _any = Keys::default().add_text(&text, "file", &mut |_| Some(secret("test passphrase")));
            let _any = Recipient::parse(&text);
        }
    }
}
