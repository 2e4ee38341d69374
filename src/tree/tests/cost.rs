//! What operations cost, in objects read and written.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;

/// Objects that count what is asked of them.
#[derive(Default)]
struct Counting {
    inner: MemoryObjects,
    reads: AtomicUsize,
    writes: AtomicUsize,
}

impl Counting {
    /// Returns reads and writes since the last call.
    fn take(&self) -> (usize, usize) {
        (
            self.reads.swap(0, Ordering::Relaxed),
            self.writes.swap(0, Ordering::Relaxed),
        )
    }
}

impl Objects for Counting {
    fn get(&self, id: &Hash) -> Result<Arc<[u8]>, ObjectError> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        self.inner.get(id)
    }

    fn put(&self, domain: Domain, content: &[u8]) -> Result<Hash, ObjectError> {
        self.writes.fetch_add(1, Ordering::Relaxed);
        self.inner.put(domain, content)
    }

    fn contains(&self, id: &Hash) -> bool {
        self.inner.contains(id)
    }
}

#[test]
fn one_change_costs_a_path() {
    let objects = Counting::default();
    let content = sample(100_000);
    let root = built(&objects, &content);
    let depth = usize::from(load(&objects, &root).unwrap().level()) + 1;
    assert_eq!(depth, 4);
    let (mut edits, mut edit_reads, mut edit_writes, mut diff_reads) = (0, 0, 0, 0);
    for (key, value) in content.iter().step_by(1009) {
        let same_size = value.iter().map(|byte| !byte).collect();
        let longer = [value.as_slice(), b"longer by some bytes"].concat();
        let between = [key.as_slice(), b"new"].concat();
        for change in [
            (key.clone(), Some(same_size)),
            (key.clone(), Some(longer)),
            (key.clone(), None),
            (between, Some(value.clone())),
        ] {
            if get(&objects, &root, &change.0).unwrap() == change.1 {
                continue;
            }
            objects.take();
            let edited = edit(&objects, &root, [change.clone()]).unwrap();
            let (reads, writes) = objects.take();
            let changes: Vec<_> = diff(&objects, &root, &edited).collect::<Result<_, _>>().unwrap();
            let compared = objects.take().0;
            assert_eq!(changes.len(), 1);
            assert_eq!((&changes[0].key, &changes[0].new), (&change.0, &change.1));
            assert!(
                reads <= 5 * depth && writes <= 5 * depth,
                "edit: {reads} reads, {writes} writes"
            );
            // An edit that moves boundaries on several levels is rare; what it costs on average is below.
            assert!(compared <= 10 * depth, "diff: {compared} reads");
            edits += 1;
            edit_reads += reads;
            edit_writes += writes;
            diff_reads += compared;
        }
    }
    // On average hardly more than the path itself: the whole point of the splitter.
    assert!(
        10 * edit_reads <= 11 * edits * depth,
        "{edit_reads} reads in {edits} edits"
    );
    assert!(
        10 * edit_writes <= 11 * edits * depth,
        "{edit_writes} writes in {edits} edits"
    );
    assert!(
        10 * diff_reads <= 22 * edits * depth,
        "{diff_reads} reads in {edits} comparisons"
    );
}

#[test]
fn equal_trees_and_get_and_count_read_little() {
    let objects = Counting::default();
    let content = sample(10_000);
    let root = built(&objects, &content);
    let depth = usize::from(load(&objects, &root).unwrap().level()) + 1;
    objects.take();
    assert_eq!(diff(&objects, &root, &root).count(), 0);
    assert_eq!(edit(&objects, &root, []).unwrap(), root);
    assert_eq!(objects.take(), (0, 0));
    get(&objects, &root, content.keys().next().unwrap()).unwrap();
    assert_eq!(objects.take(), (depth, 0));
    count(&objects, &root).unwrap();
    assert_eq!(objects.take(), (1, 0));
    iter_from(&objects, &root, content.keys().nth(5000).unwrap())
        .next()
        .unwrap()
        .unwrap();
    assert_eq!(objects.take(), (depth, 0));
}

#[test]
fn trees_of_different_height_share_their_subtrees() {
    let objects = Counting::default();
    let all = sample(40_000);
    let few: Content = all.clone().into_iter().take(500).collect();
    let (tall, low) = (built(&objects, &all), built(&objects, &few));
    let height = |root| load(&objects, root).unwrap().level();
    assert!(height(&tall) > height(&low));
    let all_nodes = {
        let mut nodes = 0;
        visit(
            &objects,
            &tall,
            &mut |_| {
                nodes += 1;
                true
            },
            &mut |_, _| {},
        )
        .unwrap();
        nodes
    };
    objects.take();
    assert_eq!(diff(&objects, &low, &tall).count(), 39_500);
    let reads = objects.take().0;
    // The leaves of the small tree but the last are those of the large one and stay closed.
    let shared = load(&objects, &low).unwrap().len() - 1;
    assert!(
        shared > 10 && reads <= all_nodes - shared + 4,
        "{reads} of {all_nodes}, {shared} shared"
    );
}
