//! The table as Parquet.

use super::ExportError;
use super::source::{NUMBERS, Source, Trial};
use etalon::train::Record;
use parquet::basic::{LogicalType, Repetition, Type as Physical};
use parquet::data_type::{ByteArray, ByteArrayType, DataType, DoubleType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::types::Type;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

/// Rows that are gathered before they are written together.
const GROUP: usize = 1 << 18;

/// What the values of a key of the grid are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Integer,
    Real,
    Text,
}

/// Writes the table into a file that will be `target`; how many rows it has.
pub(super) fn write(
    source: &Source,
    file: &mut (impl Write + Send),
    target: &Path,
) -> Result<usize, ExportError> {
    let fault = |error: ParquetError| match error {
        ParquetError::External(error) => match error.downcast::<std::io::Error>() {
            Ok(error) => ExportError::io(target, "write the file")(*error),
            Err(error) => ExportError::Parquet(error.to_string()),
        },
        error => ExportError::Parquet(error.to_string()),
    };
    let kinds: Vec<Kind> = (0..source.axes.len()).map(|axis| kind(source, axis)).collect();
    let schema = Arc::new(schema(source, &kinds).map_err(fault)?);
    let properties = Arc::new(WriterProperties::builder().build());
    let mut writer = SerializedFileWriter::new(file, schema, properties).map_err(fault)?;
    let (mut rows, mut gathered) = (0, Vec::new());
    for (index, trial) in source.trials.iter().enumerate() {
        gathered.extend(source.steps(trial)?.into_iter().map(|step| (trial, step)));
        if gathered.len() >= GROUP || index + 1 == source.trials.len() {
            rows += gathered.len();
            let mut group = writer.next_row_group().map_err(fault)?;
            write_group(&mut group, &gathered, &kinds).map_err(fault)?;
            group.close().map_err(fault)?;
            gathered.clear();
        }
    }
    writer.close().map_err(fault)?;
    Ok(rows)
}

/// What all finished trials' values of an axis can be read as.
fn kind(source: &Source, axis: usize) -> Kind {
    let all = |is: fn(&str) -> bool| source.trials.iter().all(|trial| is(&trial.values[axis]));
    match () {
        () if all(|value| value.parse::<i64>().is_ok()) => Kind::Integer,
        () if all(|value| value.parse::<f64>().is_ok()) => Kind::Real,
        () => Kind::Text,
    }
}

fn schema(source: &Source, kinds: &[Kind]) -> Result<Type, ParquetError> {
    let column = |name: &str, kind: Kind, repetition| {
        let physical = match kind {
            Kind::Integer => Physical::INT64,
            Kind::Real => Physical::DOUBLE,
            Kind::Text => Physical::BYTE_ARRAY,
        };
        let logical = (kind == Kind::Text).then_some(LogicalType::String);
        let builder = Type::primitive_type_builder(name, physical);
        builder.with_repetition(repetition).with_logical_type(logical).build().map(Arc::new)
    };
    let (required, optional) = (Repetition::REQUIRED, Repetition::OPTIONAL);
    let mut columns = vec![column("trial", Kind::Text, required)?];
    for (name, &kind) in source.axes.iter().zip(kinds) {
        columns.push(column(name, kind, required)?);
    }
    columns.push(column("step", Kind::Integer, required)?);
    for number in NUMBERS {
        columns.push(column(number.column, Kind::Real, optional)?);
    }
    Type::group_type_builder("trajectories").with_fields(columns).build()
}

/// Column by column, in the order of the schema.
fn write_group<W: Write + Send>(
    group: &mut SerializedRowGroupWriter<'_, W>,
    rows: &[(&Trial, Record)],
    kinds: &[Kind],
) -> Result<(), ParquetError> {
    let text = |text: &str| ByteArray::from(text.as_bytes().to_vec());
    push::<ByteArrayType, _>(group, rows.iter().map(|(trial, _)| Some(text(&trial.name))))?;
    for (axis, kind) in kinds.iter().enumerate() {
        let values = rows.iter().map(|(trial, _)| trial.values[axis].as_str());
        match kind {
            Kind::Integer => push::<Int64Type, _>(group, values.map(|value| value.parse().ok()))?,
            Kind::Real => push::<DoubleType, _>(group, values.map(|value| value.parse().ok()))?,
            Kind::Text => push::<ByteArrayType, _>(group, values.map(|value| Some(text(value))))?,
        }
    }
    push::<Int64Type, _>(group, rows.iter().map(|(_, step)| i64::try_from(step.step).ok()))?;
    for number in NUMBERS {
        push::<DoubleType, _>(group, rows.iter().map(|(_, step)| number.of(step)))?;
    }
    Ok(())
}

/// Writes the next column.
fn push<T: DataType, W: Write + Send>(
    group: &mut SerializedRowGroupWriter<'_, W>,
    values: impl Iterator<Item = Option<T::T>>,
) -> Result<(), ParquetError> {
    let (mut levels, mut present) = (Vec::new(), Vec::new());
    for value in values {
        levels.push(i16::from(value.is_some()));
        present.extend(value);
    }
    let missing = || ParquetError::General("the schema has fewer columns than the table".into());
    let mut column = group.next_column()?.ok_or_else(missing)?;
    column.typed::<T>().write_batch(&present, Some(&levels), None)?;
    column.close()
}
