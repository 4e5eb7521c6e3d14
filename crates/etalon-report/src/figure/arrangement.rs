//! Where the frames of a picture's panels lie: one below the other, or facets side by side.

use super::shapes::Frame;

/// Between two panels, one below the other.
const GAP: f64 = 20.0;
/// Between two facets, side by side, and above each: its name.
const BESIDE: f64 = 24.0;
const NAME: f64 = 26.0;
/// The least width of a facet for which another is set beside it, and the height of one as a part of its width.
const WIDTH: f64 = 230.0;
const SHAPE: f64 = 0.8;
/// The least height of a panel.
const LEAST: f64 = 60.0;
/// The height of the frame of a figure with one panel, and what each panel below it adds.
const INNER: f64 = 468.0;
const MORE: f64 = 200.0;

/// A panel's place.
#[derive(Clone, Copy, Debug)]
pub(super) struct Placed {
    pub frame: Frame,
    /// Whether the axis upwards is written at it.
    pub first: bool,
    /// Whether the axis to the right is.
    pub last: bool,
}

/// How the panels of a figure share their room.
#[derive(Debug)]
pub(super) enum Arrangement {
    /// One below the other, each with its weight.
    Below(Vec<f64>),
    /// So many side by side, in rows of so many.
    Beside { facets: usize, across: usize },
}

impl Arrangement {
    /// As many facets in a row as have room in `width`, in rows that are as full as they can be.
    pub(super) fn beside(facets: usize, width: f64) -> Arrangement {
        let most = (((width + BESIDE) / (WIDTH + BESIDE)) as usize).clamp(1, facets.max(1));
        Arrangement::Beside { facets, across: facets.div_ceil(facets.div_ceil(most)) }
    }

    /// What lies between and above the frames, in all.
    fn between(&self) -> f64 {
        match self {
            Arrangement::Below(weights) => GAP * weights.len().saturating_sub(1) as f64,
            Arrangement::Beside { .. } => NAME * self.rows() as f64 + GAP * (self.rows() - 1) as f64,
        }
    }

    fn rows(&self) -> usize {
        match self {
            Arrangement::Below(weights) => weights.len(),
            Arrangement::Beside { facets, across } => facets.div_ceil(*across),
        }
    }

    fn width(&self, width: f64) -> f64 {
        match self {
            Arrangement::Below(_) => width,
            Arrangement::Beside { across, .. } => (width - BESIDE * (across - 1) as f64) / *across as f64,
        }
    }

    /// The height of all where nobody asks for one.
    pub(super) fn height(&self, width: f64) -> f64 {
        match self {
            Arrangement::Below(weights) => INNER + MORE * weights.len().saturating_sub(1) as f64,
            Arrangement::Beside { .. } => {
                let frame = (SHAPE * self.width(width)).min(INNER).round();
                self.between() + frame * self.rows() as f64
            }
        }
    }

    /// The least height of all in which panels can be read.
    pub(super) fn least(&self) -> f64 {
        self.between() + LEAST * self.rows() as f64
    }

    /// The places of the panels in a frame for all of them.
    pub(super) fn placed(&self, Frame { left, top, width, height }: Frame) -> Vec<Placed> {
        let room = height - self.between();
        match self {
            Arrangement::Below(weights) => {
                let (all, mut at) = (weights.iter().sum::<f64>(), top);
                let place = |(index, weight): (usize, &f64)| {
                    let height = (room * weight / all).round();
                    let frame = Frame { left, top: at, width, height };
                    at += height + GAP;
                    Placed { frame, first: true, last: index + 1 == weights.len() }
                };
                weights.iter().enumerate().map(place).collect()
            }
            &Arrangement::Beside { facets, across } => {
                let width = self.width(width);
                let high = (room / self.rows() as f64).round();
                let place = |index: usize| {
                    let (column, row) = (index % across, index / across);
                    let left = (left + (width + BESIDE) * column as f64).round();
                    let top = top + NAME + (high + NAME + GAP) * row as f64;
                    let frame = Frame { left, top, width: width.round(), height: high };
                    Placed { frame, first: column == 0, last: index + across >= facets }
                };
                (0..facets).map(place).collect()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facets_lie_in_full_rows_and_write_each_axis_once() {
        let across = |facets, width| match Arrangement::beside(facets, width) {
            Arrangement::Beside { across, .. } => across,
            other => panic!("{other:?}"),
        };
        assert_eq!([1, 2, 3, 4, 5, 7].map(|facets| across(facets, 834.0)), [1, 2, 3, 2, 3, 3]);
        assert_eq!(across(4, 200.0), 1);
        let all = Frame { left: 96.0, top: 70.0, width: 834.0, height: 500.0 };
        let placed = Arrangement::beside(5, all.width).placed(all);
        assert_eq!(
            placed.iter().map(|place| place.first).collect::<Vec<_>>(),
            [true, false, false, true, false]
        );
        // The third has none below it.
        assert_eq!(
            placed.iter().map(|place| place.last).collect::<Vec<_>>(),
            [false, false, true, true, true]
        );
        for Placed { frame, .. } in placed {
            assert!(frame.left >= all.left && frame.left + frame.width <= all.left + all.width, "{frame:?}");
            assert!(frame.top >= all.top && frame.top + frame.height <= all.top + all.height, "{frame:?}");
        }
    }
}
