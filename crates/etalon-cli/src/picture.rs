//! `--figure FILE`: a figure as a picture, with its numbers beside it, and the flags that say how it looks.

use crate::context::Failure;
use etalon::record::{RunFolderError, check_writable, write_whole};
use etalon_report::figure::{Axis, Figure, FigureError, Style};
use std::path::PathBuf;
use std::str::FromStr;

/// A file for a picture, whose ending tells its kind.
#[derive(Clone, Debug)]
pub(crate) struct Picture {
    path: PathBuf,
    kind: Kind,
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Svg,
    #[cfg(feature = "raster")]
    Png,
    #[cfg(feature = "raster")]
    Pdf,
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
            #[cfg(feature = "raster")]
            Some("pdf") => Kind::Pdf,
            #[cfg(not(feature = "raster"))]
            Some("png" | "pdf") => {
                return Err(
                    "this program was built without PNG and PDF; give a file that ends in .svg, or install it with `--features raster`",
                );
            }
            _ => return Err("give a file that ends in .svg, .png or .pdf"),
        };
        Ok(Picture { path, kind })
    }
}

/// How a figure looks.
#[derive(clap::Args, Clone, Debug)]
#[command(next_help_heading = "The figure")]
pub(crate) struct StyleArguments {
    /// Width of the figure in millimetres
    #[arg(long, value_name = "MM")]
    width: Option<f64>,
    /// Height of the figure in millimetres
    #[arg(long, value_name = "MM")]
    height: Option<f64>,
    #[command(flatten)]
    more: More,
}

/// The same for a verb whose `--width` is that of a network.
#[derive(clap::Args, Clone, Debug)]
#[command(next_help_heading = "The figure")]
pub(crate) struct StyleArgumentsBesideWidth {
    /// Width of the figure in millimetres
    #[arg(long, value_name = "MM")]
    figure_width: Option<f64>,
    /// Height of the figure in millimetres
    #[arg(long, value_name = "MM")]
    figure_height: Option<f64>,
    #[command(flatten)]
    more: More,
}

#[derive(clap::Args, Clone, Debug)]
struct More {
    /// Size of the letters at its axes in points [default: 8 with a width]
    #[arg(long, value_name = "PT")]
    font_size: Option<f64>,
    /// No ground of its own
    #[arg(long)]
    transparent: bool,
    /// For print: white ground, no title and no lines at the marks
    #[arg(long)]
    plain: bool,
    /// Ends of the axis to the right
    #[arg(long, value_name = "FROM..TO", value_parser = limits, allow_hyphen_values = true)]
    x_limits: Option<[f64; 2]>,
    /// Ends of the axis upwards, of the first panel
    #[arg(long, value_name = "FROM..TO", value_parser = limits, allow_hyphen_values = true)]
    y_limits: Option<[f64; 2]>,
    /// What is written at the axis to the right
    #[arg(long, value_name = "TEXT")]
    x_label: Option<String>,
    /// What is written at the axis upwards, of the first panel
    #[arg(long, value_name = "TEXT")]
    y_label: Option<String>,
}

fn limits(text: &str) -> Result<[f64; 2], String> {
    let ends = text.split_once("..").and_then(|(from, to)| Some([from.parse().ok()?, to.parse().ok()?]));
    ends.ok_or_else(|| "give two numbers with two dots between them, such as 0.01..10".into())
}

impl From<&StyleArgumentsBesideWidth> for StyleArguments {
    fn from(style: &StyleArgumentsBesideWidth) -> StyleArguments {
        StyleArguments { width: style.figure_width, height: style.figure_height, more: style.more.clone() }
    }
}

impl StyleArguments {
    fn style(&self) -> Style {
        let More { font_size, transparent, plain, .. } = self.more;
        Style { width: self.width, height: self.height, letters: font_size, transparent, plain }
    }

    /// The figure with the labels and the ends that were asked for.
    fn applied(&self, figure: &Figure) -> Result<Figure, FigureError> {
        let mut figure = figure.clone();
        let set = |axis: &mut Axis, label: &Option<String>, limits: Option<[f64; 2]>| {
            if let Some(label) = label {
                axis.label.clone_from(label);
                axis.unit.clear();
            }
            if let Some(limits) = limits {
                *axis = axis.clone().within(limits)?;
            }
            Ok::<(), FigureError>(())
        };
        set(&mut figure.x, &self.more.x_label, self.more.x_limits)?;
        if let Some(panel) = figure.panels.first_mut() {
            set(&mut panel.y, &self.more.y_label, self.more.y_limits)?;
        }
        Ok(figure)
    }
}

impl Picture {
    /// Finds out before any work whether it can be written.
    pub(crate) fn check(&self) -> Result<(), RunFolderError> {
        check_writable(&self.path)
    }

    /// Writes the picture, and `numbers` beside it as CSV.
    pub(crate) fn write(
        &self,
        figure: &Figure,
        style: &StyleArguments,
        numbers: &str,
    ) -> Result<(), Failure> {
        let (figure, style) = (style.applied(figure)?, style.style());
        let bytes = match self.kind {
            Kind::Svg => figure.svg_as(&style)?.into_bytes(),
            #[cfg(feature = "raster")]
            Kind::Png => figure.png(&style)?,
            #[cfg(feature = "raster")]
            Kind::Pdf => figure.pdf(&style)?,
        };
        write_whole(&self.path, &bytes)?;
        Ok(write_whole(&self.path.with_extension("csv"), numbers.as_bytes())?)
    }
}
