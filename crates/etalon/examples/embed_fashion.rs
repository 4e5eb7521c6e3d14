//! Makes the embedded data set `fashion-mini` again from the official files of Fashion-MNIST, and tells
//! whether the one that this program holds has the same pixels.
//!
//!     cargo run --release -p etalon --example embed_fashion -- FOLDER [OUTPUT.png]
//!
//! FOLDER holds the four idx files, raw or gzipped: `etalon data fetch fashion-mnist` brings them. Taken are
//! the first 200 images of each class of the train file and the first 50 of the test file, class 0 to 9 in
//! turn, on a sheet of 50 x 50. Exits with 1 when the embedded pixels differ.

use std::error::Error;
use std::fs::File;
use std::path::Path;
use std::process::ExitCode;

use etalon::data::{Labels, Origin, Source, load};
use sha2::{Digest, Sha256};

const SIDE: usize = 28;
const PER_ROW: usize = 50;
const SAMPLES: usize = 2500;

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (folder, output) = match arguments.as_slice() {
        [folder] => (folder, None),
        [folder, output] => (folder, Some(output)),
        _ => return Err("usage: embed_fashion FOLDER [OUTPUT.png]".into()),
    };
    let official = load(&Source::of(Origin::Path(folder.into())))?;
    let mut pixels = first_of_each_class(&official.train, 200)?;
    pixels.extend(first_of_each_class(&official.test, 50)?);
    let sum: String = Sha256::digest(&pixels).iter().map(|byte| format!("{byte:02x}")).collect();
    println!("sha256 of the {} pixels: {sum}", pixels.len());
    if let Some(output) = output {
        write_sheet(Path::new(output), &pixels)?;
        println!("{output}: {} bytes", std::fs::metadata(output)?.len());
    }
    let embedded = load(&Source::of(Origin::FashionMini))?;
    let held: Vec<u8> = embedded.train.inputs.iter().chain(&embedded.test.inputs).map(to_byte).collect();
    let same = held == pixels;
    println!("the embedded pixels are {}", if same { "the same" } else { "DIFFERENT" });
    Ok(if same { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The first `each` images of every class, class 0 to 9 in turn.
fn first_of_each_class(part: &etalon::data::Dataset, each: usize) -> Result<Vec<u8>, Box<dyn Error>> {
    let Labels::Classes { labels, count: 10 } = &part.labels else {
        return Err("these are not ten classes".into());
    };
    let mut by_class = vec![Vec::new(); 10];
    for (index, &label) in labels.iter().enumerate() {
        by_class[label as usize].push(index);
    }
    let mut pixels = Vec::new();
    for turn in 0..each {
        for indices in &by_class {
            let index = *indices.get(turn).ok_or("a class has too few images")?;
            pixels.extend(part.sample(index).iter().map(to_byte));
        }
    }
    Ok(pixels)
}

/// Undoes the readers' scaling to [0, 1], exactly.
fn to_byte(pixel: &f32) -> u8 {
    (pixel * 255.0).round() as u8
}

fn write_sheet(path: &Path, pixels: &[u8]) -> Result<(), Box<dyn Error>> {
    let width = PER_ROW * SIDE;
    let mut sheet = vec![0; SAMPLES * SIDE * SIDE];
    for (sample, image) in pixels.chunks_exact(SIDE * SIDE).enumerate() {
        let (top, left) = (sample / PER_ROW * SIDE, sample % PER_ROW * SIDE);
        for (row, line) in image.chunks_exact(SIDE).enumerate() {
            let start = (top + row) * width + left;
            sheet[start..start + SIDE].copy_from_slice(line);
        }
    }
    let mut encoder = png::Encoder::new(File::create(path)?, width as u32, (SAMPLES / PER_ROW * SIDE) as u32);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::High);
    encoder.set_filter(png::Filter::Adaptive);
    encoder.write_header()?.write_image_data(&sheet)?;
    Ok(())
}
