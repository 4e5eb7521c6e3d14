//! The norm of the weights between rises of the loss.

use super::Point;

/// From which share on the norm has changed.
const LEAST: f64 = 0.05;

/// Follows the norm: whether it is what drives the loss up.
///
/// Weights whose scale does not matter have the effective rate `eta / |w|^2`, up to weight decay's share of a step
/// (`etalon_theory::effective`). Weight decay shortens them until that rate is too large for the curvature: the loss
/// rises, its large gradients, which lie across the weights, lengthen them, and the loss comes back.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Norms {
    last: Option<Seen>,
    /// The largest since the last rise came back.
    largest: Option<Seen>,
    /// Rises that it drove.
    pub(super) driven: u64,
    /// The least share of its largest that it had come to before one of them.
    pub(super) shortest: f64,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Seen {
    norm: f64,
    rate: Option<f64>,
}

/// The norm where a rise begins, and the largest before it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Onset {
    here: Seen,
    largest: Seen,
    /// The rate at the rise's peak.
    at_peak: Option<f64>,
}

impl Norms {
    pub(super) fn push(&mut self, point: Point) {
        let Some(norm) = point.norm.filter(|norm| *norm > 0.0 && norm.is_finite()) else { return };
        let seen = Seen { norm, rate: point.rate };
        self.last = Some(seen);
        if self.largest.is_none_or(|largest| largest.norm < norm) {
            self.largest = self.last;
        }
    }

    /// Where a rise that begins now has its norm.
    pub(super) fn onset(&self) -> Option<Onset> {
        self.last.zip(self.largest).map(|(here, largest)| Onset { here, largest, at_peak: here.rate })
    }

    /// The loss of a rise has not been higher before.
    pub(super) fn peak(&self, onset: &mut Option<Onset>) {
        if let (Some(onset), Some(last)) = (onset, self.last) {
            onset.at_peak = last.rate;
        }
    }

    /// A rise has come back: it was the norm's if that had shrunk before, by more than the rate has grown, and has grown in it.
    pub(super) fn came_back(&mut self, onset: Option<Onset>) {
        if let Some((last, Onset { here, largest, at_peak })) = self.last.zip(onset) {
            let share = here.norm / largest.norm;
            let grown = |before: Seen| before.rate.zip(at_peak).map_or(1.0, |(before, peak)| peak / before);
            let by_rate = grown(here).max(grown(largest));
            if share < 1.0 - LEAST && share * by_rate < 1.0 && last.norm > (1.0 + LEAST) * here.norm {
                self.shortest = if self.driven == 0 { share } else { self.shortest.min(share) };
                self.driven += 1;
            }
        }
        self.largest = self.last;
    }
}
