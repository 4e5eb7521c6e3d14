//! `--figure FILE`: a figure as a picture, with its numbers beside it.

use crate::context::Failure;
use etalon::figure::Figure;
use etalon::record::{RunFolderError, check_writable, write_whole};
use std::path::PathBuf;
use std::str::FromStr;

/// A file for a picture, whose ending tells its kind.
#[derive(Clone, Debug)]
pub struct Picture {
    path: PathBuf,
    kind: Kind,
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Svg,
    #[cfg(feature = "raster")]
    Png,
}

impl FromStr for Picture {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let path = PathBuf::from(text);
        let ending = path.extension().and_then(|ending| ending.to_str()).map(str::to_lowercase);
        let kind = match ending.as_deref() {
            Some("svg") => Kind::Svg,
            #[cfg(feature = "raster")]
            Some("png") => Kind::Png,
            #[cfg(not(feature = "raster"))]
            Some("png") => {
                return Err(
                    "this program was built without PNG; give a file that ends in .svg, or install it with `--features raster`",
                );
            }
            _ => return Err("give a file that ends in .svg or .png"),
        };
        Ok(Picture { path, kind })
    }
}

impl Picture {
    /// Finds out before any work whether it can be written.
    pub fn check(&self) -> Result<(), RunFolderError> {
        check_writable(&self.path)
    }

    /// Writes the picture, and `numbers` beside it as CSV.
    pub fn write(&self, figure: &Figure, numbers: &str) -> Result<(), Failure> {
        let bytes = match self.kind {
            Kind::Svg => figure.svg()?.into_bytes(),
            #[cfg(feature = "raster")]
            Kind::Png => figure.png()?,
        };
        write_whole(&self.path, &bytes)?;
        Ok(write_whole(&self.path.with_extension("csv"), numbers.as_bytes())?)
    }
}
