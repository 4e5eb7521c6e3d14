//! The engine's derivatives and its promises, in one program: nine took three times as long to build.

mod attention;
mod closed_forms;
mod convolution;
mod coupling;
mod mup;
mod noise;
mod normalization;
mod oracle;
mod reference;
mod residual;
