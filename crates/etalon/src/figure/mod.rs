//! What a picture shows, drawn as SVG, with its numbers beside it.
//!
//! Colours are those of Okabe and Ito, which people with any kind of colour vision can tell apart; pictures bring
//! their own background, so that they read on light and dark pages.

mod canvas;
mod phases;
mod rates;
mod ticks;

pub use phases::PhasePicture;
pub use rates::RatePicture;

/// Why there is no picture.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum FigureError {
    /// Too little to show.
    #[error(
        "a phase picture needs at least two values on each axis, here {columns} of c and {rows} of the width; \
             give ranges such as --c 0.5..8/400 --width 10..1e6/400"
    )]
    TooSmall {
        /// Values of `c`.
        columns: usize,
        /// Widths.
        rows: usize,
    },
    /// No rate at all.
    #[error("a picture of rates needs at least two steps with a rate above 0")]
    NoRates,
    /// An axis has a value twice, or does not rise.
    #[error("the {axis} of a phase picture must rise from value to value")]
    NotRising {
        /// Which.
        axis: &'static str,
    },
    /// The drawing library refuses.
    #[error("the picture cannot be drawn: {0}")]
    Drawing(String),
}
