//! Lines of descent beside a log. Pure.

/// Draws snapshots that come children first: one lane for each line of descent that waits for a parent.
#[derive(Debug, Default)]
pub(super) struct Graph {
    /// The snapshot that each lane leads to.
    lanes: Vec<String>,
}

impl Graph {
    /// Returns `text` with the lanes before each line, and the lines where lanes fork and join.
    pub(super) fn draw(&mut self, snapshot: &str, parents: &[String], text: &[String]) -> Vec<String> {
        let lane = self
            .lanes
            .iter()
            .position(|waiting| waiting == snapshot)
            .unwrap_or_else(|| {
                self.lanes.push(snapshot.to_owned());
                self.lanes.len() - 1
            });
        let mut lines = Vec::new();
        for (number, line) in text.iter().enumerate() {
            let marks = (0..self.lanes.len()).map(|at| if at == lane && number == 0 { '*' } else { '|' });
            lines.push(format!("{} {line}", spaced(marks)));
        }
        self.descend(lane, parents, &mut lines);
        lines
    }

    /// Replaces the lane by lanes to the parents; draws `|\` for a new lane and `|/` for one that joins another.
    fn descend(&mut self, lane: usize, parents: &[String], lines: &mut Vec<String>) {
        let Some((first, others)) = parents.split_first() else {
            self.lanes.remove(lane);
            return;
        };
        if let Some(slot) = self.lanes.get_mut(lane) {
            slot.clone_from(first);
        }
        for parent in others
            .iter()
            .filter(|parent| !self.lanes.contains(*parent))
            .collect::<Vec<_>>()
        {
            self.lanes.insert(lane + 1, parent.clone());
            lines.push(fork_line(self.lanes.len() - 1, lane, '\\'));
        }
        while let Some((left, right)) = self.joining() {
            self.lanes.remove(right);
            lines.push(join_line(self.lanes.len(), left, right));
        }
    }

    /// Returns two lanes that lead to one snapshot.
    fn joining(&self) -> Option<(usize, usize)> {
        self.lanes.iter().enumerate().find_map(|(right, waiting)| {
            let left = self.lanes.iter().position(|other| other == waiting)?;
            (left < right).then_some((left, right))
        })
    }
}

fn spaced(marks: impl Iterator<Item = char>) -> String {
    let marks: Vec<String> = marks.map(String::from).collect();
    marks.join(" ")
}

/// Draws `lanes` lanes of which the one at `lane` splits.
fn fork_line(lanes: usize, lane: usize, mark: char) -> String {
    let mut line = String::new();
    for at in 0..lanes {
        line.push_str(if at <= lane { "| " } else { " \\" });
        if at == lane {
            line.pop();
            line.push(mark);
        }
    }
    line.trim_end().to_owned()
}

/// Draws the lane at `right` joining the one at `left`; `lanes` remain.
fn join_line(lanes: usize, left: usize, right: usize) -> String {
    let mut line = String::new();
    for at in 0..lanes {
        line.push('|');
        let between = at >= left && at + 1 < right;
        line.push(if at + 1 == right {
            '/'
        } else if between {
            '_'
        } else {
            ' '
        });
        if at + 1 > right {
            line.pop();
            line.pop();
            line.push_str(" /");
        }
    }
    line.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draw(history: &[(&str, &[&str])]) -> String {
        let mut graph = Graph::default();
        let mut out = Vec::new();
        for (snapshot, parents) in history {
            let parents: Vec<String> = parents.iter().map(ToString::to_string).collect();
            out.extend(graph.draw(snapshot, &parents, &[(*snapshot).to_owned()]));
        }
        out.join("\n")
    }

    #[test]
    fn two_heads_join_at_their_parent() {
        assert_eq!(draw(&[("c", &["a"]), ("b", &["a"]), ("a", &[])]), "* c\n| * b\n|/\n* a");
    }

    #[test]
    fn a_merge_forks_and_joins() {
        let drawn = draw(&[("m", &["b", "c"]), ("c", &["a"]), ("b", &["a"]), ("a", &[])]);
        assert_eq!(drawn, "* m\n|\\\n| * c\n* | b\n|/\n* a");
    }

    #[test]
    fn a_straight_line_stays_one_lane() {
        assert_eq!(draw(&[("c", &["b"]), ("b", &["a"]), ("a", &[])]), "* c\n* b\n* a");
    }

    #[test]
    fn a_history_cut_short_draws_without_its_parents() {
        assert_eq!(draw(&[("c", &["b"])]), "* c");
    }
}
