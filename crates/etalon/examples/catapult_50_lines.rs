//! The catapult in fifty lines: below 2/lambda0 training is lazy, above it the loss shoots up, curvature falls and
//! training settles in a flatter minimum, above a maximum it diverges (2003.02218).
//!
//! `cargo run --release -p etalon --example catapult_50_lines`

use etalon::phase::observe;
use etalon::spec::Spec;
use etalon::train::Trial;
use etalon::units::significant;

const SPEC: &str = r#"
loss = "mse"
[data]
name = "fashion-mini"
classes = [0, 1]           # T-shirts and trousers, with targets -1 and +1
train = 200
test = 50
[network]
depth = 1
width = 512
parametrization = "ntk"
bias = false
[train]
batch = "full"
steps = 100
[measure]
samples = 200
"#;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let spec = Spec::parse(SPEC)?;
    let task = spec.task::<f32>()?;
    let plan = spec.plan(&task)?;
    let instrument = spec.instrument(&task, true)?;
    let lambda0 = instrument.at(&task.network.layout().initialise(spec.seed)).ntk()?.largest[0].value;
    println!("lambda0 = {}; rates are c / lambda0", significant(lambda0, 4));
    for c in [0.5, 1.0, 1.8, 2.2, 3.0, 3.5, 6.0] {
        let trial = Trial::new(&task, &plan, c / lambda0, spec.seed, true)?;
        let observed = observe(trial, &instrument, 0, &mut |_, _| {});
        println!("c = {c}: {}, {}", observed.verdict.phase, observed.verdict.why);
    }
    Ok(())
}
