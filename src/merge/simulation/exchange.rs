//! How snapshots get about: between two, round a ring, to all.

use super::*;

impl World {
    /// A ring: each one writes and tells the next, and the last one tells the first, who wrote meanwhile.
    pub(super) fn pass_round(&mut self) {
        let mut ring: Vec<usize> = (0..self.replicas.len()).collect();
        self.dice.shuffle(&mut ring);
        ring.truncate(3 + self.dice.below(ring.len() - 2));
        self.write_on(ring[0]);
        let first = self.replicas[ring[0]].heads.clone();
        if self.dice.one_in(2) {
            self.write_on(ring[0]);
        }
        for (at, pair) in ring.windows(2).enumerate() {
            if at == 0 {
                self.copy(pair[0], pair[1], &first);
            } else {
                self.send(pair[0], pair[1]);
            }
            self.write_on(pair[1]);
        }
        self.send(ring[ring.len() - 1], ring[0]);
        self.meet("rings");
        self.check(ring[0]);
    }

    /// Everybody gets everything, and one writes on top of it: from there on, its snapshot stands for all before.
    pub(super) fn gather(&mut self) {
        let count = self.replicas.len();
        let center = self.dice.below(count);
        for other in 0..count {
            self.send(other, center);
        }
        let heads = self.replicas[center].heads.clone();
        let note = Value::Map([("/gathered".to_owned(), Value::Integer(self.clock))].into());
        let key = RecordKey::new(self.clock.to_be_bytes()).unwrap();
        self.author(center, &heads, BTreeMap::from([(key, Operation::Add(note))]));
        for other in 0..count {
            self.send(center, other);
        }
        self.check(center);
    }

    pub(super) fn exchange(&mut self) {
        let count = self.replicas.len();
        let (left, right) = (self.dice.below(count), self.dice.below(count));
        match self.dice.below(3) {
            0 => self.send(left, right),
            1 => {
                self.send(left, right);
                self.send(right, left);
            }
            // Both get what the other had, and neither the other's answer.
            _ => {
                let (of_left, of_right) = (self.replicas[left].heads.clone(), self.replicas[right].heads.clone());
                self.copy(left, right, &of_left);
                self.copy(right, left, &of_right);
            }
        }
        let either = *self.dice.pick(&[left, right]);
        self.check(either);
    }

    pub(super) fn send(&mut self, from: usize, to: usize) {
        let heads = self.replicas[from].heads.clone();
        self.copy(from, to, &heads);
    }

    /// Sends snapshots and difference sets in causal order; the receiver computes the states.
    pub(super) fn copy(&mut self, from: usize, to: usize, heads: &[SnapshotId]) {
        if from == to {
            return;
        }
        let (source, target) = (&self.replicas[from].objects, &self.replicas[to].objects);
        let history = History::new(source);
        let mut new: Vec<(SnapshotId, std::rc::Rc<Snapshot>)> = history
            .ancestors(heads)
            .map(Result::unwrap)
            .filter(|(id, _)| !target.contains(&id.0))
            .collect();
        new.reverse();
        let receiver = History::new(target);
        for (id, snapshot) in new {
            target.put(Domain::Snapshot, &source.get(&id.0).unwrap()).unwrap();
            let delta = Delta::open(source, &snapshot.delta).unwrap();
            let mut carry = |domain, id: &crate::model::Hash| {
                target.put(domain, &source.get(id).unwrap()).unwrap();
                Ok(())
            };
            delta.each_object(&mut carry).unwrap();
            for blob in delta.blob_references().unwrap() {
                target.put(Domain::Blob, &source.get(&blob.hash).unwrap()).unwrap();
            }
            if let Err(error) = receive(&receiver, &id) {
                panic!("seed {}: {error:?}", self.seed);
            }
        }
        let mut all = self.replicas[to].heads.clone();
        all.extend(heads);
        let heads = receiver.heads_of(&all).unwrap();
        drop(receiver);
        let replica = &mut self.replicas[to];
        if replica.heads != heads {
            replica.past.push(std::mem::replace(&mut replica.heads, heads));
        }
    }
}
