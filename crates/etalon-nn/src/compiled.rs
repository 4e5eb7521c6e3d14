//! What this crate compiles for `f32` and `f64` itself, once.
//!
//! A generic function is compiled where its type becomes known: anew in every crate that calls it, with that crate's
//! settings. The loops of training take long to compile, and must be fast whatever the settings of the crate around them. So
//! what leads to them passes one of these doors, which are not generic.

use crate::executor::{Capacity, Executor, Op, Operands};
use crate::kernels::adamw::{AdamWUpdate, adamw};
use crate::kernels::elementwise::{sgd, sgd_momentum};
use crate::kernels::{combination, reduction};
use crate::layers::{Activate, Conv2d, Dense, Layer, Normalization, Pool2d, Shortcut};
use crate::parameters::Layout;
use crate::{Cpu, Loss, Network};

/// Makes the trait and implements it for both types.
macro_rules! doors {
    ($(fn $name:ident($($argument:ident: $type:ty),*) $(-> $result:ty)? = $body:expr;)*) => {
        /// The engine's doors, see the module. Sealed: their arguments can be made in this crate alone.
        pub trait Compiled: Sized + 'static {
            $(#[doc(hidden)] fn $name($($argument: $type),*) $(-> $result)?;)*
        }
        doors!(f32 $(fn $name($($argument: $type),*) $(-> $result)? = $body;)*);
        doors!(f64 $(fn $name($($argument: $type),*) $(-> $result)? = $body;)*);
    };
    ($number:ident $(fn $name:ident($($argument:ident: $type:ty),*) $(-> $result:ty)? = $body:expr;)*) => {
        impl Compiled for $number {
            $(
                // Inlined into another crate it would have what lies behind compiled there.
                #[inline(never)]
                fn $name($($argument: $type),*) $(-> $result)? {
                    $body($($argument),*)
                }
            )*
        }
    };
}

doors! {
    fn new_executor(network: &Network<Self>, rows: usize, capacity: Capacity, parallel: bool) -> Executor<Self>
        = Executor::with_tapes;
    fn run_apart(
        executor: &mut Executor<Self>, operands: &Operands<Self>, fill: &[Op], program: &[Op], out: &mut [Self]
    ) = Executor::run_apart;
    fn run_together(executor: &mut Executor<Self>, operands: &Operands<Self>, op: Op, out: &mut [Self])
        = Executor::run_together;
    fn add_up_lanes(executor: &mut Executor<Self>, network: &Network<Self>, rows: usize) = Executor::add_up_lanes;

    fn dense(layer: Dense) -> Box<dyn Layer<Self>> = Box::new;
    fn convolution(layer: Conv2d) -> Box<dyn Layer<Self>> = Box::new;
    fn pooling(layer: Pool2d) -> Box<dyn Layer<Self>> = Box::new;
    fn shortcut(layer: Shortcut) -> Box<dyn Layer<Self>> = Box::new;
    fn activation(layer: Activate) -> Box<dyn Layer<Self>> = Box::new;
    fn normalization(layer: Normalization) -> Box<dyn Layer<Self>> = Box::new;

    fn initialise(layout: &Layout, seed: u64) -> Vec<Self> = Layout::draw;
    fn loss(loss: Loss, width: usize, outputs: &[Self], targets: &[Self]) -> f64 = Loss::sum;

    fn sgd(cpu: Cpu, eta: Self, decay: Self, gradient: &[Self], w: &mut [Self]) = sgd;
    fn sgd_momentum(
        cpu: Cpu, rule: (Self, Self, Self, bool), gradient: &[Self], velocity: &mut [Self], w: &mut [Self]
    ) = sgd_momentum;
    fn adamw(
        cpu: Cpu, update: &AdamWUpdate<Self>, gradient: &[Self], mean: &mut [Self], square: &mut [Self],
        w: &mut [Self]
    ) = adamw;

    fn add_combination(cpu: Cpu, vectors: (&[&Vec<Self>], usize), factors: (&[f64], f64), w: &mut [Self])
        = combination::add;
    fn dot(cpu: Cpu, x: &[Self], y: &[Self]) -> f64 = reduction::sum_of_products;
    fn all_finite(cpu: Cpu, x: &[Self]) -> bool = reduction::all_finite;
}
