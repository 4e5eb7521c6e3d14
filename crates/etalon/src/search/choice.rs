//! Which rate of the curve to use, and the sentence that says why.

use super::curve::CurvePoint;

/// Which point of the curve is chosen, against which others.
pub(super) struct Choice {
    pub(super) index: usize,
    /// The best median, if ties were broken in favour of another.
    best: usize,
    noise: f64,
    /// The best of those not chosen.
    next: Option<usize>,
}

/// Chooses among the points that are not excluded.
pub(super) fn choose(curve: &[CurvePoint], higher_is_better: bool) -> Option<Choice> {
    let sign = if higher_is_better { 1.0 } else { -1.0 };
    // (index, metric turned so that more is better, loss)
    let mut usable: Vec<(usize, f64, f64)> = curve
        .iter()
        .enumerate()
        .filter_map(|(i, point)| Some((i, sign * point.median?, point.median_loss?)))
        .collect();
    // Stable: what is equal in both stays in ascending order of the rate.
    usable.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.2.total_cmp(&b.2)));
    let &(best, top, _) = usable.first()?;
    let noise = curve[best].noise();
    let tied = usable.iter().filter(|point| top - point.1 <= noise);
    let &(index, ..) = tied.min_by(|a, b| a.2.total_cmp(&b.2).then(a.0.cmp(&b.0)))?;
    let next = usable.iter().find(|point| point.0 != index).map(|point| point.0);
    Some(Choice { index, best, noise, next })
}

/// The sentence that explains a choice.
pub(super) fn why(metric: &str, choice: Option<&Choice>, curve: &[CurvePoint]) -> String {
    let rates = curve.len();
    let (lowest, highest) = match curve {
        [first, .., last] => (first.eta, last.eta),
        [only] => (only.eta, only.eta),
        [] => return "no rate below the ceiling is a normal number".into(),
    };
    let span = format!("{rates} rates from {} to {}", short(lowest), short(highest));
    let excluded: Vec<&CurvePoint> = curve.iter().filter(|point| point.excluded.is_some()).collect();
    let Some(choice) = choice else {
        let reason = curve[0].excluded.as_deref().unwrap_or_default();
        return format!("none of {span} is usable; at the lowest: {reason}");
    };
    let number = |value: Option<f64>| value.map_or_else(|| "unknown".into(), short);
    let (chosen, best) = (&curve[choice.index], &curve[choice.best]);
    let spread =
        format!(" ({} to {} over {} seeds)", number(chosen.low), number(chosen.high), chosen.metric.len());
    let mut text = if choice.index == choice.best {
        format!("best median {metric} {}{spread} of {span}", number(chosen.median))
    } else {
        format!(
            "median {metric} {}{spread}, within the seed noise ({}) of the best of {span} ({} at {}), and \
             the lower held-out loss ({} against {})",
            number(chosen.median),
            short(choice.noise),
            number(best.median),
            short(best.eta),
            number(chosen.median_loss),
            number(best.median_loss),
        )
    };
    if let Some(next) = choice.next.filter(|_| choice.index == choice.best) {
        text += &format!("; next best {} at {}", number(curve[next].median), short(curve[next].eta));
    }
    if let Some(first) = excluded.first() {
        let reason = first.excluded.as_deref().unwrap_or_default();
        text += &format!("; {} excluded (at {}: {reason})", excluded.len(), short(first.eta));
    }
    if chosen.too_slow > 0 {
        let of = chosen.metric.len();
        text += &format!("; {} of {of} seeds did not reach the threshold here", chosen.too_slow);
    }
    if choice.index == 0 && rates > 1 {
        text += "; it is the lowest rate tried, lower ones may be better";
    }
    text
}

/// A number with three significant digits, as a reader would write it.
fn short(value: f64) -> String {
    let rounded: f64 = format!("{value:.2e}").parse().unwrap_or(value);
    if rounded == 0.0 || (1e-4..1e6).contains(&rounded.abs()) {
        rounded.to_string()
    } else {
        format!("{rounded:e}")
    }
}
