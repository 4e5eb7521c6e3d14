//! Randomness that depends on a seed and a purpose, and on nothing else: not on the order of calls, not on
//! the number of threads.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

/// What random numbers are drawn for. Each purpose has a stream of its own, so that drawing more for one
/// never shifts another. The numbers are part of every result's name: never reuse or renumber one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Initial parameters.
    Parameters = 1,
    /// The order in which samples are visited.
    BatchOrder = 2,
    /// Procedural data sets.
    Data = 3,
    /// Starting vectors of iterations such as Lanczos.
    Direction = 4,
    /// Random changes to training images.
    Augmentation = 5,
    /// Patterns on images, and who has one.
    Patch = 6,
    /// What a pattern is like at a visit of training.
    PatchVisit = 7,
    /// Noise before activations.
    Noise = 8,
    /// Which held-out samples test.
    Split = 9,
}

/// The generator for one purpose (and, within it, one index: an epoch, a split, a vector).
pub fn stream(seed: u64, purpose: Purpose, index: u64) -> ChaCha8Rng {
    // The key is (seed, index), the ChaCha stream is the purpose: no two of the three share numbers.
    let mut key = [0u8; 32];
    key[..8].copy_from_slice(&seed.to_le_bytes());
    key[8..16].copy_from_slice(&index.to_le_bytes());
    let mut generator = ChaCha8Rng::from_seed(key);
    generator.set_stream(purpose as u64);
    generator
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::rand_core::Rng;

    #[test]
    fn streams_differ_by_seed_purpose_and_index_and_repeat() {
        let first = |seed, purpose, index| stream(seed, purpose, index).next_u64();
        let base = first(0, Purpose::Parameters, 0);
        assert_eq!(base, first(0, Purpose::Parameters, 0));
        assert_ne!(base, first(1, Purpose::Parameters, 0));
        assert_ne!(base, first(0, Purpose::BatchOrder, 0));
        assert_ne!(base, first(0, Purpose::Parameters, 1));
    }
}
