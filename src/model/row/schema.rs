//! The schema of a collection of rows: a record of its own, so that it has history and merges field by field.

use crate::model::{Map, RecordKey, Value};

/// The key of the schema's record: smaller than the key of any row.
pub const SCHEMA_KEY: &[u8] = &[0];

/// Returns the key of the schema's record.
pub fn schema_key() -> RecordKey {
    RecordKey::new(SCHEMA_KEY).unwrap_or_else(|| RecordKey::from_identity("schema"))
}

/// What the cells of a column are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ColumnType {
    /// Any text.
    Text,
    /// Whole numbers of 64 bits.
    Integer,
    /// Exact decimal numbers in plain notation.
    Decimal,
    /// Binary floating-point numbers.
    Float,
    /// True or false.
    Boolean,
    /// `2026-11-22`.
    Date,
    /// `14:30:05`, with or without a fraction.
    Time,
    /// Date and time, with or without an offset, as ISO 8601 or with a blank between them.
    Timestamp,
    /// Raw bytes.
    Bytes,
    /// A JSON text.
    Json,
}

impl ColumnType {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Text,
        Self::Integer,
        Self::Decimal,
        Self::Float,
        Self::Boolean,
        Self::Date,
        Self::Time,
        Self::Timestamp,
        Self::Bytes,
        Self::Json,
    ];

    /// Returns the word that a schema uses.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Integer => "integer",
            Self::Decimal => "decimal",
            Self::Float => "float",
            Self::Boolean => "boolean",
            Self::Date => "date",
            Self::Time => "time",
            Self::Timestamp => "timestamp",
            Self::Bytes => "bytes",
            Self::Json => "json",
        }
    }

    /// Finds a type by [`Self::name`].
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// One column of a collection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its lasting id: the name that it was first seen under.
    pub id: String,
    /// Its present name.
    pub name: String,
    /// What its cells are.
    pub kind: ColumnType,
    /// Where it stands among the others; columns of equal order stand by id.
    pub order: i64,
}

/// The columns of a collection and which of them identify a row.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Schema {
    /// The columns in their order.
    pub columns: Vec<Column>,
    /// Columns that were dropped: their values are kept and shown nowhere.
    pub dropped: Vec<Column>,
    /// The ids of the key columns in their order; none where rows are identified by what they first held.
    pub key: Vec<String>,
}

impl Schema {
    /// Returns a column by its id.
    pub fn column(&self, id: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.id == id)
    }

    /// Returns the column that a person means: by its name, its id, or its name in other capitals.
    pub fn named(&self, name: &str) -> Option<&Column> {
        let exact = self.columns.iter().find(|column| column.name == name);
        exact.or_else(|| self.column(name)).or_else(|| {
            let folded = fold(name);
            self.columns.iter().find(|column| fold(&column.name) == folded)
        })
    }

    /// Returns whether an id is that of a column that is or was here.
    pub fn is_used(&self, id: &str) -> bool {
        self.column(id).is_some() || self.is_dropped(id)
    }

    /// Returns whether the column of an id was dropped.
    pub fn is_dropped(&self, id: &str) -> bool {
        self.dropped.iter().any(|column| column.id == id)
    }

    /// Returns whether rows have keys of their own.
    pub fn is_keyed(&self) -> bool {
        !self.key.is_empty()
    }

    /// Returns the record that stands for the schema in the collection's tree.
    pub fn to_record(&self) -> Value {
        let fields_of = |column: &Column| -> Map {
            let fields = [
                ("name", Value::from(column.name.as_str())),
                ("order", Value::Integer(column.order)),
                ("type", column.kind.name().into()),
            ];
            fields.into_iter().collect()
        };
        let dropped = self.dropped.iter().map(|column| {
            let mut fields = fields_of(column);
            fields.insert("dropped", true.into());
            (column.id.as_str(), Value::Map(fields))
        });
        let columns = self.columns.iter();
        let columns = columns.map(|column| (column.id.as_str(), Value::Map(fields_of(column))));
        let columns = columns.chain(dropped);
        let mut record = Map::new();
        record.insert("columns", Value::Map(columns.collect()));
        if !self.key.is_empty() {
            let key = self.key.iter().map(|id| Value::from(id.as_str())).collect();
            record.insert("key", Value::List(key));
        }
        Value::Map(record)
    }

    /// Reads the record of [`Self::to_record`]; parts that are not understood are left out, as a schema that several
    /// people change may lack any of them.
    pub fn from_record(record: &Value) -> Self {
        let part = |name: &str| record.as_map().and_then(|map| map.get(name));
        let mut schema = Self::default();
        for (id, fields) in part("columns").and_then(Value::as_map).into_iter().flatten() {
            let field = |name: &str| fields.as_map().and_then(|map| map.get(name));
            let name = field("name").and_then(Value::as_text);
            let kind = field("type").and_then(Value::as_text).and_then(ColumnType::by_name);
            let column = Column {
                id: id.to_string(),
                name: name.unwrap_or(id).to_owned(),
                kind: kind.unwrap_or(ColumnType::Text),
                order: field("order").and_then(Value::as_integer).unwrap_or(i64::MAX),
            };
            if field("dropped") == Some(&Value::Bool(true)) {
                schema.dropped.push(column);
            } else {
                schema.columns.push(column);
            }
        }
        schema
            .columns
            .sort_by(|left, right| (left.order, &left.id).cmp(&(right.order, &right.id)));
        if let Some(Value::List(key)) = part("key") {
            schema.key = key.iter().filter_map(|id| Some(id.as_text()?.to_owned())).collect();
        }
        schema
    }
}

/// Returns a column's name without what people do not look at.
pub fn fold(name: &str) -> String {
    name.trim().to_lowercase()
}

/// The longest column id in bytes (chosen: people's names are shorter; generated ones can be any length).
const ID_MAX_BYTES: usize = 128;

/// Makes the id of a new column from its name: the name itself where it is free, else with a number.
///
/// Depends on the name and on what is taken only, so that two systems that import one table agree.
pub fn column_id(name: &str, is_taken: &dyn Fn(&str) -> bool) -> String {
    let trimmed = name.trim();
    let stem = if trimmed.is_empty() { "column" } else { trimmed };
    let stem = stem.get(..stem.floor_char_boundary(ID_MAX_BYTES)).unwrap_or(stem);
    let plain = std::iter::once(stem.to_owned()).filter(|_| !trimmed.is_empty());
    let numbered = (if trimmed.is_empty() { 1u64 } else { 2 }..).map(|number| format!("{stem} {number}"));
    plain.chain(numbered).find(|id| !is_taken(id)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schema_survives_its_record() {
        let column = |id: &str, order: i64, kind: ColumnType| Column {
            id: id.to_owned(),
            name: id.to_uppercase(),
            kind,
            order,
        };
        let schema = Schema {
            columns: vec![column("sku", 0, ColumnType::Text), column("a", 1, ColumnType::Decimal)],
            dropped: vec![column("old", 2, ColumnType::Integer)],
            key: vec!["sku".to_owned()],
        };
        assert_eq!(Schema::from_record(&schema.to_record()), schema);
        assert_eq!(Schema::from_record(&Value::Null), Schema::default());
    }

    #[test]
    fn ids_come_from_names_and_never_meet() {
        let taken = |id: &str| ["price", "price 2", "column 1"].contains(&id);
        assert_eq!(column_id(" sku ", &taken), "sku");
        assert_eq!(column_id("price", &taken), "price 3");
        assert_eq!(column_id("", &taken), "column 2");
        let long = column_id(&"é".repeat(200), &taken);
        assert!(
            long.len() <= ID_MAX_BYTES && long.chars().all(|character| character == 'é'),
            "{long}"
        );
    }
}
