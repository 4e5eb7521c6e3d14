//! A figure as pixels.

use super::{Figure, FigureError, Style};
use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{FontResolver, Options, Tree, fontdb::Database};
use std::sync::{Arc, OnceLock};

/// The letters of all pictures, so that they look the same on every machine, one without fonts too.
const LETTERS: &[u8] = include_bytes!("../../assets/dejavu-sans.ttf");
const FAMILY: &str = "DejaVu Sans";

/// Pixels for a unit of the SVG: enough for a screen of high density and for print at half a page's width.
const SCALE: f32 = 2.0;
/// The same for a picture with a size in print: 300 pixels an inch.
const PRINT: f32 = 300.0 / 96.0;

impl Figure {
    /// The picture of [`Figure::svg_as`] as PNG: 1920 pixels wide, or 300 an inch where a size is asked for. Its bytes are
    /// the same on every machine.
    ///
    /// # Errors
    /// Where there is nothing to draw, and for letters other than Latin and Greek ones, which SVG has.
    pub fn png(&self, style: &Style) -> Result<Vec<u8>, FigureError> {
        let scale = if style.is_default_size() { SCALE } else { PRINT };
        pixels(&self.svg_as(style)?, scale)
    }
}

fn fault(error: impl std::fmt::Display) -> FigureError {
    FigureError::Drawing(error.to_string())
}

/// What a picture draws, its letters as those of all pictures.
pub(super) fn tree(svg: &str) -> Result<Tree, FigureError> {
    let mut fonts = Database::new();
    fonts.load_font_data(LETTERS.to_vec());
    fonts.set_sans_serif_family(FAMILY);
    let unknown = Arc::new(OnceLock::new());
    let asked = unknown.clone();
    let font_resolver = FontResolver {
        select_fallback: Box::new(move |letter, _, _| {
            asked.get_or_init(|| letter);
            None
        }),
        ..FontResolver::default()
    };
    let options = Options { fontdb: Arc::new(fonts), font_resolver, ..Options::default() };
    let tree = Tree::from_str(svg, &options).map_err(fault)?;
    unknown.get().map_or(Ok(tree), |&letter| Err(FigureError::Letter(letter)))
}

fn pixels(svg: &str, scale: f32) -> Result<Vec<u8>, FigureError> {
    let tree = tree(svg)?;
    let size = tree.size().to_int_size().scale_by(scale);
    let page = size.and_then(|size| Pixmap::new(size.width(), size.height()));
    let mut page = page.ok_or(FigureError::Empty("it has no size"))?;
    resvg::render(&tree, Transform::from_scale(scale, scale), &mut page.as_mut());
    page.encode_png().map_err(fault)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(words: &str) -> String {
        format!(
            "<svg width='60' height='20' xmlns='http://www.w3.org/2000/svg'><rect width='60' height='20' fill='#fafaf7'/><text x='4' \
             y='14' font-family='sans-serif' font-size='12'>{words}</text></svg>"
        )
    }

    /// Width, height, and the number of pixels darker than half.
    fn decoded(png: &[u8]) -> (u32, u32, usize) {
        let mut reader = png::Decoder::new(std::io::Cursor::new(png)).read_info().unwrap();
        let mut bytes = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut bytes).unwrap();
        let dark = bytes.chunks(info.color_type.samples()).filter(|pixel| pixel[0] < 128).count();
        (info.width, info.height, dark)
    }

    #[test]
    fn letters_are_drawn_twice_as_large_without_any_font_of_the_machine() {
        let (width, height, dark) = decoded(&pixels(&page(""), SCALE).unwrap());
        assert_eq!((width, height, dark), (120, 40, 0));
        for words in ["eta*", "λ ≤ 2/η", "R² × 10⁻³", "é − √n ∝ ∞"] {
            let (_, _, dark) = decoded(&pixels(&page(words), SCALE).unwrap());
            assert!(dark > 100, "{words}: {dark} dark pixels");
        }
    }

    #[test]
    fn a_letter_that_cannot_be_drawn_is_an_error_that_names_it() {
        let error = pixels(&page("eta 漢"), SCALE).unwrap_err();
        assert_eq!(error, FigureError::Letter('漢'));
        assert!(error.to_string().contains(".svg"), "{error}");
    }
}
