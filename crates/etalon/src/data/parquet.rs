//! Tables of Parquet, as Hugging Face's hub has them: a row a sample, with its image as the bytes of a PNG or JPEG, or with
//! numbers and lists of numbers as its features; a column of nested lists is an image too. One column is the label.

mod hub;

use std::fs::File;
use std::path::{Path, PathBuf};

use parquet::errors::ParquetError;
use parquet::file::metadata::ColumnChunkMetaData;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::Field;

use super::caught::caught;
use super::error::{io_error, malformed};
use super::layout::{Arranged, ImageLayout};
use super::parts::Parts;
use super::picture::{self, Picture};
use super::table::{self, Table};
use super::{DataError, SampleShape};
use crate::memory;
use hub::class_names;

const REPLACE: &str = "replace the file by a complete copy";
const COMPRESSED: &str = "columns compressed by Snappy, gzip, LZ4 or Zstandard";
const COMPRESS: &str =
    "write it again with one of these, such as write_table(..., compression=\"zstd\") of pyarrow";

/// What a part has, row by row.
#[derive(Default)]
struct Rows {
    columns: Vec<String>,
    inputs: Vec<f32>,
    /// The axes of the only feature, where it has any, as lists within lists do.
    axes: Vec<usize>,
    /// Whether its numbers are bytes, as those of pixels are.
    bytes: bool,
    pictures: Vec<Picture>,
    labels: Vec<String>,
    /// The names of the classes, where the file has them.
    classes: Vec<String>,
    notes: Vec<String>,
}

/// Reads the files of the train part, in order, and those of the test part if there are any. `label` is the column of the
/// label, `layout` the order of the numbers of an image in nested lists.
///
/// Labels that are whole numbers or words are classes, numbered in their order; other numbers are values. Beside a column of
/// images no other one is read.
///
/// # Errors
/// [`DataError::Io`], or [`DataError::Malformed`] for what is no Parquet file, columns that hold neither numbers nor images,
/// rows of different lengths, images of different sizes, and a test part of other columns or classes; [`DataError::Memory`].
pub(super) fn read(
    train: &[PathBuf],
    test: &[PathBuf],
    label: Option<&str>,
    layout: Option<ImageLayout>,
) -> Result<Parts, DataError> {
    let part = |files: &[PathBuf]| -> Result<Table, DataError> {
        let mut rows = Rows::default();
        for file in files {
            // The library asserts what a damaged file does not keep.
            let read = caught(|| rows.read(file, label));
            read.unwrap_or_else(|| Err(malformed(file, "a Parquet file", "one that is damaged", REPLACE)))?;
        }
        rows.table(&files[0], layout)
    };
    let tested = match test.first() {
        Some(first) => Some((first.as_path(), part(test)?)),
        None => None,
    };
    table::parts((&train[0], part(train)?), tested)
}

impl Rows {
    fn read(&mut self, path: &Path, label: Option<&str>) -> Result<(), DataError> {
        let unreadable =
            |error: ParquetError| match error.to_string().split_once("Disabled feature at compile time: ") {
                Some((_, found)) => malformed(path, COMPRESSED, found.to_string(), COMPRESS),
                None => malformed(path, "a Parquet file", error.to_string(), REPLACE),
            };
        let file = File::open(path).map_err(io_error(path, "open the file"))?;
        let length = file.metadata().map_err(io_error(path, "read the file's size"))?.len();
        let reader = SerializedFileReader::new(file).map_err(unreadable)?;
        let chunks = reader.metadata().row_groups().iter().flat_map(|group| group.columns());
        let is_inside = |chunk: &ColumnChunkMetaData| {
            let start = chunk.dictionary_page_offset().unwrap_or(chunk.data_page_offset());
            let size = chunk.compressed_size();
            start >= 0 && size >= 0 && start.checked_add(size).is_some_and(|end| end as u64 <= length)
        };
        if !chunks.into_iter().all(is_inside) {
            return Err(malformed(path, "columns within the file", "one beyond its end", REPLACE));
        }
        let facts = reader.metadata().file_metadata();
        let rows = facts.num_rows().max(0) as u64;
        let columns: Vec<String> =
            facts.schema().get_fields().iter().map(|field| field.name().into()).collect();
        if self.columns.is_empty() {
            self.columns = columns;
        } else if self.columns != columns {
            let expected = format!("the columns of the first file, {}", self.columns.join(", "));
            return Err(malformed(path, expected, columns.join(", "), "take files of one set"));
        }
        let chosen = self.label(path, label)?;
        self.classes = class_names(facts.key_value_metadata(), &self.columns[chosen]);
        for (number, row) in reader.get_row_iter(None).map_err(unreadable)?.enumerate() {
            let mut fields = row.map_err(unreadable)?.into_columns();
            let fault = |expected: &str, name: &str, found: String| {
                let expected = format!("{expected} in column `{name}` of row {}", number + 1);
                malformed(
                    path,
                    expected,
                    found,
                    "mend the row, or name the column of the label with data.label",
                )
            };
            let (name, field) = fields.remove(chosen);
            let text =
                text(&field).ok_or_else(|| fault("a number or a word as the label", &name, kind(&field)))?;
            self.labels.push(text);
            if let Some((name, bytes)) = fields.iter().find_map(|(name, field)| Some((name, image(field)?))) {
                let picture = self.picture(path, bytes, rows)?;
                self.pictures.push(picture.map_err(|found| fault(picture::EXPECTED, name, found))?);
            } else {
                let (before, mut axes) = (self.inputs.len(), Vec::new());
                for (name, field) in &fields {
                    axes = numbers(field, &mut self.inputs)
                        .map_err(|found| fault("numbers, equal lists of them or an image", name, found))?;
                }
                // Beside other columns a list is features like them.
                axes.truncate(if fields.len() == 1 { axes.len() } else { 0 });
                if self.labels.len() == 1 {
                    self.bytes = axes.len() > 1 && is_bytes(&fields[0].1);
                    self.axes = axes;
                } else if axes.len() > 1 && axes != self.axes {
                    let expected = format!("lists of the lengths {:?}, as in the rows before,", self.axes);
                    return Err(fault(&expected, &fields[0].0, format!("{axes:?}")));
                }
                let (given, all) = (self.inputs.len() - before, self.inputs.len());
                if number == 0 {
                    room(path, "reading these numbers", (given * size_of::<f32>()) as u64, rows)?;
                }
                if given * self.labels.len() != all {
                    let found = format!("{given} of them");
                    return Err(fault("as many numbers as in the rows before", &name, found));
                }
            }
        }
        Ok(())
    }

    /// Where the label lies among the columns.
    fn label(&mut self, path: &Path, label: Option<&str>) -> Result<usize, DataError> {
        let names: Vec<&str> = self.columns.iter().map(String::as_str).collect();
        let listed = names.join(", ");
        if names.len() < 2 {
            return Err(malformed(
                path,
                "columns of the label and of a feature",
                listed,
                "add the other one",
            ));
        }
        if let Some(label) = label {
            return names.iter().position(|name| *name == label).ok_or_else(|| {
                let expected = format!("a column `{label}`");
                malformed(path, expected, format!("only {listed}"), "set data.label to one of these")
            });
        }
        let chosen = table::usual(&names).unwrap_or(names.len() - 1);
        let note = table::taken(names[chosen], path);
        if self.labels.is_empty() {
            self.notes.push(note);
        }
        Ok(chosen)
    }

    /// An image, of the size of those before.
    fn picture(&self, path: &Path, bytes: &[u8], rows: u64) -> Result<Result<Picture, String>, DataError> {
        let picture = match picture::decode_bytes(bytes) {
            Ok(picture) => picture,
            Err(found) => return Ok(Err(found)),
        };
        match self.pictures.first() {
            None => {
                // As bytes, then as f32.
                room(path, "reading these images", 15 * (picture.height * picture.width) as u64, rows)?;
            }
            Some(Picture { height, width, .. }) if (picture.height, picture.width) != (*height, *width) => {
                let found = format!("{} x {} pixels after {height} x {width}", picture.height, picture.width);
                return Ok(Err(found));
            }
            Some(_) => {}
        }
        Ok(Ok(picture))
    }

    /// All of it as a table.
    fn table(self, path: &Path, layout: Option<ImageLayout>) -> Result<Table, DataError> {
        let Rows { columns: features, mut inputs, axes, bytes, pictures, labels, classes, mut notes } = self;
        let rows = labels.len().max(1);
        let Some(Picture { height, width, .. }) = pictures.first() else {
            if bytes {
                inputs.iter_mut().for_each(|pixel| *pixel /= 255.0);
            }
            let axes = if axes.len() > 1 { axes } else { vec![inputs.len() / rows] };
            let Arranged { shape, inputs, note } =
                Arranged::of(path, &[&[rows], &axes[..]].concat(), inputs, layout)?;
            notes.extend(note);
            return Ok(Table { features, shape, inputs, labels, classes, notes });
        };
        if layout.is_some() {
            let expected = "images as nested lists, to which data.layout belongs";
            return Err(malformed(path, expected, "images as files", "remove data.layout"));
        }
        if pictures.len() != labels.len() {
            let found = format!("{} of them in {} rows", pictures.len(), labels.len());
            return Err(malformed(path, "an image in every row", found, "leave out rows without one"));
        }
        let (channels, pixels) = picture::joined(&pictures);
        let shape = SampleShape::Image { height: *height, width: *width, channels };
        let inputs = pixels.into_iter().map(|pixel| f32::from(pixel) / 255.0).collect();
        Ok(Table { features, shape, inputs, labels, classes, notes })
    }
}

/// Whether there is memory for so many rows of so many bytes each.
fn room(path: &Path, what: &'static str, each: u64, rows: u64) -> Result<(), DataError> {
    memory::check(what, each.saturating_mul(rows), "take fewer or smaller ones")
        .map_err(|source| DataError::Memory { path: path.into(), source })
}

/// The bytes of an image: of a column of bytes, or of one with `bytes` and `path`.
fn image(field: &Field) -> Option<&[u8]> {
    match field {
        Field::Bytes(bytes) => Some(bytes.data()),
        Field::Group(row) => {
            row.get_column_iter().find(|(name, _)| *name == "bytes").and_then(|(_, field)| image(field))
        }
        _ => None,
    }
}

/// A number; none where a field is something else.
fn number(field: &Field) -> Option<f64> {
    Some(match field {
        Field::Bool(value) => f64::from(u8::from(*value)),
        Field::Byte(value) => f64::from(*value),
        Field::Short(value) => f64::from(*value),
        Field::Int(value) => f64::from(*value),
        Field::Long(value) => *value as f64,
        Field::UByte(value) => f64::from(*value),
        Field::UShort(value) => f64::from(*value),
        Field::UInt(value) => f64::from(*value),
        Field::ULong(value) => *value as f64,
        Field::Float(value) => f64::from(*value),
        Field::Double(value) => *value,
        _ => return None,
    })
}

/// Adds the numbers of a field, and tells its axes: none of a number, one of a list, two of a list of lists.
///
/// # Errors
/// What it is instead; lists of lists that are not equal.
fn numbers(field: &Field, into: &mut Vec<f32>) -> Result<Vec<usize>, String> {
    let Field::ListInternal(list) = field else {
        let number = number(field).map(|number| number as f32).filter(|number| number.is_finite());
        into.push(number.ok_or_else(|| kind(field))?);
        return Ok(Vec::new());
    };
    let elements = list.elements();
    let mut within: Option<Vec<usize>> = None;
    for element in elements {
        let axes = numbers(element, into)?;
        match &within {
            Some(before) if *before != axes => {
                return Err(format!("lists of {before:?} and {axes:?} numbers"));
            }
            _ => within = Some(axes),
        }
    }
    Ok([vec![elements.len()], within.unwrap_or_default()].concat())
}

/// Whether the numbers of a field are bytes.
fn is_bytes(field: &Field) -> bool {
    match field {
        Field::ListInternal(list) => list.elements().first().is_some_and(is_bytes),
        field => matches!(field, Field::UByte(_)),
    }
}

/// A label as text; whole numbers are written as such.
fn text(field: &Field) -> Option<String> {
    match field {
        Field::Str(text) => Some(text.clone()),
        Field::Long(number) => Some(number.to_string()),
        Field::ULong(number) => Some(number.to_string()),
        field => number(field).filter(|number| number.is_finite()).map(|number| number.to_string()),
    }
}

/// What a field is, in a word.
fn kind(field: &Field) -> String {
    match field {
        Field::Null => "nothing".into(),
        Field::Str(text) => format!("`{}`", text.chars().take(40).collect::<String>()),
        Field::ListInternal(_) => "a list".into(),
        Field::Group(_) => "a group of columns".into(),
        Field::Bytes(_) => "bytes".into(),
        other => format!("{other}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Labels;
    use parquet::basic::Compression;
    use parquet::data_type::{ByteArray, ByteArrayType, DoubleType, Int32Type, Int64Type};
    use parquet::file::metadata::KeyValue;
    use parquet::file::properties::WriterProperties;
    use parquet::file::writer::SerializedFileWriter;
    use parquet::schema::parser::parse_message_type;
    use std::sync::Arc;

    /// A column as the writer takes it: values with their levels of definition and of repetition.
    enum Column {
        Bytes(Vec<Vec<u8>>, Vec<i16>),
        Integers(Vec<i64>, Vec<i16>),
        Reals(Vec<f64>, Vec<i16>, Option<Vec<i16>>),
    }

    fn write(path: &Path, schema: &str, columns: Vec<Column>) {
        let schema = Arc::new(parse_message_type(schema).unwrap());
        let properties = WriterProperties::builder().set_compression(Compression::SNAPPY).build();
        let file = File::create(path).unwrap();
        let mut writer = SerializedFileWriter::new(file, schema, Arc::new(properties)).unwrap();
        let mut group = writer.next_row_group().unwrap();
        for column in columns {
            let mut into = group.next_column().unwrap().unwrap();
            match column {
                Column::Bytes(values, levels) => {
                    let values: Vec<ByteArray> = values.into_iter().map(ByteArray::from).collect();
                    into.typed::<ByteArrayType>().write_batch(&values, Some(&levels), None).unwrap();
                }
                Column::Integers(values, levels) => {
                    into.typed::<Int64Type>().write_batch(&values, Some(&levels), None).unwrap();
                }
                Column::Reals(values, levels, repeated) => {
                    let repeated = repeated.as_deref();
                    into.typed::<DoubleType>().write_batch(&values, Some(&levels), repeated).unwrap();
                }
            }
            into.close().unwrap();
        }
        group.close().unwrap();
        writer.close().unwrap();
    }

    const IMAGES: &str = "message schema { optional group image { optional binary bytes; optional binary path (STRING); } \
                          optional int64 label; }";

    fn png(pixels: [u8; 2]) -> Vec<u8> {
        let mut file = Vec::new();
        let mut encoder = png::Encoder::new(&mut file, 2, 1);
        encoder.set_color(png::ColorType::Grayscale);
        encoder.write_header().unwrap().write_image_data(&pixels).unwrap();
        file
    }

    fn images(path: &Path, images: Vec<Vec<u8>>, labels: Vec<i64>) {
        let rows = images.len();
        let paths = Column::Bytes(Vec::new(), vec![1; rows]);
        write(
            path,
            IMAGES,
            vec![Column::Bytes(images, vec![2; rows]), paths, Column::Integers(labels, vec![1; rows])],
        );
    }

    #[test]
    fn images_of_the_hub_are_read_from_all_files_of_a_part() {
        let folder = tempfile::tempdir().unwrap();
        let [first, second, test] =
            ["train-0.parquet", "train-1.parquet", "test.parquet"].map(|name| folder.path().join(name));
        images(&first, vec![png([0, 255]), png([51, 0])], vec![1, 0]);
        images(&second, vec![png([102, 255])], vec![2]);
        images(&test, vec![png([255, 255])], vec![2]);
        let parts = read(&[first.clone(), second], std::slice::from_ref(&test), None, None).unwrap();
        assert_eq!(parts.train.shape, SampleShape::Image { height: 1, width: 2, channels: 1 });
        assert_eq!(parts.train.inputs, [0.0, 1.0, 0.2, 0.0, 0.4, 1.0]);
        assert_eq!(parts.train.labels, Labels::Classes { labels: vec![1, 0, 2], count: 3 });
        assert_eq!(parts.test.unwrap().labels, Labels::Classes { labels: vec![2], count: 3 });
        assert!(parts.notes[0].contains("column `label`"), "{:?}", parts.notes);

        images(&test, vec![png([255, 255])[..30].to_vec()], vec![2]);
        let text = read(&[first], &[test], None, None).unwrap_err().to_string();
        assert!(text.contains("67 million pixels in column `image` of row 1"), "{text}");
    }

    #[test]
    fn columns_and_lists_of_numbers_are_features() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("set.parquet");
        let schema = "message schema { optional double a; optional group b (LIST) { repeated group list { optional double \
                      element; } } optional double y; }";
        let lists = |values: Vec<f64>, repeated: Vec<i16>| Column::Reals(values, vec![3; 4], Some(repeated));
        let plain = |values: Vec<f64>| Column::Reals(values, vec![1, 1], None);
        let rows = |repeated: Vec<i16>| {
            vec![plain(vec![1.0, 2.0]), lists(vec![3.0, 4.0, 5.0, 6.0], repeated), plain(vec![0.5, 1.0])]
        };
        write(&path, schema, rows(vec![0, 1, 0, 1]));
        let parts = read(std::slice::from_ref(&path), &[], None, None).unwrap();
        assert_eq!(parts.train.inputs, [1.0, 3.0, 4.0, 2.0, 5.0, 6.0]);
        assert_eq!(parts.train.labels, Labels::Values { values: vec![0.5, 1.0], width: 1 });
        let fault = |label| read(std::slice::from_ref(&path), &[], label, None).unwrap_err().to_string();
        assert!(fault(Some("c")).contains("a column `c`, found only a, b, y"), "{}", fault(Some("c")));
        assert!(
            fault(Some("b")).contains("as the label in column `b` of row 1, found a list"),
            "{}",
            fault(Some("b"))
        );
        write(&path, schema, rows(vec![0, 1, 1, 0]));
        assert!(fault(None).contains("as many numbers as in the rows before"), "{}", fault(None));
        std::fs::write(&path, "PAR1 or not").unwrap();
        assert!(fault(None).contains("expected a Parquet file"), "{}", fault(None));
    }
    const LISTS: &str = "message schema { optional group image (LIST) { repeated group list { optional group element \
                         (LIST) { repeated group list { optional int32 element (INTEGER(8, false)); } } } } \
                         optional int64 label; }";

    /// Rows of 2 x 2 numbers, but for the lengths of the lists that `repeated` tells.
    fn nested(
        path: &Path,
        pixels: Vec<i32>,
        repeated: Vec<i16>,
        labels: Vec<i64>,
        told: Option<&str>,
        packed: Compression,
    ) {
        let schema = Arc::new(parse_message_type(LISTS).unwrap());
        let told = told.map(|told| vec![KeyValue::new("huggingface".into(), Some(told.into()))]);
        let properties =
            WriterProperties::builder().set_key_value_metadata(told).set_compression(packed).build();
        let mut writer =
            SerializedFileWriter::new(File::create(path).unwrap(), schema, Arc::new(properties)).unwrap();
        let mut group = writer.next_row_group().unwrap();
        let mut column = group.next_column().unwrap().unwrap();
        let levels = vec![5; pixels.len()];
        column.typed::<Int32Type>().write_batch(&pixels, Some(&levels), Some(&repeated)).unwrap();
        column.close().unwrap();
        let mut column = group.next_column().unwrap().unwrap();
        let levels = vec![1; labels.len()];
        column.typed::<Int64Type>().write_batch(&labels, Some(&levels), None).unwrap();
        column.close().unwrap();
        group.close().unwrap();
        writer.close().unwrap();
    }

    #[test]
    fn lists_of_lists_are_images_and_classes_have_the_names_that_the_hub_gives_them() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("set.parquet");
        let told = r#"{"info": {"features": {"label": {"names": ["shirt", "boot", "bag"], "_type": "ClassLabel"}}}}"#;
        let pixels = vec![0, 255, 51, 102, 204, 0, 0, 255];
        let rows = vec![0, 2, 1, 2, 0, 2, 1, 2];
        let read_back = |packed| {
            nested(&path, pixels.clone(), rows.clone(), vec![2, 0], Some(told), packed);
            let parts = read(std::slice::from_ref(&path), &[], None, None).unwrap();
            assert_eq!(parts.train.shape, SampleShape::Image { height: 2, width: 2, channels: 1 });
            assert_eq!(parts.train.inputs, [0.0, 1.0, 0.2, 0.4, 0.8, 0.0, 0.0, 1.0], "{packed:?}");
            parts
        };
        for packed in [Compression::GZIP(Default::default()), Compression::LZ4_RAW] {
            read_back(packed);
        }
        let parts = read_back(Compression::ZSTD(Default::default()));
        // Their numbers are the hub's, and the class that no sample has is one, too.
        assert_eq!(parts.train.labels, Labels::Classes { labels: vec![2, 0], count: 3 });
        assert!(parts.notes[1].ends_with("are numbered: shirt = 0, boot = 1, bag = 2"), "{:?}", parts.notes);

        let plain = Compression::UNCOMPRESSED;
        let fault = || read(std::slice::from_ref(&path), &[], None, None).unwrap_err().to_string();
        nested(&path, pixels.clone(), vec![0, 2, 1, 2, 0, 2, 1, 2], vec![-1, 0], Some(told), plain);
        assert!(fault().contains("a class of the train part in row 1, found `-1`"), "{}", fault());
        nested(&path, pixels.clone(), vec![0, 2, 1, 2, 0, 2, 2, 1], vec![1, 0], None, plain);
        assert!(
            fault().contains("in column `image` of row 2, found lists of [3] and [1] numbers"),
            "{}",
            fault()
        );
        nested(&path, pixels, vec![0, 2, 1, 2, 0, 2, 2, 2], vec![1, 0], None, plain);
        assert!(fault().contains("lists of the lengths [2, 2], as in the rows before"), "{}", fault());
    }
}
