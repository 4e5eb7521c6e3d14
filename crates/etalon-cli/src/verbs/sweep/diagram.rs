//! The phase diagrams of a sweep whose job is `boundaries`.

use crate::context::{Context, Failure};
use etalon::record::write_whole;
use etalon::sweep::{BoundariesRow, Diagram, Store, diagrams};
use etalon_report::figure::boundaries;
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
    let kept = |c: char| if c.is_alphanumeric() || c == '.' { c } else { '-' };
    let file: String = diagram.fixed.chars().map(kept).collect();
    let file = if file.is_empty() { "boundaries".into() } else { format!("boundaries-{file}") };
    let path = out.join("figures").join(file + ".svg");
    write_whole(&path.with_extension("csv"), diagram.table().to_csv().as_bytes())?;
    let figure = boundaries(diagram, "Early training: medians and ranges over seeds");
    match figure.and_then(|figure| figure.svg()) {
        Ok(svg) => write_whole(&path, svg.as_bytes())?,
        Err(reason) => context.progress.say("note", &format!("{}: {reason}", path.display())),
    }
    Ok(())
}
