//! Edits of rows on their way into a table: those that are listed, and new rows that are made when their turn comes.
//!
//! A table that is filled for the first time gets millions of rows. They lie in the store already, so that a list of them
//! would hold everything a second time; what makes them one by one ([`NewRows`]) holds their keys at most.

use std::borrow::Cow;

use super::{RowEdit, Values};
use crate::source::SourceError;

/// Makes new rows.
pub trait NewRows {
    /// Returns how many there are.
    fn count(&self) -> usize;

    /// Returns the values of one, counted from 0, by the columns there are after the changes of columns.
    ///
    /// Rows that are asked for in their order cost least.
    fn row(&self, number: usize) -> Result<Values, SourceError>;
}

/// Edits of rows, each under a number: the listed ones, then the new rows that are made.
#[derive(Default, Clone)]
pub struct RowEdits<'w> {
    listed: Cow<'w, [RowEdit]>,
    made: Option<&'w dyn NewRows>,
}

impl std::fmt::Debug for RowEdits<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut list = formatter.debug_list();
        list.entries(self.listed.iter());
        list.entry(&format_args!("and {} new rows", self.made_count()));
        list.finish()
    }
}

impl From<Vec<RowEdit>> for RowEdits<'_> {
    fn from(listed: Vec<RowEdit>) -> Self {
        Self {
            listed: listed.into(),
            made: None,
        }
    }
}

impl<'w> RowEdits<'w> {
    /// Makes edits of a list and of new rows behind it.
    pub fn new(listed: impl Into<Cow<'w, [RowEdit]>>, made: &'w dyn NewRows) -> Self {
        Self {
            listed: listed.into(),
            made: Some(made),
        }
    }

    fn made_count(&self) -> usize {
        self.made.map_or(0, NewRows::count)
    }

    /// Returns how many there are.
    pub fn len(&self) -> usize {
        self.listed.len() + self.made_count()
    }

    /// Returns whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns those that are listed: all changed and removed rows are among them.
    pub fn listed(&self) -> &[RowEdit] {
        &self.listed
    }

    /// Returns what makes the others.
    pub fn made(&self) -> Option<&'w dyn NewRows> {
        self.made
    }

    /// Returns one by its number; `None` beyond the last.
    pub fn get(&self, number: usize) -> Result<Option<Cow<'_, RowEdit>>, SourceError> {
        if let Some(edit) = self.listed.get(number) {
            return Ok(Some(Cow::Borrowed(edit)));
        }
        let number = number - self.listed.len();
        match self.made.filter(|made| number < made.count()) {
            Some(made) => Ok(Some(Cow::Owned(RowEdit::Insert { new: made.row(number)? }))),
            None => Ok(None),
        }
    }

    /// Walks over all of them in the order of their numbers.
    pub fn iter(&self) -> impl Iterator<Item = Result<(usize, Cow<'_, RowEdit>), SourceError>> {
        (0..self.len()).filter_map(|number| match self.get(number) {
            Ok(edit) => edit.map(|edit| Ok((number, edit))),
            Err(error) => Some(Err(error)),
        })
    }

    /// Walks over the new rows, listed or made, with their numbers.
    pub fn inserts(&self) -> impl Iterator<Item = Result<(usize, Cow<'_, Values>), SourceError>> {
        let listed = self.listed.iter().enumerate().filter_map(|(number, edit)| match edit {
            RowEdit::Insert { new } => Some(Ok((number, Cow::Borrowed(new)))),
            RowEdit::Update { .. } | RowEdit::Delete { .. } => None,
        });
        let before = self.listed.len();
        let made = self.made.into_iter().flat_map(move |made| {
            (0..made.count()).map(move |number| Ok((before + number, Cow::Owned(made.row(number)?))))
        });
        listed.chain(made)
    }
}

/// New rows as a table below another one gets them.
pub(super) struct Below<'w, F> {
    rows: &'w dyn NewRows,
    turn: F,
}

impl<'w, F: Fn(&Values) -> Values> Below<'w, F> {
    /// Turns each row of `rows`.
    pub(super) fn new(rows: &'w dyn NewRows, turn: F) -> Self {
        Self { rows, turn }
    }
}

impl<F: Fn(&Values) -> Values> NewRows for Below<'_, F> {
    fn count(&self) -> usize {
        self.rows.count()
    }

    fn row(&self, number: usize) -> Result<Values, SourceError> {
        Ok((self.turn)(&self.rows.row(number)?))
    }
}

/// No rows, to stand where there are none to be made.
pub(super) struct NoRows;

impl NewRows for NoRows {
    fn count(&self) -> usize {
        0
    }

    fn row(&self, _number: usize) -> Result<Values, SourceError> {
        Ok(Values::new())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Value;

    struct Numbers(i64);

    impl NewRows for Numbers {
        fn count(&self) -> usize {
            usize::try_from(self.0).unwrap()
        }

        fn row(&self, number: usize) -> Result<Values, SourceError> {
            Ok(vec![Some(Value::Integer(i64::try_from(number).unwrap()))])
        }
    }

    #[test]
    fn listed_edits_come_first_and_every_number_leads_to_its_edit() {
        let insert = |number| RowEdit::Insert {
            new: vec![Some(Value::Integer(number))],
        };
        let delete = RowEdit::Delete { row: 7, old: vec![] };
        let edits = RowEdits::new(vec![delete.clone(), insert(9)], &Numbers(2));
        let all: Vec<(usize, RowEdit)> = edits
            .iter()
            .map(|edit| edit.map(|(number, edit)| (number, edit.into_owned())).unwrap())
            .collect();
        let wanted = [delete, insert(9), insert(0), insert(1)];
        assert_eq!(all, wanted.iter().cloned().enumerate().collect::<Vec<_>>());
        for (number, edit) in &all {
            assert_eq!(edits.get(*number).unwrap().as_deref(), Some(edit));
        }
        assert_eq!(edits.get(4).unwrap(), None);
        let inserts: Vec<usize> = edits.inserts().map(|insert| insert.unwrap().0).collect();
        assert_eq!(inserts, [1, 2, 3]);
    }
}
