//! Logs of training, whatever wrote them.

use super::content::{Content, Numbers, count, shown};
use super::curves::POINTS;
use crate::figure::{Axis, Colour, Figure, Panel, Place, Reference, Series, Stroke, thin};
use etalon::watch::{Point, Watched, WatchedLog};
use std::collections::BTreeMap;

/// Logs that a figure shows at most: more would have each other's colours.
const SHOWN: usize = 7;

/// What logs say.
pub(super) fn content(watched: &Watched) -> Content {
    let logs = &watched.logs;
    let mut content = Content { trials: Some(logs.len()), ..Content::default() };
    if let [log] = logs.as_slice() {
        let found = &log.finding;
        content.kind = "A training log".into();
        content.answer = format!("{} – {}", found.state, short(&log.name));
        content.interval = found.why.clone();
        content.fact("what to do", found.advice.clone());
    } else {
        let mut states: BTreeMap<String, usize> = BTreeMap::new();
        logs.iter().for_each(|log| *states.entry(log.finding.state.to_string()).or_default() += 1);
        let states: Vec<String> = states.iter().map(|(state, number)| format!("{number} {state}")).collect();
        content.kind = "Training logs".into();
        content.answer = format!("{}: {}", count(logs.len(), "log"), states.join(", "));
    }
    if logs.iter().all(|log| log.points.iter().all(|point| point.curvature.is_none())) {
        content.doubts.push("No curvature was logged, so the state rests on the loss alone.".into());
    }
    content.figures.push(curves(logs.iter().take(SHOWN), watched.limit));
    content.tables.push(findings(logs));
    if logs.len() > SHOWN {
        content.notes.push(format!("The figure shows the first {SHOWN} of {} logs.", logs.len()));
    }
    if logs.iter().any(|log| (log.points.len() as u64) < log.finding.rows) {
        content.notes.push(
            "Curves of long logs show their ends, and of every stretch the lowest and the highest loss, so that no peak is lost."
                .into(),
        );
    }
    content
}

/// The last part of a path, with the run behind it.
fn short(name: &str) -> &str {
    name.trim_end_matches('/').rsplit('/').next().unwrap_or(name)
}

/// Losses one over the other, with the curvature and the rate where a log has them.
fn curves<'a>(logs: impl Iterator<Item = &'a WatchedLog> + Clone, limit: Option<f64>) -> Figure {
    let names: Vec<&str> = logs.clone().map(|log| short(&log.name)).collect();
    let is_alone = names.len() == 1;
    let is_told = |name: &str| names.iter().filter(|other| **other == name).count() == 1;
    let all = |what: &str, own: usize, of: fn(&Point) -> Option<f64>| -> Vec<Series> {
        let series = |(index, log): (usize, &WatchedLog)| {
            let name = if is_told(names[index]) { names[index] } else { &log.name };
            let name = if is_alone { what } else { name };
            let points = log.points.iter().filter_map(|point| Some((point.step as f64, of(point)?)));
            let series =
                Series::plain(name, Colour::of(if is_alone { own } else { index }), Stroke::Line, points);
            Series { points: thin(&series.points, POINTS), ..series }
        };
        logs.clone().enumerate().map(series).filter(|series| !series.points.is_empty()).collect()
    };
    let mut panels =
        vec![Panel { series: all("loss", 0, |point| Some(point.loss)), ..Panel::new(Axis::log("loss")) }];
    let curvature = all("curvature", 1, |point| point.curvature);
    if !curvature.is_empty() {
        let mut panel = Panel { series: curvature, weight: 0.8, ..Panel::new(Axis::log("curvature λ")) };
        // Where there are more logs, each has its own.
        if let (true, Some(limit), Some(log)) = (is_alone, limit, logs.clone().next()) {
            let points = log.points.iter().filter_map(|point| Some((point.step as f64, limit / point.rate?)));
            let place = Place::Through(points.collect());
            panel.lines.push(Reference { name: "limit of stability".into(), place, dashed: true });
        }
        panels.push(panel);
    }
    let rates = all("learning rate", 2, |point| point.rate);
    if !rates.is_empty() {
        panels.push(Panel { series: rates, weight: 0.5, ..Panel::new(Axis::log("learning rate η")) });
    }
    Figure {
        name: "logs".into(),
        title: if is_alone { "The log" } else { "The logs" }.into(),
        note: "A rise of the loss that comes back is a catapult; one to far above the start that stays there is divergence.".into(),
        x: Axis::steps(),
        panels,
        details: None,
    }
}

/// What each shows, and by what.
fn findings(logs: &[WatchedLog]) -> Numbers {
    let columns =
        ["log", "state", "rows", "first loss", "last loss", "peak / first", "last η", "of the limit", "why"];
    let mut table = Numbers::new("What each log shows", columns);
    for WatchedLog { name, finding, .. } in logs {
        table.row([
            name.clone(),
            finding.state.to_string(),
            finding.rows.to_string(),
            shown(finding.first_loss, 4),
            shown(finding.loss, 4),
            shown(finding.peak, 4),
            shown(finding.rate, 4),
            shown(finding.over_limit, 3),
            finding.why.clone(),
        ]);
    }
    table
}
