//! Images of PNG and JPEG, as bytes of grey or of red, green and blue.

use std::io::Cursor;
use std::path::Path;

use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use super::error::malformed;
use super::{DataError, bytes};

/// Endings of files that are read, in lower case.
pub(super) const ENDINGS: [&str; 3] = ["png", "jpg", "jpeg"];
/// What a file of an image must be.
pub(super) const EXPECTED: &str = "a PNG or a JPEG of at most 67 million pixels";
/// No sample has so many pixels.
const MOST_PIXELS: u64 = 1 << 26;

/// An image.
pub(super) struct Picture {
    pub(super) height: usize,
    pub(super) width: usize,
    /// 1 or 3.
    pub(super) channels: usize,
    /// Height x width x channels.
    pub(super) pixels: Vec<u8>,
}

/// Reads an image, whose first bytes tell which kind it is. Palettes are looked up, 16 bits become 8, transparency is left out.
///
/// # Errors
/// [`DataError::Io`], or [`DataError::Malformed`] for what is neither, is broken or too large.
pub(super) fn decode(path: &Path) -> Result<Picture, DataError> {
    let content = bytes::open(path)?.rest()?;
    decode_bytes(&content).map_err(|found| malformed(path, EXPECTED, found, "replace or remove it"))
}

/// The same of bytes that are at hand, with what is wrong where they are no image.
pub(super) fn decode_bytes(content: &[u8]) -> Result<Picture, String> {
    let found = match content {
        [0x89, b'P', ..] => png(content),
        [0xff, 0xd8, ..] => jpeg(content),
        _ => Err("other bytes at its start".into()),
    };
    // A library's sentence becomes part of another one.
    found.map_err(|text| text.trim_end_matches('.').into())
}

/// The pixels of images of one size, one after the other, and how many channels each has: three where one of them has colours.
pub(super) fn joined(pictures: &[Picture]) -> (usize, Vec<u8>) {
    let channels = pictures.iter().map(|picture| picture.channels).max().unwrap_or(1);
    let bytes = pictures.iter().map(|picture| picture.pixels.len() / picture.channels * channels).sum();
    let mut pixels = Vec::with_capacity(bytes);
    for picture in pictures {
        let copies = channels / picture.channels;
        pixels.extend(picture.pixels.iter().flat_map(|&pixel| std::iter::repeat_n(pixel, copies)));
    }
    (channels, pixels)
}

/// An image without pixels yet.
fn sized(width: usize, height: usize, channels: usize) -> Result<Picture, String> {
    match (width as u64).saturating_mul(height as u64) {
        0..=MOST_PIXELS => Ok(Picture { height, width, channels, pixels: Vec::new() }),
        _ => Err(format!("{width} x {height} of them")),
    }
}

fn png(content: &[u8]) -> Result<Picture, String> {
    let text = |error: png::DecodingError| error.to_string();
    let mut decoder = png::Decoder::new(Cursor::new(content));
    decoder.set_transformations(png::Transformations::normalize_to_color8());
    let mut reader = decoder.read_info().map_err(text)?;
    let (width, height) = reader.info().size();
    let samples = reader.output_color_type().0.samples();
    let (channels, kept) = if samples < 3 { (1, 1) } else { (3, 3) };
    let mut picture = sized(width as usize, height as usize, channels)?;
    let mut all = vec![0; reader.output_buffer_size().ok_or("too many pixels")?];
    reader.next_frame(&mut all).map_err(text)?;
    picture.pixels = all.chunks_exact(samples).flat_map(|pixel| &pixel[..kept]).copied().collect();
    Ok(picture)
}

fn jpeg(content: &[u8]) -> Result<Picture, String> {
    let mut decoder = JpegDecoder::new(ZCursor::new(content));
    decoder.decode_headers().map_err(|error| error.to_string())?;
    let info = decoder.info().ok_or("no header")?;
    let (channels, colours) = if info.components == 1 { (1, ColorSpace::Luma) } else { (3, ColorSpace::RGB) };
    let picture = sized(info.width.into(), info.height.into(), channels)?;
    decoder.set_options(DecoderOptions::default().jpeg_set_out_colorspace(colours));
    let pixels = decoder.decode().map_err(|error| error.to_string())?;
    match pixels.len() == picture.height * picture.width * channels {
        true => Ok(Picture { pixels, ..picture }),
        false => Err(format!("{} bytes of pixels", pixels.len())),
    }
}
