//! The recurrence of three terms alone: no vector but the last two is kept.
//!
//! Orthogonality is lost as soon as the first eigenvalue converges. Paige (1980) showed that the outermost eigenvalues of
//! the tridiagonal matrix are right all the same, within their residuals and rounding; what is lost is their number.
//! An eigenvalue that has converged comes back as a ghost, so that none but the outermost are offered.

use super::projection::Projection;
use super::{LanczosError, Operator, Run, Space, StopReason, Vector};

/// Runs the recurrence from the unit vector `start`, and keeps the outermost eigenvalues.
pub(super) fn run<O: Operator + ?Sized>(
    run: &mut Run<O>,
    start: Vector<O>,
) -> Result<StopReason, LanczosError> {
    let rounding = run.space.epsilon() * (run.dim as f64).sqrt().max(10.0);
    let (mut previous, mut current, mut next) = (run.space.zeros(), start, run.space.zeros());
    let mut projection = Projection::default();
    let mut magnitude: f64 = 0.0;
    // The largest |u . A v - v . A u| over neighbours.
    let mut strayed: f64 = 0.0;
    let (stop, mature) = loop {
        run.apply(&current, &mut next)?;
        run.iterations += 1;
        let m = run.iterations;
        let norm = run.space.norm(&next);
        if !norm.is_finite() {
            break (StopReason::NotFinite(m), false);
        }
        if m == 1 {
            // Before anything is spent.
            run.ask_again(&current, &mut next, &mut previous)?;
            std::mem::swap(&mut next, &mut previous);
        }
        magnitude = magnitude.max(norm);
        let mut alpha = 0.0;
        if m > 1 {
            let beta = projection.beta;
            projection.off_diagonal.push(beta);
            strayed = strayed.max((run.space.dot(&previous, &next) - beta).abs());
            run.space.axpy(-beta, &previous, &mut next);
        }
        // Twice: where little is left, once would leave neighbours that are not orthogonal, and the operator would seem
        // not to be symmetric.
        for pass in 0..2 {
            let along = run.space.dot(&current, &next);
            run.space.axpy(-along, &current, &mut next);
            alpha += along;
            if m > 1 && pass == 0 {
                let along = run.space.dot(&previous, &next);
                run.space.axpy(-along, &previous, &mut next);
            }
        }
        let beta = run.space.norm(&next);
        if !projection.extend(alpha, beta) {
            break (StopReason::NotFinite(m), false);
        }
        run.scale = run.scale.max(projection.magnitude());
        run.asymmetry = strayed / run.scale.max(f64::MIN_POSITIVE);
        if run.is_suspicious() {
            break (StopReason::MaxIterations(m), false);
        }
        // The start has a share in every direction, so that an invariant space holds every eigenvalue.
        let invariant = beta <= rounding * magnitude;
        let wanted = run.outermost(&projection.values(), 1);
        let small = wanted.iter().all(|&i| projection.residual(i) <= run.settings.tolerance * run.scale);
        let mature = run.has_seen_all(&projection, (f64::INFINITY, f64::NEG_INFINITY));
        if invariant || (mature && small) {
            break (StopReason::Converged, true);
        }
        if m >= run.settings.max_iterations {
            break (StopReason::MaxIterations(m), mature);
        }
        run.space.scale(1.0 / beta, &mut next);
        std::mem::swap(&mut previous, &mut current);
        std::mem::swap(&mut current, &mut next);
    };
    for i in run.outermost(&projection.values(), 1) {
        run.found.push(projection.pair(i, run.iterations, mature));
    }
    Ok(stop)
}
