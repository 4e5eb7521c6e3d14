//! Colours that people with any kind of colour vision can tell apart: those of Okabe and Ito, and a grey.

use plotters::style::RGBColor;

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
    pub(super) fn light(self) -> RGBColor {
        match self {
            Colour::Blue => RGBColor(0x00, 0x72, 0xb2),
            Colour::Vermilion => RGBColor(0xd5, 0x5e, 0x00),
            Colour::Green => RGBColor(0x00, 0x9e, 0x73),
            Colour::Purple => RGBColor(0xcc, 0x79, 0xa7),
            Colour::Orange => RGBColor(0xe6, 0x9f, 0x00),
            Colour::Sky => RGBColor(0x56, 0xb4, 0xe9),
            Colour::Ink => RGBColor(0x22, 0x22, 0x22),
            Colour::Grey => RGBColor(0x55, 0x55, 0x55),
            Colour::Yellow => RGBColor(0xf0, 0xe4, 0x42),
        }
    }

    /// On a dark ground, where the darker ones are lifted.
    pub(super) fn dark(self) -> RGBColor {
        match self {
            Colour::Blue => RGBColor(0x4a, 0x9a, 0xde),
            Colour::Vermilion => RGBColor(0xf2, 0x80, 0x3c),
            Colour::Green => RGBColor(0x2b, 0xb9, 0x8e),
            Colour::Purple => RGBColor(0xdd, 0x96, 0xbe),
            Colour::Orange => RGBColor(0xe8, 0xa8, 0x1e),
            Colour::Sky => RGBColor(0x7d, 0xc6, 0xf0),
            Colour::Ink => RGBColor(0xe4, 0xe4, 0xe0),
            Colour::Grey => RGBColor(0x8b, 0x8d, 0x92),
            Colour::Yellow => RGBColor(0xf0, 0xe4, 0x42),
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
        let RGBColor(r, g, b) = if dark { colour.dark() } else { colour.light() };
        format!("--{}:#{r:02x}{g:02x}{b:02x};", colour.name())
    };
    Colour::ALL.map(property).concat()
}
