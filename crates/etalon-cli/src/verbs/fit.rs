//! `etalon fit`: power laws over the summary of a sweep.

use crate::context::{Context, Exit, Failure};
use crate::output::table;
use crate::picture::{Picture, StyleArguments};
use etalon::fit::{Fitted, Mark, Options, PowerLaw, Regression, power_law};
use etalon::sweep::{Constraint, Selection, Store, Table, points};
use etalon::units::significant;
use etalon_report::figure::{fitted, marks};
use std::path::PathBuf;

/// Most exclusions that the text lists; JSON has all.
const LISTED: usize = 10;

/// Fit a column of a sweep's summary as a power of others: one exponent for their product, and one for each
///
/// Rows that differ in their seed alone are one point, their median. Least squares on logarithms; with two sizes or
/// more the joint law has one exponent for their product.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The folder of a sweep
    #[arg(value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    folder: PathBuf,

    /// The column to explain
    #[arg(long, value_name = "COLUMN", default_value = "eta_star")]
    y: String,

    /// The columns that explain it, separated by commas
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',', required = true)]
    x: Vec<String>,

    /// Use only rows that meet this, such as "network.width >= 16 * network.depth"; may be given again. A figure shows
    /// those that do not as rings, unless it is one with ==
    #[arg(long, value_name = "COMPARISON")]
    only: Vec<String>,

    /// The level of the confidence intervals
    #[arg(long, value_name = "P", default_value_t = 0.95)]
    level: f64,

    /// Draw the points and the law, as SVG, PNG or PDF, and write the points as CSV beside it
    #[arg(long, value_name = "FILE.svg|.png|.pdf", value_hint = clap::ValueHint::FilePath)]
    figure: Option<Picture>,

    #[command(flatten)]
    style: StyleArguments,

    /// Fit the joint law by Theil-Sen too, which a minority of outliers cannot move
    #[arg(long)]
    robust: bool,
}

impl Arguments {
    pub(crate) fn run(self, context: &Context) -> Result<Exit, Failure> {
        let summary = Store::read_only(&self.folder)?.summary()?;
        let only = self.only.iter().map(|text| Constraint::parse(text)).collect::<Result<Vec<_>, _>>();
        let only = only.map_err(|error| format!("--only: {error}"))?;
        let selection = Selection { y: self.y, x: self.x, only };
        if let Some(file) = &self.figure {
            file.check()?;
        }
        let measured = points(&summary, &selection)?;
        let options = Options { level: self.level, robust: self.robust };
        let excluded = measured.excluded.clone();
        let law = power_law(&selection.y, &selection.x, &measured.points, excluded, &options)?;
        let marks = marks(&measured);
        if let Some(file) = &self.figure {
            file.write(&fitted(&law, &marks)?, &self.style, &marks_table(&law, &marks).to_csv())?;
        }
        let directory = context.run_directory(None, &[])?;
        context.leave(directory, &Fitted { law, marks }, |fitted| text(&fitted.law))?;
        Ok(Exit::Done)
    }
}

fn marks_table(law: &PowerLaw, marks: &[Mark]) -> Table {
    let columns = ["group", &law.x.join(" * "), &law.y, "least", "most", "fitted"].map(Into::into).into();
    let number = |value: f64| if value.is_finite() { value.to_string() } else { String::new() };
    let row = |mark: &Mark| {
        let Mark { group, x, y, spread: [least, most], used } = mark;
        let numbers = [x, y, least, most].map(|&value| number(value));
        [group.clone()].into_iter().chain(numbers).chain([used.to_string()]).collect()
    };
    Table { columns, rows: marks.iter().map(row).collect() }
}

fn text(law: &PowerLaw) -> String {
    let PowerLaw { y, points, sizes, joint, free, no_free, robust, excluded, level, .. } = law;
    let number = |value: f64| significant(value, 4);
    let mut rows = rows("joint", joint);
    rows.extend(free.iter().flat_map(|free| self::rows("free", free)));
    if let Some(robust) = robust {
        let interval = format!("{} to {}", number(robust.low), number(robust.high));
        rows.push([
            robust.method.clone(),
            law.x.join(" * "),
            number(robust.exponent),
            "-".into(),
            interval,
            "-".into(),
        ]);
    }
    let percent = significant(100.0 * level, 3);
    let interval = format!("{percent} % interval");
    let mut text = format!("{y} as a power, from {points} points at {sizes} sizes\n\n");
    text += &table(["law", "of", "exponent", "standard error", &interval, "R^2"], rows);
    text += &format!(
        "\njoint: {y} = {} ({})^{}\n",
        number(joint.intercept.value.exp()),
        law.x.join(" * "),
        number(joint.exponents[0].value)
    );
    if let (Some(reason), true) = (no_free, law.x.len() > 1) {
        text += &format!("no free exponents: {reason}\n");
    }
    for excluded in excluded.iter().take(LISTED) {
        text += &format!("left out: {}: {}\n", excluded.label, excluded.reason);
    }
    if excluded.len() > LISTED {
        text += &format!("and {} more left out; --json lists all\n", excluded.len() - LISTED);
    }
    text
}

fn rows(law: &str, regression: &Regression) -> Vec<[String; 6]> {
    let number = |value: f64| significant(value, 4);
    let r_squared = regression.r_squared.map_or("-".into(), number);
    let row = |exponent: &etalon::fit::Coefficient| {
        let interval = format!("{} to {}", number(exponent.low), number(exponent.high));
        let error = significant(exponent.standard_error, 2);
        [law.into(), exponent.name.clone(), number(exponent.value), error, interval, r_squared.clone()]
    };
    regression.exponents.iter().map(row).collect()
}
