//! Whether two classes can be separated.

use crate::args::Job;
use crate::context::{Context, Exit, Failure};
use etalon::models::{SeparabilityReport, separability};
use etalon::record::Record;
use etalon::units::significant;

/// Where the user gives no spec file: two classes with a gap.
const DEFAULTS: [&str; 3] = ["loss=logistic", "data.name=two-gaussians", "data.train=200"];

/// `etalon theory separable`. A bias is part of the predictor as `network.bias` says.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    job: Job,
}

impl Arguments {
    pub(crate) fn run(self, context: &Context) -> Result<Exit, Failure> {
        let spec = self.job.spec_with(&DEFAULTS, context.seed)?;
        let directory = context.run_directory(Some(&spec), &[spec.seed])?;
        let spinner = context.progress.spinner("looking for a separating direction");
        let (report, separation, parts) = separability(&spec)?;
        drop(spinner);
        let record = Record::from(report.clone());
        if let Some(directory) = directory {
            directory.write_record(&record)?;
            let direction = separation.direction.iter().flatten().map(|w| format!("{w:?}\n"));
            directory
                .write("direction.csv", ("w\n".to_string() + &direction.collect::<String>()).as_bytes())?;
            let rows = separation.combination.iter().map(|(sample, weight)| format!("{sample},{weight:?}\n"));
            let combination = "sample,weight\n".to_string() + &rows.collect::<String>();
            directory.write("combination.csv", combination.as_bytes())?;
            let rows = parts.inseparable.iter().map(|sample| format!("{sample}\n")).collect::<String>();
            directory.write("inseparable.csv", ("sample\n".to_string() + &rows).as_bytes())?;
        }
        context.output.show_record(&record, || text(&report))?;
        // An undecided question is a negative answer: the numbers do not suffice.
        Ok(if report.separable.is_some() { Exit::Done } else { Exit::Negative })
    }
}

fn text(report: &SeparabilityReport) -> String {
    let bias = if report.bias { "with" } else { "without" };
    let mut text =
        format!("{} samples, {} numbers of a direction, {bias} a bias\n", report.samples, report.dimension);
    let answer = match (report.separable, report.margin, &report.certificate) {
        (Some(true), Some(margin), _) => format!(
            "separable: the largest margin is {} (at most {} by the proof of the dual), on {} support vectors\n",
            significant(margin, 6),
            significant(report.bound, 6),
            report.support
        ),
        (_, _, Some(certificate)) => format!(
            "not separable: a convex combination of {} samples is zero (residual {})\n",
            certificate.samples,
            significant(certificate.residual, 3)
        ),
        _ => format!(
            "undecided: no margin above {} exists, and none above 0 was found\n",
            significant(report.bound, 3)
        ),
    };
    text.push_str(&answer);
    text.push_str(&format!(
        "separable part: {} samples; non-separable part: {} samples\n",
        report.parts.separable, report.parts.inseparable
    ));
    text
}
