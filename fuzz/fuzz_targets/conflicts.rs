//! Entries of the conflict tree and settings: any bytes are one or an error, and reading them ends.

#![no_main]

use dsync::delta::State;
use dsync::merge::{Settings, conflicts, record_count, settings_key};
use dsync::port::MemoryObjects;
use dsync::tree::{TreeError, build};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let objects = MemoryObjects::default();
    for key in [settings_key().bytes().to_vec(), vec![7; 16]] {
        let entry = Ok::<_, TreeError>((key, bytes.to_vec()));
        let Ok(root) = build(&objects, [entry]) else { return };
        let state = State {
            conflicts: root,
            ..State::empty()
        };
        for conflict in conflicts(&objects, &state).take_while(Result::is_ok).flatten() {
            assert!(conflict.alternatives.len() > 1);
        }
        drop(record_count(&objects, &state));
        if let Ok(settings) = Settings::read(&objects, &state) {
            for (path, policy) in &settings.policies {
                assert_eq!(settings.policy(path), policy);
            }
        }
    }
});
