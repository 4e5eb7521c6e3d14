//! The phase diagrams of a sweep whose job is `boundaries`.

use crate::context::{Context, Failure};
use etalon::figure::{Band, BandPicture, Curve};
use etalon::record::write_whole;
use etalon::sweep::{BOUNDARIES, BoundariesRow, Diagram, Place, Store, diagrams};
use std::path::Path;

/// Draws all of them into `figures`.
pub(super) fn draw(context: &Context, store: &Store) -> Result<(), Failure> {
    match diagrams(&store.rows::<BoundariesRow>()?) {
        Ok(diagrams) => diagrams.iter().try_for_each(|diagram| picture(diagram, context, store.root())),
        Err(reason) => {
            context.progress.say("note", &format!("no phase diagram: {reason}"));
            Ok(())
        }
    }
}

/// Writes a phase diagram and its numbers.
fn picture(diagram: &Diagram, context: &Context, out: &Path) -> Result<(), Failure> {
    let Diagram { fixed, size, places } = diagram;
    let meaning = ["the loss rises", "sharpness rises", "training diverges"];
    let curve = |(boundary, meaning): (&str, &str)| {
        let places = places.iter().filter(|place| place.boundary == boundary);
        let band = |place: &Place| {
            let [low, median, high] = place.band()?;
            Some(Band { size: place.size, low, median, high })
        };
        Curve { name: format!("{boundary}: {meaning}"), bands: places.filter_map(band).collect() }
    };
    let curves: Vec<Curve> = BOUNDARIES.into_iter().zip(meaning).map(curve).collect();
    let file: String = fixed.chars().map(|c| if c.is_alphanumeric() || c == '.' { c } else { '-' }).collect();
    let file = if file.is_empty() { "boundaries".into() } else { format!("boundaries-{file}") };
    let of = if fixed.is_empty() { String::new() } else { format!(", {fixed}") };
    let title = format!("Early training: medians and ranges over seeds{of}");
    let path = out.join("figures").join(file + ".svg");
    write_whole(&path.with_extension("csv"), diagram.table().to_csv().as_bytes())?;
    let right = "c_h = learning rate × sharpness at the start";
    match (BandPicture { title, right, up: size, curves: &curves }).figure().and_then(|figure| figure.svg()) {
        Ok(svg) => write_whole(&path, svg.as_bytes())?,
        Err(reason) => context.progress.say("note", &format!("{}: {reason}", path.display())),
    }
    Ok(())
}
