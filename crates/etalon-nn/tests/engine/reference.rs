//! Values that JAX computed in f64 by dense automatic differentiation, and the comparison with ours.

use etalon_nn::{Batch, Cpu, Linearization, Loss, Network, Workspace};
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// A point, data and directions at it, and what a network must give there.
#[derive(Deserialize)]
pub(crate) struct Values {
    loss: String,
    pub params: Vec<f64>,
    pub inputs: Vec<f64>,
    targets: Vec<f64>,
    v: Vec<f64>,
    u: Vec<f64>,
    outputs: Vec<f64>,
    loss_value: f64,
    gradient: Vec<f64>,
    jvp: Vec<f64>,
    vjp: Vec<f64>,
    hvp: Vec<f64>,
    gauss_newton: Vec<f64>,
}

/// The cases of a file.
pub(crate) fn cases<C: DeserializeOwned>(file: &str) -> Vec<C> {
    #[derive(Deserialize)]
    struct File<C> {
        cases: Vec<C>,
    }
    let path = format!("{}/../../oracles/values/{file}", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(path).expect("the reference values are part of the repository");
    let file: File<C> =
        serde_json::from_str(&text).expect("the reference values have the form that this test reads");
    file.cases
}

/// The one of that name.
pub(crate) fn named<T: Copy>(name: &str, all: &[T], name_of: impl Fn(T) -> &'static str) -> T {
    *all.iter().find(|&&one| name_of(one) == name).unwrap_or_else(|| panic!("unknown name {name}"))
}

/// The largest difference in units of the largest reference value.
pub(crate) fn difference(ours: &[f64], reference: &[f64]) -> f64 {
    assert_eq!(ours.len(), reference.len());
    let scale = reference.iter().fold(f64::MIN_POSITIVE, |most, x| most.max(x.abs()));
    ours.iter().zip(reference).map(|(a, b)| (a - b).abs() / scale).fold(0.0, f64::max)
}

impl Values {
    /// The loss.
    pub(crate) fn loss(&self) -> Loss {
        named(&self.loss, &Loss::ALL, Loss::name)
    }

    /// The data.
    pub(crate) fn batch(&self) -> Batch<'_, f64> {
        Batch { inputs: &self.inputs, targets: &self.targets }
    }

    /// The network at the point.
    pub(crate) fn linearize<'a>(&'a self, network: &'a Network<f64>) -> Linearization<'a, f64> {
        assert_eq!(network.parameters(), self.params.len());
        Linearization::new(network, &self.params, self.batch(), self.loss(), false)
    }

    /// Compares every derivative of the network on every kernel path; the largest difference found.
    pub(crate) fn check(&self, name: &str, network: impl Fn() -> Network<f64>) -> f64 {
        let mut worst = 0.0f64;
        for cpu in Cpu::available() {
            let network = network().on(*cpu);
            let mut at = self.linearize(&network);
            let mut check = |what: &str, reference: &[f64], fill: &mut dyn FnMut(&mut [f64])| {
                let mut ours = vec![f64::NAN; reference.len()];
                fill(&mut ours);
                let error = difference(&ours, reference);
                assert!(error < 1e-10, "{name} on {}: {what} differs by {error:e}", cpu.name());
                worst = worst.max(error);
            };
            check("outputs", &self.outputs, &mut |out| at.outputs(out));
            check("loss", &[self.loss_value], &mut |out| out[0] = at.value());
            check("gradient", &self.gradient, &mut |out| at.gradient(out));
            check("jvp", &self.jvp, &mut |out| at.jvp(&self.v, out));
            check("vjp", &self.vjp, &mut |out| at.vjp(&self.u, out));
            check("hvp", &self.hvp, &mut |out| at.hvp(&self.v, out));
            check("gauss_newton", &self.gauss_newton, &mut |out| at.gauss_newton(&self.v, out));
            // After the others, whose sums must not have changed what the point holds.
            check("hvp again", &self.hvp, &mut |out| at.hvp(&self.v, out));
            let mut workspace = Workspace::new(&network, self.inputs.len() / network.input_len(), false);
            let value = network.gradient(&self.params, self.batch(), self.loss(), &mut workspace);
            check("workspace loss", &[self.loss_value], &mut |out| out[0] = value);
            check("workspace gradient", &self.gradient, &mut |out| out.copy_from_slice(workspace.gradient()));
        }
        worst
    }
}
