//! Parameters as safetensors files with PyTorch's names and layouts.

use super::{Layout, Segment};
use crate::Scalar;
use safetensors::tensor::{Dtype, SafeTensorError, SafeTensors, TensorView};
use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Why a file of parameters could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The operating system refused.
    #[error("{path}: {source}", path = path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// Not a safetensors file, or a damaged one.
    #[error("{path} is not a readable safetensors file: {reason}", path = path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The file belongs to another network.
    #[error("{path} does not fit this network: {reason}", path = path.display())]
    Mismatch {
        /// The file.
        path: PathBuf,
        /// Which tensor, what was expected and what was found.
        reason: String,
    },
}

/// Writes vectors with their layouts to one safetensors file, one tensor a segment, and beside them each segment's
/// multiplier as metadata (`NAME.multiplier`), so that the network's function can be rebuilt elsewhere. The file
/// appears whole or not at all. Equal parameters give equal bytes.
///
/// # Errors
/// When the file cannot be written.
pub fn save<T: Scalar, const N: usize>(path: &Path, parts: [(&Layout, &[T]); N]) -> Result<(), FileError> {
    let segments =
        || parts.iter().flat_map(|(layout, all)| layout.segments().iter().map(move |one| (one, all)));
    let tensors = segments()
        .map(|(segment, all)| tensor(&segment.name, segment.shape.clone(), &all[segment.range.clone()]))
        .collect();
    let multiplier = |(segment, _): (&Segment, _)| {
        (format!("{}.multiplier", segment.name), format!("{:?}", segment.multiplier))
    };
    write(path, tensors, Some(segments().map(multiplier).collect()))
}

/// Writes named tensors, each with its shape, to a safetensors file. The file appears whole or not at all.
///
/// # Errors
/// When the file cannot be written.
pub fn save_tensors<T: Scalar>(path: &Path, tensors: &[(&str, Vec<usize>, &[T])]) -> Result<(), FileError> {
    let tensors = tensors.iter().map(|(name, shape, values)| tensor(name, shape.clone(), values)).collect();
    write(path, tensors, None)
}

/// A tensor as a file holds it.
struct Stored {
    name: String,
    dtype: Dtype,
    shape: Vec<usize>,
    bytes: Vec<u8>,
}

fn tensor<T: Scalar>(name: &str, shape: Vec<usize>, values: &[T]) -> Stored {
    let mut bytes = Vec::with_capacity(size_of_val(values));
    let dtype = if T::NAME == "f64" { Dtype::F64 } else { Dtype::F32 };
    for value in values.iter().map(|value| value.to_f64()) {
        match dtype {
            Dtype::F64 => bytes.extend_from_slice(&value.to_le_bytes()),
            _ => bytes.extend_from_slice(&(value as f32).to_le_bytes()),
        }
    }
    Stored { name: name.into(), dtype, shape, bytes }
}

fn write(
    path: &Path,
    tensors: Vec<Stored>,
    metadata: Option<BTreeMap<String, String>>,
) -> Result<(), FileError> {
    let format =
        |error: SafeTensorError| FileError::Format { path: path.to_owned(), reason: error.to_string() };
    let views = tensors.iter().map(|Stored { name, dtype, shape, bytes }| {
        Ok((name, TensorView::new(*dtype, shape.clone(), bytes).map_err(format)?))
    });
    let views = views.collect::<Result<Vec<_>, FileError>>()?;
    // Without metadata: safetensors takes that as a hash map, whose order differs from run to run.
    let mut file = safetensors::serialize(views, None).map_err(format)?;
    if let Some(metadata) = metadata {
        add_metadata(&mut file, &metadata).map_err(|error| format(SafeTensorError::JsonError(error)))?;
    }
    let io = |source| FileError::Io { path: path.to_owned(), source };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut builder = tempfile::Builder::new();
    builder.prefix(".unfinished-");
    // What the user's umask leaves of it, as for any other file; the default of `tempfile` is the owner alone.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut aside = builder.tempfile_in(folder).map_err(io)?;
    aside.write_all(&file).map_err(io)?;
    aside.persist(path).map(drop).map_err(|error| io(error.error))
}

/// Puts metadata into the header of a safetensors file, which is JSON behind its length in eight bytes, padded with
/// spaces to a multiple of eight. Where tensors stand is counted from the header's end, and does not change.
fn add_metadata(file: &mut Vec<u8>, metadata: &BTreeMap<String, String>) -> Result<(), serde_json::Error> {
    let length = |bytes: [u8; 8]| u64::from_le_bytes(bytes) as usize;
    let end = 8 + file.first_chunk().map_or(0, |bytes| length(*bytes));
    let mut header: BTreeMap<String, serde_json::Value> = serde_json::from_slice(&file[8..end])?;
    header.insert("__metadata__".into(), serde_json::to_value(metadata)?);
    let mut text = serde_json::to_vec(&header)?;
    text.resize(text.len().next_multiple_of(8), b' ');
    let length = (text.len() as u64).to_le_bytes();
    file.splice(..end, length.into_iter().chain(text));
    Ok(())
}

/// Reads vectors of these layouts from a safetensors file in `f32` or `f64`. Every segment must be there with its shape,
/// and nothing else, except for the counters (`num_batches_tracked`) that PyTorch saves with running statistics.
///
/// # Errors
/// When the file cannot be read, is damaged, belongs to another network, or holds a number that is not finite.
pub fn load<T: Scalar, const N: usize>(path: &Path, layouts: [&Layout; N]) -> Result<[Vec<T>; N], FileError> {
    let mismatch = |reason: String| FileError::Mismatch { path: path.to_owned(), reason };
    let bytes = std::fs::read(path).map_err(|source| FileError::Io { path: path.to_owned(), source })?;
    let file = SafeTensors::deserialize(&bytes)
        .map_err(|error| FileError::Format { path: path.to_owned(), reason: error.to_string() })?;
    let is_known = |name: &str| {
        name.ends_with(".num_batches_tracked") || layouts.iter().any(|layout| layout.find(name).is_some())
    };
    if let Some(extra) = file.names().into_iter().find(|name| !is_known(name)) {
        return Err(mismatch(format!("it holds a tensor `{extra}` that the network has not")));
    }
    let metadata = SafeTensors::read_metadata(&bytes).ok().and_then(|(_, header)| header.metadata().clone());
    let mut vectors = layouts.map(|layout| vec![T::ZERO; layout.len()]);
    for (layout, vector) in layouts.iter().zip(&mut vectors) {
        for segment in layout.segments() {
            let name = &segment.name;
            let tensor = file.tensor(name).map_err(|_| mismatch(format!("it holds no tensor `{name}`")))?;
            // A file from elsewhere has none, and is taken at its word.
            let multiplier = metadata.as_ref().and_then(|all| all.get(&format!("{name}.multiplier")));
            fill(segment, &tensor, multiplier, &mut vector[segment.range.clone()]).map_err(mismatch)?;
        }
    }
    Ok(vectors)
}

/// A segment's numbers; the reason where the tensor is another's.
fn fill<T: Scalar>(
    segment: &Segment,
    tensor: &TensorView,
    multiplier: Option<&String>,
    target: &mut [T],
) -> Result<(), String> {
    let name = &segment.name;
    if tensor.shape() != segment.shape {
        let (found, expected) = (tensor.shape(), &segment.shape);
        return Err(format!("`{name}` has shape {found:?}; the network's is {expected:?}"));
    }
    if let Some(found) = multiplier.filter(|found| found.parse() != Ok(segment.multiplier)) {
        let expected = segment.multiplier;
        return Err(format!(
            "`{name}` was saved under the multiplier {found}, and the network's is {expected}: another parametrization"
        ));
    }
    match tensor.dtype() {
        Dtype::F32 => read(tensor.data(), target, |b: [u8; 4]| f64::from(f32::from_le_bytes(b))),
        Dtype::F64 => read(tensor.data(), target, f64::from_le_bytes),
        other => return Err(format!("`{name}` holds {other:?}; F32 or F64 is needed")),
    }
    match target.iter().position(|value| !value.is_finite()) {
        Some(at) => Err(format!("`{name}` holds {} at index {at}", target[at])),
        None => Ok(()),
    }
}

fn read<T: Scalar, const N: usize>(bytes: &[u8], target: &mut [T], number: impl Fn([u8; N]) -> f64) {
    for (target, bytes) in target.iter_mut().zip(bytes.as_chunks::<N>().0) {
        *target = T::from_f64(number(*bytes));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::Tensor;

    fn tensor(name: &'static str, shape: &[usize], deviation: f64, multiplier: f64) -> Tensor {
        Tensor { name, shape: shape.to_vec(), mean: 0.0, deviation, multiplier }
    }

    fn layout() -> Layout {
        let mut layout = Layout::default();
        layout.push("layers.0", tensor("weight", &[3, 2], 1.0, 0.5));
        layout.push("layers.0", tensor("bias", &[3], 0.0, 1.0));
        layout
    }

    #[test]
    fn what_is_saved_is_loaded_to_the_bit() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("weights.safetensors");
        let mut state = Layout::default();
        state.push("layers.1", tensor("running_var", &[3], 1.0, 1.0));
        let vectors: [Vec<f64>; 2] = [layout().initialise(7), state.initialise(8)];
        save(&path, [(&layout(), &vectors[0]), (&state, &vectors[1])]).unwrap();
        assert_eq!(load::<f64, 2>(&path, [&layout(), &state]).unwrap(), vectors);
        let rounded = vectors.map(|vector| vector.into_iter().map(|x| x as f32).collect::<Vec<_>>());
        assert_eq!(load::<f32, 2>(&path, [&layout(), &state]).unwrap(), rounded);
        save(&path, [(&layout(), &rounded[0]), (&state, &rounded[1])]).unwrap();
        assert_eq!(load::<f32, 2>(&path, [&layout(), &state]).unwrap(), rounded);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside the file");
    }

    #[test]
    fn equal_parameters_give_equal_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let mut layout = layout();
        (1..10).for_each(|i| layout.push(&format!("layers.{i}"), tensor("bias", &[1], 0.0, f64::from(i))));
        let parameters: Vec<f32> = layout.initialise(7);
        let saved = |name: &str| {
            let path = folder.path().join(name);
            save(&path, [(&layout, &parameters)]).unwrap();
            std::fs::read(path).unwrap()
        };
        assert_eq!(saved("first"), saved("second"));
        let header = SafeTensors::read_metadata(&saved("third")).unwrap().1;
        let multipliers = header.metadata().as_ref().unwrap();
        assert_eq!((multipliers.len(), multipliers["layers.9.bias.multiplier"].as_str()), (11, "9.0"));
    }

    #[test]
    fn a_counter_of_pytorchs_batch_normalisation_is_passed_over() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("weights.safetensors");
        let mut layout = Layout::default();
        layout.push("layers.1", tensor("running_var", &[2], 1.0, 1.0));
        let tensors: [(&str, Vec<usize>, &[f64]); 2] = [
            ("layers.1.running_var", vec![2], &[1.0, 2.0]),
            ("layers.1.num_batches_tracked", vec![], &[7.0]),
        ];
        save_tensors(&path, &tensors).unwrap();
        assert_eq!(load::<f64, 1>(&path, [&layout]).unwrap(), [[1.0, 2.0]]);
    }

    #[test]
    fn another_networks_file_is_refused_with_the_reason() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("weights.safetensors");
        let mut parameters: Vec<f32> = layout().initialise(7);
        save(&path, [(&layout(), &parameters)]).unwrap();
        let mut other = Layout::default();
        other.push("layers.0", tensor("weight", &[2, 3], 1.0, 1.0));
        let message = load::<f32, 1>(&path, [&other]).unwrap_err().to_string();
        assert!(message.contains("`layers.0.bias` that the network has not"), "{message}");
        other.push("layers.0", tensor("bias", &[3], 0.0, 1.0));
        let message = load::<f32, 1>(&path, [&other]).unwrap_err().to_string();
        assert!(message.contains("has shape [3, 2]; the network's is [2, 3]"), "{message}");
        let mut scaled = Layout::default();
        scaled.push("layers.0", tensor("weight", &[3, 2], 1.0, 1.0));
        scaled.push("layers.0", tensor("bias", &[3], 0.0, 1.0));
        let message = load::<f32, 1>(&path, [&scaled]).unwrap_err().to_string();
        assert!(message.contains("saved under the multiplier 0.5, and the network's is 1"), "{message}");
        other.push("layers.1", tensor("bias", &[3], 0.0, 1.0));
        parameters[4] = f32::NAN;
        save(&path, [(&layout(), &parameters)]).unwrap();
        let message = load::<f32, 1>(&path, [&layout()]).unwrap_err().to_string();
        assert!(message.contains("holds NaN at index 4"), "{message}");
        std::fs::write(&path, b"not tensors").unwrap();
        assert!(matches!(load::<f32, 1>(&path, [&layout()]), Err(FileError::Format { .. })));
        assert!(matches!(
            load::<f32, 1>(&folder.path().join("none"), [&layout()]),
            Err(FileError::Io { .. })
        ));
        assert!(matches!(
            save(&folder.path().join("no/where"), [(&layout(), &parameters)]),
            Err(FileError::Io { .. })
        ));
    }
}
