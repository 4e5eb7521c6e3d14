//! `[data]`.

use super::{Encoding, SpecError};
use crate::data::{DataError, Fill, ImageLayout, Normalization, Options, PatchRule, Source};
use crate::units::significant;

/// `[data]`.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "each key is documented in `KEYS`")]
pub struct DataSpec {
    pub name: String,
    /// Filled in for data that is read from files of the user's.
    pub sha256: String,
    /// Without one, the axes are recognised.
    pub layout: Option<ImageLayout>,
    /// Empty: recognised.
    pub label: String,
    /// 0 takes all.
    pub train: usize,
    /// 0 takes all.
    pub test: usize,
    pub normalize: Normalization,
    pub shrink: usize,
    pub classes: Vec<u64>,
    pub encoding: Encoding,
    /// These four belong to procedural sets; without one, the set's own default holds.
    pub dimension: Option<usize>,
    pub margin: Option<f64>,
    pub noise: Option<f64>,
    pub positive: Option<f64>,
    pub seed: u64,
    pub augment: AugmentSpec,
    pub patch: PatchSpec,
}

/// `[data.augment]`.
#[derive(Clone, Copy, Debug, PartialEq)]
#[expect(missing_docs, reason = "each key is documented in `KEYS`")]
pub struct AugmentSpec {
    pub flip: bool,
    pub crop: usize,
    pub fill: Fill,
}

/// `[data.patch]`.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "each key is documented in `KEYS`")]
pub struct PatchSpec {
    /// 0: no patch.
    pub size: usize,
    /// Row and column, or nothing for the centre.
    pub place: Vec<u64>,
    pub scale: f64,
    pub offset: f64,
    pub spread: f64,
    /// Clean, image and patch, patch only.
    pub shares: Vec<f64>,
    pub seed: u64,
}

impl Default for DataSpec {
    fn default() -> Self {
        DataSpec {
            name: "fashion-mini".into(),
            sha256: String::new(),
            layout: None,
            label: String::new(),
            train: 2000,
            test: 500,
            normalize: Normalization::Pixel,
            shrink: 1,
            classes: Vec::new(),
            encoding: Encoding::Auto,
            dimension: None,
            margin: None,
            noise: None,
            positive: None,
            seed: 0,
            augment: AugmentSpec { flip: false, crop: 0, fill: Fill::Zero },
            patch: PatchSpec {
                size: 0,
                place: Vec::new(),
                scale: 1.25,
                offset: 0.1,
                spread: 1.75,
                shares: vec![0.2, 0.64, 0.16],
                seed: 0,
            },
        }
    }
}

impl PatchSpec {
    /// Whether there is a patch, and of which kind.
    pub fn rule(&self) -> Option<PatchRule> {
        let &[clean, _, only] = self.shares.as_slice() else { return None };
        let place = <[u64; 2]>::try_from(self.place.as_slice()).ok();
        (self.size > 0).then_some(PatchRule {
            size: self.size,
            place,
            scale: self.scale,
            offset: self.offset,
            spread: self.spread,
            clean,
            only,
            seed: self.seed,
        })
    }

    pub(super) fn check_place(&self) -> Result<(), String> {
        match self.place.len() {
            0 | 2 => Ok(()),
            _ => Err("must be [row, column] of the patch's first pixel, or [] for the centre".into()),
        }
    }

    pub(super) fn check_shares(&self) -> Result<(), String> {
        let [_, _, _] = self.shares[..] else {
            return Err("must be three numbers: clean, image and patch, patch only".into());
        };
        if let Some(share) = self.shares.iter().find(|share| !(0.0..=1.0).contains(*share)) {
            return Err(format!("has {share}; a share lies between 0 and 1"));
        }
        let sum: f64 = self.shares.iter().sum();
        if (sum - 1.0).abs() > 1e-9 {
            return Err(format!("add up to {}; they must add up to 1", significant(sum, 6)));
        }
        Ok(())
    }
}

impl DataSpec {
    /// Fixes what is in the files, so that a trial's name stands for it. Where there are none, loading will tell.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub(super) fn resolve(&mut self) -> Result<(), SpecError> {
        if self.sha256.is_empty()
            && let Ok(source) = Source::named(&self.name)
        {
            let fault = |error: DataError| SpecError::plain(format!("`data.name`: {error}"), "");
            self.sha256 = source.digest().map_err(fault)?.unwrap_or_default();
        }
        Ok(())
    }

    /// Refuses files that are not those of the spec.
    ///
    /// # Errors
    /// When they have another checksum, or cannot be read.
    pub(super) fn verify(&self, source: &Source) -> Result<(), DataError> {
        match source.digest()?.filter(|found| !self.sha256.is_empty() && *found != self.sha256) {
            None => Ok(()),
            Some(found) => Err(DataError::Inconsistent {
                name: self.name.clone(),
                problem: format!(
                    "the data has changed: its sha256 is {found}, not {}; bring the old files back, or begin anew without data.sha256",
                    self.sha256
                ),
            }),
        }
    }

    /// Where the data comes from and which part of it is taken.
    ///
    /// # Errors
    /// When the name is unknown.
    pub fn source(&self) -> Result<Source, DataError> {
        let all_if_zero = |count: usize| (count > 0).then_some(count);
        Ok(Source {
            classes: self.classes.iter().map(|&class| class.min(u32::MAX.into()) as u32).collect(),
            train: all_if_zero(self.train),
            test: all_if_zero(self.test),
            layout: self.layout,
            label: Some(self.label.clone()).filter(|label| !label.is_empty()),
            options: Options {
                dimension: self.dimension,
                margin: self.margin,
                noise: self.noise,
                positive_share: self.positive,
                seed: self.seed,
            },
            ..Source::named(&self.name)?
        })
    }
}
