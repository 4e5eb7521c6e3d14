//! Colours that people with any kind of colour vision can tell apart: those of Okabe and Ito, and a grey.

use std::fmt;

/// Red, green and blue. Written as style sheets and SVG have it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rgb(u8, u8, u8);

/// The light ground of pictures and pages.
pub(super) const GROUND: Rgb = Rgb(0xfc, 0xfc, 0xfa);
/// Text and lines on it.
pub(super) const TEXT: Rgb = Rgb(0x1d, 0x1f, 0x21);
/// Lines between things.
pub(super) const RULE: Rgb = Rgb(0xd9, 0xd9, 0xd3);

/// A colour of a figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colour {
    /// For the first series.
    Blue,
    /// For the second.
    Vermilion,
    /// For the third.
    Green,
    /// For the fourth.
    Purple,
    /// For the fifth.
    Orange,
    /// For the sixth.
    Sky,
    /// For the seventh: black on white.
    Ink,
    /// For what is over: divergence.
    Grey,
    /// For what is undecided. Too light for lines.
    Yellow,
}

impl Colour {
    /// All of them.
    pub const ALL: [Colour; 9] = [
        Colour::Blue,
        Colour::Vermilion,
        Colour::Green,
        Colour::Purple,
        Colour::Orange,
        Colour::Sky,
        Colour::Ink,
        Colour::Grey,
        Colour::Yellow,
    ];

    /// The colour of a series by its number; those dark enough for thin lines return after seven.
    pub fn of(index: usize) -> Colour {
        Colour::ALL[index % 7]
    }

    /// The colour of a phase, whether of a network or of a solvable model; none for a name that is no phase.
    pub fn of_phase(phase: &str) -> Option<Colour> {
        Some(match phase {
            "lazy" => Colour::Sky,
            "catapult" => Colour::Orange,
            "divergent" => Colour::Grey,
            "stuck" => Colour::Blue,
            "cycle" => Colour::Green,
            "chaotic" => Colour::Purple,
            "unfinished" => Colour::Yellow,
            _ => return None,
        })
    }

    /// On a light ground.
    pub(super) fn light(self) -> Rgb {
        match self {
            Colour::Blue => Rgb(0x00, 0x72, 0xb2),
            Colour::Vermilion => Rgb(0xd5, 0x5e, 0x00),
            Colour::Green => Rgb(0x00, 0x9e, 0x73),
            Colour::Purple => Rgb(0xcc, 0x79, 0xa7),
            Colour::Orange => Rgb(0xe6, 0x9f, 0x00),
            Colour::Sky => Rgb(0x56, 0xb4, 0xe9),
            Colour::Ink => Rgb(0x22, 0x22, 0x22),
            Colour::Grey => Rgb(0x55, 0x55, 0x55),
            Colour::Yellow => Rgb(0xf0, 0xe4, 0x42),
        }
    }

    /// On a dark ground, where the darker ones are lifted.
    pub(super) fn dark(self) -> Rgb {
        match self {
            Colour::Blue => Rgb(0x4a, 0x9a, 0xde),
            Colour::Vermilion => Rgb(0xf2, 0x80, 0x3c),
            Colour::Green => Rgb(0x2b, 0xb9, 0x8e),
            Colour::Purple => Rgb(0xdd, 0x96, 0xbe),
            Colour::Orange => Rgb(0xe8, 0xa8, 0x1e),
            Colour::Sky => Rgb(0x7d, 0xc6, 0xf0),
            Colour::Ink => Rgb(0xe4, 0xe4, 0xe0),
            Colour::Grey => Rgb(0x8b, 0x8d, 0x92),
            Colour::Yellow => Rgb(0xf0, 0xe4, 0x42),
        }
    }

    /// What a style sheet calls it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Colour::Blue => "blue",
            Colour::Vermilion => "vermilion",
            Colour::Green => "green",
            Colour::Purple => "purple",
            Colour::Orange => "orange",
            Colour::Sky => "sky",
            Colour::Ink => "ink",
            Colour::Grey => "grey",
            Colour::Yellow => "yellow",
        }
    }
}

/// The colours as properties of a style sheet, on a light or a dark ground.
pub(super) fn properties(dark: bool) -> String {
    let property = |colour: Colour| {
        let shade = if dark { colour.dark() } else { colour.light() };
        format!("--{}:{shade};", colour.name())
    };
    Colour::ALL.map(property).concat()
}

impl fmt::Display for Rgb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Rgb(red, green, blue) = self;
        write!(f, "#{red:02X}{green:02X}{blue:02X}")
    }
}
