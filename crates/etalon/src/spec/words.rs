//! What the library says of a job, in the words of the spec that asked for it.

use crate::curvature::{ITERATIONS, SAMPLES};
use crate::jobs;
use crate::memory::{MemoryError, Relief};
use crate::search::{EtaStar, SearchError, Terms};
use crate::train::{PlanError, Task};
use crate::trainer::{Fault, TrainerError};
use crate::watch::{WatchError, wanted};

/// A plan that cannot be.
pub(crate) fn plan(error: &PlanError) -> String {
    match error {
        PlanError::NotInvariant(why) => format!(
            "schedule.conversion needs weights whose scale does not matter, and this network has none ({why}); put a \
             normalisation behind them, such as network.normalizer = \"batch\" with network.normalizer_epsilon = 0"
        ),
        PlanError::Uneven { name, factor } => format!(
            "schedule.conversion is for one rate of all scale-invariant segments, and {name} has the factor {factor} \
             (optimizer.factors, optimizer.input_factor); leave it at 1"
        ),
        PlanError::Batch { batch, samples } => format!(
            "train.batch is {batch}, and there are {samples} training samples; take at most that, or \"full\""
        ),
        PlanError::NoSharpness(kind) => format!(
            "the boundaries of early training are rates in units of 1 / sharpness, as gradient descent has them, and \
             optimizer.kind is \"{kind}\"; use \"sgd\", or `etalon find`"
        ),
        PlanError::Segment { name, known } => {
            format!("optimizer.factors names `{name}`; the network's segments are {known}")
        }
        other => other.to_string(),
    }
}

/// A search that cannot be.
pub(crate) fn search(error: &SearchError) -> String {
    match error {
        SearchError::Start { epochs, eta, seed, why } => format!(
            "search.after_epochs = {epochs}: training before the search, at optimizer.eta = {eta} with seed {seed}, came \
             to nothing ({why}); give a lower optimizer.eta"
        ),
        // The keys' own checks refuse every other setting first.
        other => other.to_string(),
    }
}

/// A trainer that cannot be searched on.
pub(crate) fn trainer(error: &TrainerError) -> String {
    let key = match error {
        TrainerError::NoSeed => "search.seeds = 1",
        TrainerError::NoSteps => "trainer.steps",
        TrainerError::NoStart { .. } => "trainer.start",
        TrainerError::Nothing => "trainer.goal.metric",
        TrainerError::Training { fault: Fault::Hung(_), .. } => "trainer.seconds",
        TrainerError::Search(error) => return search(error),
        TrainerError::Theory(_) => "boundaries.range",
        TrainerError::Training {
            eta,
            seed,
            fault: Fault::Log(WatchError::NoColumn { path, what, named, found }),
            ..
        } => {
            let key = match *what {
                "metric" => "trainer.goal.metric".to_string(),
                what => format!("trainer.columns = {{ {what} = \"NAME\" }}"),
            };
            return format!(
                "the log of the training at the rate {eta:?} with seed {seed}, {}, has no column {}: it has {found}; name one \
                 with {key}",
                path.display(),
                wanted(named, what)
            );
        }
        other => return other.to_string(),
    };
    format!("{error} ({key})")
}

/// A job that does not fit.
pub(crate) fn memory(error: &MemoryError) -> String {
    let advice = match error.what {
        jobs::SEARCH => "use fewer --threads, a smaller network, or fewer search.samples",
        jobs::MEASURING => "take fewer measure.samples or measure.iterations, or a smaller network",
        jobs::TRIAL => "take fewer measure.samples, a smaller batch or a smaller network",
        _ => error.advice,
    };
    let key = |relief: Relief| match relief.setting {
        SAMPLES if error.what == jobs::SEARCH => Relief { setting: "search.samples", ..relief },
        SAMPLES => Relief { setting: "measure.samples", ..relief },
        ITERATIONS => Relief { setting: "measure.iterations", ..relief },
        _ => relief,
    };
    MemoryError { advice, relief: error.relief.map(key), ..error.clone() }.to_string()
}

/// Why there is no median of eta*, where there is none.
pub(super) fn no_median(found: &EtaStar) -> Option<String> {
    found.why_no_median(&Terms { range: "search.range", factor: "search.factor" })
}

/// The warning that samples change from visit to visit, where there is one.
pub(super) fn varied<T>(warnings: &mut [String], task: &Task<T>, seed: u64) {
    let own = jobs::varied(task, ["augmentation", "patches"], seed);
    let keys = jobs::varied(task, ["data.augment", "data.patch"], seed);
    if let (Some(warning), Some(keys)) =
        (warnings.iter_mut().find(|warning| Some(&**warning) == own.as_ref()), keys)
    {
        *warning = keys;
    }
}
