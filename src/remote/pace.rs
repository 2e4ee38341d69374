//! Storages around storages on the network: trying again, and not too fast.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::storage::{Storage, StorageResult, StoredObject};

/// Attempts at one call (chosen: with the pauses below a server that restarts within 5 seconds is waited for).
const MOST_ATTEMPTS: u32 = 6;
/// The pause after the first failed attempt; each further one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
/// No further attempt after this: attempts that time out would add up.
const LONGEST: Duration = Duration::from_mins(1);
/// How often a pause looks whether it is interrupted.
const PAUSE_STEP: Duration = Duration::from_millis(50);

/// Tries again after temporary faults ([`super::StorageError::is_temporary`]), with pauses that double and of which
/// a random half is left away, so that many clients of a recovering server do not come back at once.
///
/// All four verbs may be repeated: a put that arrived is found equal the next time.
#[derive(Debug)]
pub struct Retrying<S> {
    inner: S,
    interrupted: Arc<AtomicBool>,
    first_pause: Duration,
}

impl<S: Storage> Retrying<S> {
    /// Tries again until `interrupted` is set.
    pub fn new(inner: S, interrupted: Arc<AtomicBool>) -> Self {
        Self {
            inner,
            interrupted,
            first_pause: FIRST_PAUSE,
        }
    }

    fn attempt<T>(&self, mut call: impl FnMut() -> StorageResult<T>) -> StorageResult<T> {
        let start = Instant::now();
        let mut pause = self.first_pause;
        for _ in 1..MOST_ATTEMPTS {
            match call() {
                Err(error) if error.is_temporary() && start.elapsed() + pause < LONGEST => {
                    if !self.wait(jittered(pause)) {
                        return Err(error);
                    }
                }
                result => return result,
            }
            pause *= 2;
        }
        call()
    }

    /// Waits; returns whether it was not interrupted.
    fn wait(&self, pause: Duration) -> bool {
        let end = Instant::now() + pause;
        loop {
            if self.interrupted.load(Ordering::Relaxed) {
                return false;
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return true;
            }
            thread::sleep(left.min(PAUSE_STEP));
        }
    }
}

/// Returns between a half and the whole of `pause`.
fn jittered(pause: Duration) -> Duration {
    let [byte] = super::random().unwrap_or([0]);
    pause / 2 + pause / 2 * u32::from(byte) / 255
}

impl<S: Storage> Storage for Retrying<S> {
    fn location(&self) -> String {
        self.inner.location()
    }

    fn list(&self, prefix: &str) -> StorageResult<Vec<StoredObject>> {
        self.attempt(|| self.inner.list(prefix))
    }

    fn get(&self, name: &str, range: Option<Range<u64>>) -> StorageResult<Vec<u8>> {
        self.attempt(|| self.inner.get(name, range.clone()))
    }

    fn put(&self, name: &str, bytes: &[u8]) -> StorageResult<()> {
        self.attempt(|| self.inner.put(name, bytes))
    }

    fn delete(&self, name: &str) -> StorageResult<()> {
        self.attempt(|| self.inner.delete(name))
    }
}

/// Keeps the content that goes through below so many bytes in a second, over all calls together.
#[derive(Debug)]
pub struct Limited<S> {
    inner: S,
    bytes_per_second: u64,
    /// When what went through so far would be through at the wanted rate.
    through: Mutex<Instant>,
}

impl<S: Storage> Limited<S> {
    /// Limits `inner`; a limit of 0 is taken as 1.
    pub fn new(inner: S, bytes_per_second: u64) -> Self {
        Self {
            inner,
            bytes_per_second: bytes_per_second.max(1),
            through: Mutex::new(Instant::now()),
        }
    }

    fn pay(&self, length: usize) {
        let cost = Duration::from_nanos((length as u64).saturating_mul(1_000_000_000) / self.bytes_per_second);
        let until = {
            let mut through = self.through.lock().unwrap_or_else(PoisonError::into_inner);
            *through = (*through).max(Instant::now()) + cost;
            *through
        };
        thread::sleep(until.saturating_duration_since(Instant::now()));
    }
}

impl<S: Storage> Storage for Limited<S> {
    fn location(&self) -> String {
        self.inner.location()
    }

    fn list(&self, prefix: &str) -> StorageResult<Vec<StoredObject>> {
        self.inner.list(prefix)
    }

    fn get(&self, name: &str, range: Option<Range<u64>>) -> StorageResult<Vec<u8>> {
        let bytes = self.inner.get(name, range)?;
        self.pay(bytes.len());
        Ok(bytes)
    }

    fn put(&self, name: &str, bytes: &[u8]) -> StorageResult<()> {
        self.inner.put(name, bytes)?;
        self.pay(bytes.len());
        Ok(())
    }

    fn delete(&self, name: &str) -> StorageResult<()> {
        self.inner.delete(name)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU32;

    use super::super::{MemoryStorage, StorageError};
    use super::*;

    /// Fails so many calls before each that goes through.
    struct Failing {
        inner: MemoryStorage,
        left: AtomicU32,
        calls: AtomicU32,
        temporary: bool,
    }

    impl Failing {
        fn retrying(times: u32, temporary: bool) -> Retrying<Self> {
            Retrying {
                inner: Self {
                    inner: MemoryStorage::default(),
                    left: AtomicU32::new(times),
                    calls: AtomicU32::new(0),
                    temporary,
                },
                interrupted: Arc::default(),
                first_pause: Duration::from_millis(1),
            }
        }
    }

    impl Storage for Failing {
        fn location(&self) -> String {
            self.inner.location()
        }

        fn list(&self, prefix: &str) -> StorageResult<Vec<StoredObject>> {
            self.calls.fetch_add(1, Ordering::Relaxed);
            let step = |left: u32| left.checked_sub(1);
            if self
                .left
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, step)
                .is_ok()
            {
                return Err(StorageError::Failed {
                    action: "list",
                    name: prefix.to_owned(),
                    temporary: self.temporary,
                    source: Arc::new(std::io::Error::other("no")),
                });
            }
            self.inner.list(prefix)
        }

        fn get(&self, name: &str, range: Option<Range<u64>>) -> StorageResult<Vec<u8>> {
            self.inner.get(name, range)
        }

        fn put(&self, name: &str, bytes: &[u8]) -> StorageResult<()> {
            self.inner.put(name, bytes)
        }

        fn delete(&self, name: &str) -> StorageResult<()> {
            self.inner.delete(name)
        }
    }

    #[test]
    fn temporary_faults_are_overcome_and_others_are_not_tried_again() {
        for (times, temporary, works, calls) in [
            (5, true, true, 6),
            (6, true, false, 6),
            (1, false, false, 1),
            (0, true, true, 1),
        ] {
            let storage = Failing::retrying(times, temporary);
            assert_eq!(storage.list("").is_ok(), works, "{times} {temporary}");
            assert_eq!(storage.inner.calls.load(Ordering::Relaxed), calls);
        }
        let storage = Failing::retrying(4, true);
        storage.interrupted.store(true, Ordering::Relaxed);
        assert!(storage.list("").is_err());
        assert_eq!(storage.inner.calls.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn pauses_differ_and_stay_within_bounds() {
        let pause = Duration::from_secs(1);
        let pauses: std::collections::BTreeSet<_> = (0..40).map(|_| jittered(pause)).collect();
        assert!(pauses.len() > 5);
        assert!(pauses.iter().all(|one| (pause / 2..=pause).contains(one)));
    }

    #[test]
    fn content_goes_through_at_the_wanted_rate_over_all_threads() {
        let storage = Limited::new(MemoryStorage::default(), 100_000);
        let start = Instant::now();
        thread::scope(|scope| {
            for writer in 0..4 {
                let storage = &storage;
                scope.spawn(move || storage.put(&format!("log/{writer}"), &[0; 5000]).unwrap());
            }
        });
        assert!(start.elapsed() >= Duration::from_millis(195), "{:?}", start.elapsed());
        super::super::conformance(&Limited::new(MemoryStorage::default(), u64::MAX)).unwrap();
    }
}
