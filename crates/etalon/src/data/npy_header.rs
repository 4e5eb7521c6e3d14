//! The header of an npy file: a Python dictionary with the element type, the order and the shape
//! (NumPy Enhancement Proposal 1, versions 1.0 and 2.0).

use std::path::Path;

use super::DataError;
use super::bytes::SourceBytes;
use super::error::malformed;

const RESAVE: &str = "save it again with numpy.save(path, array)";

/// The element types that are read, all little-endian.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Element {
    F4,
    F8,
    U1,
    I4,
    I8,
}

impl Element {
    pub(super) fn bytes(self) -> u64 {
        match self {
            Element::U1 => 1,
            Element::F4 | Element::I4 => 4,
            Element::F8 | Element::I8 => 8,
        }
    }
}

/// What a header says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) element: Element,
    pub(super) shape: Vec<usize>,
}

/// Reads the header and leaves `source` at the first element.
pub(super) fn read(path: &Path, source: &mut SourceBytes) -> Result<Header, DataError> {
    let magic: [u8; 8] = source.header("npy magic and version")?;
    if &magic[..6] != b"\x93NUMPY" {
        let found = format!("{:02x?}", &magic[..6]);
        return Err(malformed(path, "an npy file, which begins with \\x93NUMPY", found, RESAVE));
    }
    let length = match magic[6] {
        1 => u64::from(u16::from_le_bytes(source.header("npy header length")?)),
        2 => u64::from(u32::from_le_bytes(source.header("npy header length")?)),
        version => {
            return Err(malformed(path, "npy version 1 or 2", format!("version {version}"), RESAVE));
        }
    };
    let text = source.exactly(length, "npy header")?;
    let text = String::from_utf8_lossy(&text);
    let fields = Parser { rest: &text }.dictionary().ok_or_else(|| {
        let expected = "a header like {'descr': '<f4', 'fortran_order': False, 'shape': (100, 784), }";
        malformed(path, expected, format!("{:?}", text.chars().take(120).collect::<String>()), RESAVE)
    })?;
    if fields.fortran_order {
        let remedy = "save it again with numpy.save(path, numpy.ascontiguousarray(array))";
        return Err(malformed(path, "C order (fortran_order False)", "Fortran order", remedy));
    }
    let element = match fields.descr.as_str() {
        "<f4" => Element::F4,
        "<f8" => Element::F8,
        "|u1" | "<u1" => Element::U1,
        "<i4" => Element::I4,
        "<i8" => Element::I8,
        other => {
            let remedy = "convert it, for instance with array.astype('<f4')";
            let expected = "elements of type <f4, <f8, |u1, <i4 or <i8";
            return Err(malformed(path, expected, format!("{other:?}"), remedy));
        }
    };
    Ok(Header { element, shape: fields.shape })
}

struct Fields {
    descr: String,
    fortran_order: bool,
    shape: Vec<usize>,
}

/// A parser of just the literals that such a header holds; None means that something else stands there.
struct Parser<'a> {
    rest: &'a str,
}

impl Parser<'_> {
    fn dictionary(mut self) -> Option<Fields> {
        let (mut descr, mut fortran_order, mut shape) = (None, None, None);
        self.symbol('{')?;
        while self.symbol('}').is_none() {
            let key = self.string()?;
            self.symbol(':')?;
            match key.as_str() {
                "descr" => descr = Some(self.string()?),
                "fortran_order" => fortran_order = Some(self.boolean()?),
                "shape" => shape = Some(self.tuple()?),
                _ => return None,
            }
            if self.symbol(',').is_none() {
                self.symbol('}')?;
                break;
            }
        }
        self.rest.trim().is_empty().then_some(())?;
        Some(Fields { descr: descr?, fortran_order: fortran_order?, shape: shape? })
    }

    fn symbol(&mut self, symbol: char) -> Option<()> {
        self.rest = self.rest.trim_start().strip_prefix(symbol)?;
        Some(())
    }

    fn string(&mut self) -> Option<String> {
        let quote = self.rest.trim_start().chars().next().filter(|&quote| quote == '\'' || quote == '"')?;
        self.symbol(quote)?;
        let (text, rest) = self.rest.split_once(quote)?;
        self.rest = rest;
        Some(text.to_string())
    }

    fn boolean(&mut self) -> Option<bool> {
        self.rest = self.rest.trim_start();
        for (word, value) in [("True", true), ("False", false)] {
            if let Some(rest) = self.rest.strip_prefix(word) {
                self.rest = rest;
                return Some(value);
            }
        }
        None
    }

    fn tuple(&mut self) -> Option<Vec<usize>> {
        let mut lengths = Vec::new();
        self.symbol('(')?;
        while self.symbol(')').is_none() {
            self.rest = self.rest.trim_start();
            let digits = self.rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(self.rest.len());
            let (number, rest) = self.rest.split_at(digits);
            lengths.push(number.parse().ok()?);
            self.rest = rest;
            if self.symbol(',').is_none() {
                self.symbol(')')?;
                break;
            }
        }
        Some(lengths)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Header, DataError> {
        let bytes = [b"\x93NUMPY\x01\x00", &(text.len() as u16).to_le_bytes()[..], text.as_bytes()].concat();
        let path = Path::new("x.npy");
        read(path, &mut SourceBytes::new(path, &bytes[..], bytes.len() as u64)?)
    }

    #[test]
    fn headers_as_numpy_writes_them() {
        let header = parse("{'descr': '<f8', 'fortran_order': False, 'shape': (3, 28, 28), }   \n").unwrap();
        assert_eq!(header, Header { element: Element::F8, shape: vec![3, 28, 28] });
        let header = parse("{'descr': '|u1', 'fortran_order': False, 'shape': (7,), }\n").unwrap();
        assert_eq!(header, Header { element: Element::U1, shape: vec![7] });
        let header = parse("{\"shape\":(2,1),\"descr\":\"<i4\",\"fortran_order\":False}").unwrap();
        assert_eq!(header, Header { element: Element::I4, shape: vec![2, 1] });
        assert_eq!(
            parse("{'descr': '<f4', 'fortran_order': False, 'shape': ()}").unwrap().shape,
            [0usize; 0]
        );
    }

    #[test]
    fn other_headers_are_refused_with_advice() {
        for (text, expected) in [
            ("{'descr': '<f4', 'fortran_order': True, 'shape': (2, 2), }", "numpy.ascontiguousarray"),
            ("{'descr': '>f4', 'fortran_order': False, 'shape': (2, 2), }", "astype('<f4')"),
            ("{'descr': '<f4', 'fortran_order': False, }", "expected a header like"),
            ("{'descr': '<f4', 'fortran_order': False, 'shape': (-2,), }", "expected a header like"),
            ("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), 'more': 1}", "expected a header like"),
            ("{'descr': '<f4', 'fortran_order': False, 'shape': (2,)} and", "expected a header like"),
            ("{'descr': '<f4", "expected a header like"),
            ("", "expected a header like"),
        ] {
            let error = parse(text).unwrap_err().to_string();
            assert!(error.starts_with("x.npy: ") && error.contains(expected), "{error}");
        }
    }
}
