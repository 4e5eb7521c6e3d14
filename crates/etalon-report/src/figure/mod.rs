//! What a figure shows, apart from how it is drawn.
//!
//! A [`Figure`] is a description: axes with their units, series with their spreads, lines where something is expected,
//! areas with a meaning. [`Figure::svg`] draws it as a picture that stands by itself, `Figure::png` (feature `raster`) the
//! same in pixels, `Figure::pdf` for print. The pages of [`crate::pages`] have the same shapes, with a style sheet and a script that tells their
//! values to a pointer, to the keyboard and to a screen reader. [`Figure::table`] gives the numbers.
//!
//! Colours are those of Okabe and Ito, which people with any kind of colour vision can tell apart; pictures bring
//! their own background, so that they read on light and dark pages.

mod arrangement;
mod axis;
mod bands;
mod boundaries;
mod description;
mod ends;
mod groups;
mod html;
mod json;
mod law;
mod layout;
mod lines;
mod palette;
mod part;
#[cfg(feature = "raster")]
mod pdf;
mod phases;
#[cfg(feature = "raster")]
mod png;
mod rates;
mod shapes;
mod standing;
mod style;
mod svg;
mod symbol;
mod table;
mod thin;
mod ticks;
mod words;

pub use axis::{Axis, Scale};
pub use bands::{Band, BandPicture, Curve};
pub use boundaries::boundaries;
pub use description::{Cell, Details, Figure, Kind, Panel, Place, Point, Reference, Series, Spread, Stroke};
pub use groups::{Group, bands};
pub(crate) use html::{script, style};
pub use law::{LawPicture, fitted, marks};
pub use lines::{Columns, Facet, LinePicture, curves, facets};
pub use palette::Colour;
pub use phases::{PhasePicture, borders};
pub use rates::RatePicture;
pub use style::Style;
pub(crate) use symbol::in_symbols;
pub use symbol::symbol;
pub use thin::thin;
pub(crate) use words::LossKind;

use etalon::sweep::NoColumn;

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
    /// A column that the table has not.
    #[error(transparent)]
    NoColumn(#[from] NoColumn),
    /// More small pictures than one has room for.
    #[error(
        "`{column}` has {values} values, and a picture room for at most {most} beside each other; take some with --only"
    )]
    Facets {
        /// The column.
        column: String,
        /// How many values it has.
        values: usize,
        /// How many are drawn at most.
        most: usize,
    },
    /// Nothing that can be drawn on its axes.
    #[error("there is nothing to draw: {0}")]
    Empty(&'static str),
    /// An axis has a value twice, or does not rise.
    #[error("the {axis} of a phase picture must rise from value to value")]
    NotRising {
        /// Which.
        axis: &'static str,
    },
    /// Ends of an axis that are none.
    #[error(
        "the axis `{label}` cannot go from {} to {}; give two numbers in order, above 0 on a logarithmic axis", limits[0],
        limits[1]
    )]
    Limits {
        /// The axis.
        label: String,
        /// From, to.
        limits: [f64; 2],
    },
    /// A size of a picture that is none.
    #[error("{0} is no size for a picture; give millimetres, or points for letters, from 1 to 5000")]
    Size(f64),
    /// A size too small for the letters.
    #[error(
        "a picture of {given:.0} mm has no room for its letters; give at least {least:.0} mm of {side}, or smaller letters"
    )]
    NoRoom {
        /// Width or height.
        side: &'static str,
        /// Millimetres.
        given: f64,
        /// The fewest millimetres.
        least: f64,
    },
    /// A letter that PNG pictures have not.
    #[error("a picture in PNG or PDF has Latin and Greek letters only, and no `{0}`; draw it as .svg")]
    Letter(char),
    /// The library that makes pixels refuses.
    #[error("the picture cannot be drawn: {0}")]
    Drawing(String),
}
