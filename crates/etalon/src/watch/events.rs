//! TensorBoard event files: records of length, checksum, data, checksum; the data is an `Event` protocol buffer.

use super::columns::{Columns, Kind, Numbers};

/// A scalar of an event.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Scalar {
    pub(super) step: u64,
    pub(super) tag: String,
    pub(super) value: f64,
}

/// The largest record that is taken for one; images and graphs reach some megabytes.
const LARGEST: usize = 1 << 28;

/// What stands at the start of the bytes.
pub(super) enum Record<'a> {
    /// A whole record, and its length with its frame.
    Whole(&'a [u8], usize),
    /// The writer is not done with it.
    Partial,
    /// No record: a checksum does not fit.
    Broken,
}

/// The first record.
pub(super) fn record(bytes: &[u8]) -> Record<'_> {
    let Some((header, rest)) = bytes.split_at_checked(12) else { return Record::Partial };
    let (length, sum) = header.split_at(8);
    let number = u64::from_le_bytes(array(length));
    if masked(length) != u32::from_le_bytes(array(sum)) || number > LARGEST as u64 {
        return Record::Broken;
    }
    // At most LARGEST, which a usize holds.
    let length = number as usize;
    let Some((data, rest)) = rest.split_at_checked(length) else { return Record::Partial };
    let Some(sum) = rest.get(..4) else { return Record::Partial };
    if masked(data) == u32::from_le_bytes(array(sum)) {
        Record::Whole(data, length + 16)
    } else {
        Record::Broken
    }
}

/// Bytes of a known number.
fn array<const N: usize>(bytes: &[u8]) -> [u8; N] {
    let mut array = [0; N];
    array.copy_from_slice(bytes);
    array
}

/// The checksum of a length or of an event in an event file: CRC-32C, rotated and shifted as TensorFlow stores it.
pub fn masked(bytes: &[u8]) -> u32 {
    crc32c::crc32c(bytes).rotate_right(15).wrapping_add(0xa282_ead8)
}

/// Bytes that are no protocol buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Malformed;

/// The scalars of an `Event`.
pub(super) fn scalars(event: &[u8]) -> Result<Vec<Scalar>, Malformed> {
    let (mut step, mut found) = (0, Vec::new());
    let mut fields = Fields(event);
    while let Some((number, field)) = fields.next()? {
        match (number, field) {
            (2, Field::Number(value)) => step = value,
            (5, Field::Bytes(summary)) => {
                let mut values = Fields(summary);
                while let Some((number, field)) = values.next()? {
                    if let (1, Field::Bytes(value)) = (number, field) {
                        found.extend(scalar(value)?);
                    }
                }
            }
            _ => {}
        }
    }
    // The step may stand behind the summary.
    Ok(found.into_iter().map(|(tag, value)| Scalar { step, tag, value }).collect())
}

/// A `Summary.Value`: its tag, and its number if it is a scalar.
fn scalar(value: &[u8]) -> Result<Option<(String, f64)>, Malformed> {
    let (mut tag, mut number) = (None, None);
    let mut fields = Fields(value);
    while let Some((field, content)) = fields.next()? {
        match (field, content) {
            (1, Field::Bytes(name)) => tag = Some(String::from_utf8_lossy(name).into_owned()),
            (2, Field::Single(single)) => number = Some(f64::from(single)),
            (8, Field::Bytes(tensor)) => number = self::tensor(tensor)?,
            _ => {}
        }
    }
    Ok(tag.zip(number))
}

/// A `TensorProto` of one float or double.
fn tensor(bytes: &[u8]) -> Result<Option<f64>, Malformed> {
    let (mut kind, mut content, mut single, mut double) = (0, None, None, None);
    let mut fields = Fields(bytes);
    while let Some((number, field)) = fields.next()? {
        match (number, field) {
            (1, Field::Number(value)) => kind = value,
            (4, Field::Bytes(bytes)) => content = Some(bytes),
            (5, Field::Single(value)) => single = Some(f64::from(value)),
            (5, Field::Bytes(bytes)) if bytes.len() == 4 => {
                single = Some(f64::from(f32::from_le_bytes(array(bytes))))
            }
            (6, Field::Double(value)) => double = Some(value),
            (6, Field::Bytes(bytes)) if bytes.len() == 8 => double = Some(f64::from_le_bytes(array(bytes))),
            _ => {}
        }
    }
    Ok(match (kind, content) {
        (1, Some(bytes)) if bytes.len() == 4 => Some(f64::from(f32::from_le_bytes(array(bytes)))),
        (2, Some(bytes)) if bytes.len() == 8 => Some(f64::from_le_bytes(array(bytes))),
        (1, _) => single,
        (2, _) => double,
        _ => None,
    })
}

/// The fields of a protocol buffer, one after another.
struct Fields<'a>(&'a [u8]);

enum Field<'a> {
    Number(u64),
    Double(f64),
    Single(f32),
    Bytes(&'a [u8]),
}

impl<'a> Fields<'a> {
    /// The next field and its number; none at the end.
    fn next(&mut self) -> Result<Option<(u64, Field<'a>)>, Malformed> {
        if self.0.is_empty() {
            return Ok(None);
        }
        let key = self.varint()?;
        let field = match key & 7 {
            0 => Field::Number(self.varint()?),
            1 => Field::Double(f64::from_le_bytes(array(self.bytes(8)?))),
            2 => {
                let length = usize::try_from(self.varint()?).map_err(|_| Malformed)?;
                Field::Bytes(self.bytes(length)?)
            }
            5 => Field::Single(f32::from_le_bytes(array(self.bytes(4)?))),
            _ => return Err(Malformed),
        };
        Ok(Some((key >> 3, field)))
    }

    fn bytes(&mut self, count: usize) -> Result<&'a [u8], Malformed> {
        let (bytes, rest) = self.0.split_at_checked(count).ok_or(Malformed)?;
        self.0 = rest;
        Ok(bytes)
    }

    fn varint(&mut self) -> Result<u64, Malformed> {
        let mut value = 0;
        for place in 0..10 {
            let byte = self.bytes(1)?[0];
            value |= u64::from(byte & 0x7f) << (7 * place);
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(Malformed)
    }
}

/// Gathers the scalars of one step, which come one by one, into a row.
#[derive(Clone, Debug, Default)]
pub(super) struct Gatherer {
    step: u64,
    numbers: [Option<(usize, f64)>; Kind::COUNT],
    /// Every tag seen.
    pub(super) tags: std::collections::BTreeSet<String>,
}

impl Gatherer {
    /// Takes a scalar; gives the row before it when a new step begins.
    pub(super) fn push(&mut self, scalar: &Scalar, columns: &Columns) -> Option<Numbers> {
        let row = if scalar.step == self.step { None } else { self.flush() };
        self.step = scalar.step;
        for (place, kind) in Kind::ALL.into_iter().enumerate().skip(1) {
            if let Some(rank) = columns.rank(kind, &scalar.tag)
                && self.numbers[place].is_none_or(|(best, _)| rank <= best)
            {
                self.numbers[place] = Some((rank, scalar.value));
            }
        }
        if !self.tags.contains(&scalar.tag) {
            self.tags.insert(scalar.tag.clone());
        }
        row
    }

    /// The row gathered so far.
    pub(super) fn flush(&mut self) -> Option<Numbers> {
        let numbers = std::mem::take(&mut self.numbers);
        let mut row = numbers.map(|found| found.map(|(_, number)| number));
        row[0] = Some(self.step as f64);
        row[Kind::Loss as usize].or(row[Kind::Metric as usize]).is_some().then_some(row)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_tensorflows() {
        // The Castagnoli polynomial's check value, masked.
        assert_eq!(crc32c::crc32c(b"123456789"), 0xe306_9283);
        assert_eq!(masked(b"123456789"), 0xe306_9283u32.rotate_right(15).wrapping_add(0xa282_ead8));
    }

    #[test]
    fn both_guises_of_a_scalar_are_read() {
        // step = 300, summary { value { tag "loss", simple_value 0.5 } value { tag "lr", tensor { float 0.25 } } }
        let mut value = vec![0x0a, 4];
        value.extend(b"loss");
        value.push(0x15);
        value.extend(0.5f32.to_le_bytes());
        let mut tensor = vec![0x08, 1, 0x22, 4];
        tensor.extend(0.25f32.to_le_bytes());
        let mut other = vec![0x0a, 2];
        other.extend(b"lr");
        other.extend([0x42, tensor.len() as u8]);
        other.extend(&tensor);
        let mut summary = Vec::new();
        for value in [&value, &other] {
            summary.extend([0x0a, value.len() as u8]);
            summary.extend(value);
        }
        let mut event = vec![0x2a, summary.len() as u8];
        event.extend(&summary);
        event.extend([0x10, 0xac, 0x02]);
        let found = scalars(&event).unwrap();
        let scalar = |tag: &str, value| Scalar { step: 300, tag: tag.into(), value };
        assert_eq!(found, [scalar("loss", 0.5), scalar("lr", 0.25)]);
        assert_eq!(scalars(&event[..event.len() - 1]), Err(Malformed));
    }
}
