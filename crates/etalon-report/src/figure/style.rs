//! How large a picture is drawn, and on what ground.

use super::FigureError;

/// The size of the letters of an axis in units of the picture, from which all other sizes follow.
const LETTERS: f64 = 15.0;
/// A point of print in millimetres.
const POINT: f64 = 25.4 / 72.0;
/// A unit in millimetres where nobody asks for a size: a pixel of a style sheet.
const PIXEL: f64 = 25.4 / 96.0;
/// The width of a picture that nobody asked another of, in units.
const WIDTH: f64 = 960.0;
/// The smallest picture, in units: below it marks have no room beside their axis.
const LEAST: [f64; 2] = [280.0, 240.0];

/// The look of a picture. By default it is 254 mm wide with letters of 11 pt, on a light ground.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Style {
    /// Its width in millimetres.
    pub width: Option<f64>,
    /// Its height in millimetres.
    pub height: Option<f64>,
    /// The size of its axes' letters in points; 8 where a width is given.
    pub letters: Option<f64>,
    /// Without a ground of its own.
    pub transparent: bool,
    /// For print: white ground, no title and no lines at the marks.
    pub plain: bool,
}

/// A picture's measures.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Canvas {
    /// Its width in units.
    pub width: f64,
    /// Its height in units, where it is given.
    pub height: Option<f64>,
    /// A unit in millimetres; none where nobody asked for a size.
    pub unit: Option<f64>,
}

impl Style {
    /// Whether the size is the default.
    pub(super) fn is_default_size(&self) -> bool {
        self.width.is_none() && self.height.is_none() && self.letters.is_none()
    }

    /// The measures of the picture.
    ///
    /// # Errors
    /// With a size that is no size, or in which the letters have no room.
    pub(super) fn canvas(&self) -> Result<Canvas, FigureError> {
        if self.is_default_size() {
            return Ok(Canvas { width: WIDTH, height: None, unit: None });
        }
        for size in [self.width, self.height, self.letters].into_iter().flatten() {
            // Beyond, no program opens it.
            if !(1.0..=5000.0).contains(&size) {
                return Err(FigureError::Size(size));
            }
        }
        let unit = match (self.letters, self.width) {
            (Some(points), _) => points * POINT / LETTERS,
            (None, Some(_)) => 8.0 * POINT / LETTERS,
            (None, None) => PIXEL,
        };
        let canvas = Canvas {
            width: self.width.unwrap_or(WIDTH * PIXEL) / unit,
            height: self.height.map(|height| height / unit),
            unit: Some(unit),
        };
        for (side, size, least) in
            [("width", Some(canvas.width), LEAST[0]), ("height", canvas.height, LEAST[1])]
        {
            if let Some(size) = size.filter(|&size| size < least) {
                return Err(FigureError::NoRoom { side, given: size * unit, least: least * unit });
            }
        }
        Ok(canvas)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_keep_their_size_whatever_the_picture_has() {
        assert_eq!(Style::default().canvas().unwrap(), Canvas { width: 960.0, height: None, unit: None });
        // A column of a journal: 89 mm are 252.3 pt, in which a unit is a fifteenth of 8 pt.
        let column = Style { width: Some(89.0), ..Style::default() };
        assert!((column.canvas().unwrap().width - 252.283 * 15.0 / 8.0).abs() < 0.01);
        let large = Style { letters: Some(16.0), ..column };
        assert!(large.canvas().unwrap_err().to_string().contains("at least 105 mm"), "{:?}", large.canvas());
        for size in [0.0, -3.0, f64::NAN, 1e9] {
            assert!(Style { width: Some(size), ..column }.canvas().is_err(), "{size}");
        }
    }
}
