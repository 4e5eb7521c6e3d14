//! Two patterns in one sample.

use crate::context::{Context, Exit, Failure};
use crate::output::table;
use etalon::memory;
use etalon::models::pq::{Algorithm, Distribution, Moment, Neurons, Patterns, PqRun, PqSetting, pq_runs};
use etalon::record::write_whole;
use etalon::units::significant;
use std::path::PathBuf;

/// `etalon theory pq`.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// How to train, separated by commas
    #[arg(long, value_name = "LIST", value_delimiter = ',', default_value = "large-small,small")]
    algorithms: Vec<Training>,
    /// How many seeds: --seed and those after it
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    seeds: u64,
    /// The large rate
    #[arg(long, value_name = "X", default_value_t = 15.0)]
    large: f64,
    /// The small rate
    #[arg(long, value_name = "X", default_value_t = 0.1)]
    small: f64,
    /// Deviation of the noise before activations, of small-noise
    #[arg(long, value_name = "X", default_value_t = 30.0)]
    noise: f64,
    /// Add noise to the gradient that keeps the noise in the weights at its initial variance, as the paper does
    #[arg(long)]
    inject: bool,
    /// Loss on training samples with P alone that ends the phase at the large rate, or with noise
    #[arg(long, value_name = "LOSS", default_value_t = 0.3)]
    anneal_below: f64,
    /// Training loss that ends training
    #[arg(long, value_name = "LOSS", default_value_t = 0.03)]
    end_below: f64,
    /// Most steps at the large rate
    #[arg(long, value_name = "N", default_value_t = 600)]
    large_steps: u64,
    /// Most steps at the small rate alone, or with noise
    #[arg(long, value_name = "N", default_value_t = 45_000)]
    small_steps: u64,
    /// Most steps after the large rate, or after the noise
    #[arg(long, value_name = "N", default_value_t = 20_000)]
    last_steps: u64,
    /// Samples a step
    #[arg(long, value_name = "N", default_value_t = 64)]
    batch: usize,
    /// Weight decay
    #[arg(long, value_name = "X", default_value_t = 1e-5)]
    weight_decay: f64,
    /// Numbers of either half of a sample
    #[arg(long, value_name = "N", default_value_t = 500)]
    dimension: usize,
    /// Training samples
    #[arg(long, value_name = "N", default_value_t = 5000)]
    train: usize,
    /// Test samples of each kind
    #[arg(long, value_name = "N", default_value_t = 5000)]
    test: usize,
    /// Share of training samples with P alone
    #[arg(long, value_name = "SHARE", default_value_t = 0.02)]
    p_only: f64,
    /// Share of training samples with Q alone
    #[arg(long, value_name = "SHARE", default_value_t = 0.2)]
    q_only: f64,
    /// Half the gap of P, in units of 1 / sqrt(dimension)
    #[arg(long, value_name = "X", default_value_t = 0.5)]
    gap: f64,
    /// Length of z, the centre of Q's clusters
    #[arg(long, value_name = "X", default_value_t = 10.0)]
    norm: f64,
    /// Distance between Q's clusters, in units of the length of z
    #[arg(long, value_name = "X", default_value_t = 0.2)]
    separation: f64,
    /// Least |a| of x2 = a z; the most is 1
    #[arg(long, value_name = "X", default_value_t = 0.8)]
    least: f64,
    /// Only positive a, as in the paper
    #[arg(long)]
    one_sided: bool,
    /// Neurons that see P
    #[arg(long, value_name = "N", default_value_t = 40)]
    u: usize,
    /// Neurons that see Q
    #[arg(long, value_name = "N", default_value_t = 600)]
    v: usize,
    /// Deviation of the weights at the start
    #[arg(long, value_name = "X", default_value_t = 0.3)]
    deviation: f64,
    /// Write learning curves, the test errors by kind, to this CSV file
    #[arg(long, value_name = "FILE.csv", value_hint = clap::ValueHint::FilePath)]
    trajectory: Option<PathBuf>,
    /// Steps between two points of --trajectory
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..))]
    every: u64,
}

/// How to train.
#[derive(Clone, Copy, PartialEq, clap::ValueEnum)]
enum Training {
    /// The large rate until P is fitted, then the small one
    LargeSmall,
    /// The small rate throughout
    Small,
    /// The small rate, with noise before activations until P is fitted
    SmallNoise,
}

impl Arguments {
    pub(crate) fn run(self, context: &Context) -> Result<Exit, Failure> {
        let (setting, first) = (self.setting(), context.seed.unwrap_or(0));
        let algorithms: Vec<Algorithm> = self.algorithms.iter().map(|&training| training.into()).collect();
        let seeds: Vec<u64> = (first..).take(self.seeds as usize).collect();
        setting.checked()?;
        // Two of three kinds of samples have a first half, in the training set and the test set.
        let Distribution { dimension, train, test, .. } = setting.distribution;
        let runs = (algorithms.len() * seeds.len()).min(rayon::current_num_threads());
        let numbers = (train + 2 * test).saturating_mul(dimension).saturating_mul(runs);
        memory::check("the samples", 8 * numbers as u64, "take fewer --train, --test or --dimension")?;
        let directory = context.run_directory(None, &seeds)?;
        let trainings = algorithms.len() * seeds.len();
        let spinner = context.progress.spinner(format!("{trainings} trainings on two patterns"));
        let every = if self.trajectory.is_some() { self.every } else { 0 };
        let runs = pq_runs(&setting, &algorithms, &seeds, every)?;
        drop(spinner);
        if let Some(path) = &self.trajectory {
            write_whole(path, curves(&runs).as_bytes())?;
        }
        let patterns = Patterns { setting, runs };
        context.leave(directory, &patterns, |patterns| text(&patterns.runs))?;
        let runs = &patterns.runs;
        let missed = runs.iter().filter(|run| !(run.boundary.reached && run.end.reached)).count();
        if missed > 0 {
            let text = format!(
                "{missed} of {} runs spent the most steps of a phase before its loss was reached; what they tell is what \
                 they had there",
                runs.len()
            );
            context.progress.say("note", &text);
        }
        Ok(Exit::Done)
    }

    fn setting(&self) -> PqSetting {
        let Arguments {
            dimension, train, test, p_only, q_only, gap, norm, separation, least, one_sided, ..
        } = *self;
        PqSetting {
            distribution: Distribution {
                dimension,
                train,
                test,
                p_only,
                q_only,
                gap,
                norm,
                separation,
                least,
                one_sided,
            },
            neurons: Neurons { u: self.u, v: self.v, deviation: self.deviation },
            batch: self.batch,
            weight_decay: self.weight_decay,
            inject: self.inject,
            large: self.large,
            small: self.small,
            noise: self.noise,
            anneal_below: self.anneal_below,
            end_below: self.end_below,
            large_steps: self.large_steps,
            small_steps: self.small_steps,
            last_steps: self.last_steps,
            ..PqSetting::default()
        }
    }
}

impl From<Training> for Algorithm {
    fn from(training: Training) -> Self {
        match training {
            Training::LargeSmall => Algorithm::LargeSmall,
            Training::Small => Algorithm::Small,
            Training::SmallNoise => Algorithm::SmallNoise,
        }
    }
}

fn name(algorithm: Algorithm) -> &'static str {
    match algorithm {
        Algorithm::LargeSmall => "large, then small",
        Algorithm::Small => "small",
        Algorithm::SmallNoise => "small, first with noise",
    }
}

fn curves(runs: &[PqRun]) -> String {
    let mut csv = "algorithm,seed,step,eta,test_error_p,test_error_q,test_error_both\n".to_string();
    for PqRun { algorithm, seed, curve, .. } in runs {
        for point in curve {
            let [p, q, both] = point.test_errors;
            csv += &format!(
                "\"{}\",{seed},{},{:?},{p:?},{q:?},{both:?}\n",
                name(*algorithm),
                point.step,
                point.eta
            );
        }
    }
    csv
}

fn text(runs: &[PqRun]) -> String {
    let error = |error: f64| format!("{error:.3}");
    let row = |run: &PqRun, when: &str, moment: &Moment| {
        let ([train_p, train_q, train_both], [test_p, test_q, test_both]) =
            (moment.train_errors.map(error), moment.test_errors.map(error));
        [
            name(run.algorithm).to_string(),
            run.seed.to_string(),
            when.to_string(),
            moment.step.to_string(),
            significant(moment.train_loss, 3),
            train_p,
            train_q,
            train_both,
            test_p,
            test_q,
            test_both,
            format!("{:.4}", moment.test_error),
        ]
    };
    let rows = runs.iter().flat_map(|run| {
        let when = match run.algorithm {
            Algorithm::LargeSmall => "anneal",
            Algorithm::Small => "Q fitted",
            Algorithm::SmallNoise => "noise ends",
        };
        [row(run, when, &run.boundary), row(run, "end", &run.end)]
    });
    let headings: [&str; 12] = [
        "training",
        "seed",
        "at",
        "step",
        "train loss",
        "train P",
        "train Q",
        "train both",
        "test P",
        "test Q",
        "test both",
        "test all",
    ];
    format!("errors on samples with P alone, Q alone and both, and on all\n\n{}", table(headings, rows))
}
