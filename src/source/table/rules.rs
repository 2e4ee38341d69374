//! Writing rows into a database that has rules of its own: in which order, what happens to rows that wait for each
//! other, and what is told of those that a rule refuses.

use super::{Constraint, ConstraintKind, RowEdit, RowEdits, RowRefusal, Values};
use crate::source::SourceError;

/// How often refused rows are tried again (chosen: longer chains of rows that wait for each other are exchanged at once).
const PASSES: usize = 8;

/// A row that was refused.
#[derive(Debug, Clone)]
pub(super) struct Refused {
    /// Its place among the edits.
    pub(super) edit: usize,
    pub(super) reason: String,
    /// The rule that refused it; it may be satisfied once other rows are written.
    pub(super) constraint: Option<Constraint>,
}

/// A transaction that rows are written in. An error ends all of it.
pub(super) trait RowWriter {
    type Error;

    /// Says that an edit could not be made.
    fn unmade(error: SourceError) -> Self::Error;

    /// Notes a point to which everything can be taken back.
    fn mark(&mut self) -> Result<(), Self::Error>;

    /// Forgets the last point.
    fn keep(&mut self) -> Result<(), Self::Error>;

    /// Goes back to the last point and forgets it.
    fn take_back(&mut self) -> Result<(), Self::Error>;

    /// Writes some of the edits, each by itself; returns those that were refused.
    fn write(&mut self, edits: &RowEdits<'_>, which: &[usize]) -> Result<Vec<Refused>, Self::Error>;

    /// Puts values into a row that show `new` in place of `old`; returns whether they were taken.
    fn put(&mut self, row: u64, old: &Values, new: &Values) -> Result<bool, Self::Error>;

    /// Returns a row that has these columns as `values` has them.
    fn holder(&mut self, columns: &[usize], values: &Values) -> Result<Option<Values>, Self::Error>;
}

/// Writes rows in an order that satisfies the database's rules, as far as there is one; returns those that it refuses.
///
/// Edits of which `is_left_out` says so are not written.
pub(super) fn write_rows<W: RowWriter>(
    writer: &mut W,
    edits: &RowEdits<'_>,
    is_left_out: &dyn Fn(usize) -> bool,
) -> Result<Vec<RowRefusal>, W::Error> {
    // What goes makes place for what comes.
    let order = |at: &usize| match edits.listed().get(*at) {
        Some(RowEdit::Delete { .. }) => 0,
        Some(RowEdit::Update { .. }) => 1,
        Some(RowEdit::Insert { .. }) | None => 2,
    };
    let mut pending: Vec<usize> = (0..edits.len()).filter(|at| !is_left_out(*at)).collect();
    pending.sort_by_key(order);
    let mut lasting = Vec::new();
    for pass in 1..=PASSES {
        let (mut waiting, others): (Vec<Refused>, Vec<Refused>) = writer
            .write(edits, &pending)?
            .into_iter()
            .partition(|refused| refused.constraint.is_some());
        lasting.extend(others);
        let count = waiting.len();
        if pass > 1 || count == pending.len() {
            waiting = exchange(writer, edits, waiting)?;
        }
        if waiting.is_empty() || waiting.len() == pending.len() || pass == PASSES {
            lasting.extend(waiting);
            break;
        }
        pending = waiting.iter().map(|refused| refused.edit).collect();
    }
    lasting.sort_by_key(|refused| refused.edit);
    let mut refusals = Vec::new();
    for refused in lasting {
        refusals.push(told(writer, edits, refused)?);
    }
    Ok(refusals)
}

/// Adds the row that is in the way of a refused one.
fn told<W: RowWriter>(writer: &mut W, edits: &RowEdits<'_>, refused: Refused) -> Result<RowRefusal, W::Error> {
    let mut constraint = refused.constraint;
    let edit = edits.get(refused.edit).map_err(W::unmade)?;
    if let (Some(constraint), Some(RowEdit::Insert { new } | RowEdit::Update { new, .. })) =
        (&mut constraint, edit.as_deref())
        && constraint.kind == ConstraintKind::Unique
        && !constraint.columns.is_empty()
    {
        constraint.rival = writer.holder(&constraint.columns, new)?;
    }
    Ok(RowRefusal {
        edit: refused.edit,
        reason: refused.reason,
        constraint,
    })
}

/// Lets rows that wait for each other's values exchange them: all give theirs up, then each gets its new ones.
/// Returns those that are still refused.
fn exchange<W: RowWriter>(
    writer: &mut W,
    edits: &RowEdits<'_>,
    waiting: Vec<Refused>,
) -> Result<Vec<Refused>, W::Error> {
    let takes_part = |refused: &Refused| {
        let constraint = refused.constraint.as_ref();
        matches!(edits.listed().get(refused.edit), Some(RowEdit::Update { .. }))
            && constraint.is_some_and(|rule| rule.kind == ConstraintKind::Unique && !rule.columns.is_empty())
    };
    let (mut taking, mut left): (Vec<Refused>, Vec<Refused>) = waiting.into_iter().partition(takes_part);
    let mut columns: Vec<Vec<usize>> = taking.iter().map(columns_of).collect();
    for _ in 0..PASSES {
        if taking.len() < 2 {
            break;
        }
        writer.mark()?;
        let parts: Vec<(usize, &Vec<usize>)> = taking.iter().map(|refused| refused.edit).zip(&columns).collect();
        let failed = exchanged(writer, edits, &parts)?;
        if failed.is_empty() {
            writer.keep()?;
            return Ok(left);
        }
        writer.take_back()?;
        for again in failed {
            let Some(at) = taking.iter().position(|refused| refused.edit == again.edit) else {
                continue;
            };
            let more = columns_of(&again);
            let known = columns.get_mut(at);
            let is_new = takes_part(&again)
                && known
                    .as_ref()
                    .is_some_and(|known| more.iter().any(|one| !known.contains(one)));
            if let Some(known) = known.filter(|_| is_new) {
                known.extend(more);
            } else {
                taking.remove(at);
                columns.remove(at);
                left.push(again);
            }
        }
    }
    left.extend(taking);
    Ok(left)
}

fn columns_of(refused: &Refused) -> Vec<usize> {
    refused
        .constraint
        .as_ref()
        .map(|rule| rule.columns.clone())
        .unwrap_or_default()
}

/// Gives up and writes anew; returns the rows of which that was refused, under the reason it was.
fn exchanged<W: RowWriter>(
    writer: &mut W,
    edits: &RowEdits<'_>,
    parts: &[(usize, &Vec<usize>)],
) -> Result<Vec<Refused>, W::Error> {
    let mut between = Vec::new();
    let mut failed = Vec::new();
    for (edit, columns) in parts {
        let Some(RowEdit::Update { row, old, new }) = edits.listed().get(*edit) else {
            continue;
        };
        let changed: Vec<usize> = columns
            .iter()
            .copied()
            .filter(|at| old.get(*at) != new.get(*at))
            .collect();
        let nothing = parked(old, &changed, |_| None);
        let own = parked(old, &changed, |value| Some(stand_in(value?, *edit)));
        let parked = if changed.is_empty() {
            None
        } else if writer.put(*row, old, &nothing)? {
            Some(nothing)
        } else {
            writer.put(*row, old, &own)?.then_some(own)
        };
        match parked {
            Some(parked) => between.push(RowEdit::Update {
                row: *row,
                old: parked,
                new: new.clone(),
            }),
            None => failed.push(Refused {
                edit: *edit,
                reason: "it waits for values of other rows that wait for its own".to_owned(),
                constraint: None,
            }),
        }
    }
    if !failed.is_empty() {
        return Ok(failed);
    }
    let all: Vec<usize> = (0..between.len()).collect();
    let mut refused = writer.write(&between.into(), &all)?;
    for refused in &mut refused {
        refused.edit = parts.get(refused.edit).map_or(refused.edit, |(edit, _)| *edit);
    }
    Ok(refused)
}

/// Returns a row with other values in some columns.
fn parked(
    old: &Values,
    columns: &[usize],
    other: impl Fn(Option<&crate::model::Value>) -> Option<crate::model::Value>,
) -> Values {
    let mut parked = old.clone();
    for at in columns {
        if let Some(value) = parked.get_mut(*at) {
            *value = other(value.as_ref());
        }
    }
    parked
}

/// Makes a value that stands for another one for a moment, where a column takes no null; that it is taken already is seen.
fn stand_in(value: &crate::model::Value, number: usize) -> crate::model::Value {
    use crate::model::Value;
    match value {
        Value::Integer(_) | Value::Float(_) | Value::Decimal(_) => {
            // Within what four bytes hold.
            Value::Integer(i64::try_from(number % 1_000_000).unwrap_or_default() - 2_100_000_000)
        }
        _ => Value::Text(format!("~{number}~").into()),
    }
}
