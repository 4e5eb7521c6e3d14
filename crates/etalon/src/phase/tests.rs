use super::*;
use crate::train::{Metrics, Record};

fn trajectory(losses: &[f64], ntk: (f64, f64), stop: Stop) -> Trajectory {
    let record = |(step, &loss): (usize, &f64)| Record {
        step: step as u64,
        eta: 0.1,
        loss: Some(loss),
        train: None,
        test: None,
        groups: None,
        ntk: None,
        hessian: None,
        preconditioned: None,
        weights: None,
    };
    let mut records: Vec<Record> = losses.iter().enumerate().map(record).collect();
    let last = records.len() - 1;
    (records[0].ntk, records[last].ntk) = (Some(ntk.0), Some(ntk.1));
    let peak = losses.iter().copied().enumerate().fold((0, losses[0]), |a, b| if b.1 > a.1 { b } else { a });
    let end = Metrics { loss: losses[last], accuracy: None };
    Trajectory {
        eta: 0.1,
        seed: 0,
        records,
        start: Metrics { loss: losses[0], accuracy: None },
        first_loss: losses[0],
        peak_step: peak.0 as u64,
        peak_loss: peak.1,
        train: end,
        test: end,
        groups: None,
        annealed: None,
        constant_loss: 1.0,
        steps: last as u64,
        stop,
    }
}

/// Full batch, half as fast again as the lazy limit.
const FULL: Circumstances = Circumstances { batch: None, plain: true, over_limit: Some(1.5) };

fn phase(losses: &[f64], ntk: (f64, f64)) -> Phase {
    classify(&trajectory(losses, ntk, Stop::Budget { steps: 9 }), FULL).phase
}

#[test]
fn the_four_phases() {
    assert_eq!(phase(&[1.0, 0.7, 0.5, 0.2], (2.0, 2.01)), Phase::Lazy);
    assert_eq!(phase(&[1.0, 20.0, 3.0, 0.2], (2.0, 1.1)), Phase::Catapult);
    assert_eq!(phase(&[1.0, 20.0, 3.0, 0.97], (2.0, 1.1)), Phase::Stuck);
    let stop = Stop::Diverged { step: 3, loss: None, limit: 1e6 };
    assert_eq!(classify(&trajectory(&[1.0, 9.0, 1e5], (2.0, 2.0), stop), FULL).phase, Phase::Divergent);
}

#[test]
fn a_loss_that_comes_back_to_its_start_has_moved() {
    for (losses, expected) in [([1.0; 4], "nothing moved"), ([1.0, 0.5, 0.7, 1.0], "moved and came back")] {
        let verdict = classify(&trajectory(&losses, (2.0, 2.0), Stop::Budget { steps: 9 }), FULL);
        assert!(verdict.phase == Phase::Stuck && verdict.why.contains(expected), "{}", verdict.why);
    }
}

#[test]
fn what_misleads_a_reader_of_curves() {
    // The peak is the first value, and curvature fell.
    assert_eq!(phase(&[1.0, 0.9, 0.8, 0.1], (2.0, 1.5)), Phase::Catapult);
    // A slow start is lazy, not stuck, though it is not below the constant predictor yet.
    assert_eq!(phase(&[1.5, 1.4, 1.3, 1.2], (2.0, 2.0)), Phase::Lazy);
    // A dead network looks stable.
    let dead = trajectory(&[1.5, 3.0, 1.0, 1.0], (2.0, 0.1), Stop::Dead { steps: 3 });
    assert_eq!(classify(&dead, FULL).phase, Phase::Stuck);
    // NaN never passes for trained.
    let mut nan = trajectory(&[1.0, 0.5, 0.2], (2.0, 2.0), Stop::Budget { steps: 2 });
    nan.train.loss = f64::NAN;
    assert_eq!(classify(&nan, FULL).phase, Phase::Divergent);
    // Mini-batches differ by themselves: a fifth more is no rise, twice as much is.
    let noisy = trajectory(&[1.0, 1.2, 0.5, 0.2], (2.0, 2.0), Stop::Budget { steps: 3 });
    let batches_of = |size| Circumstances { batch: Some(size), plain: true, over_limit: Some(0.5) };
    assert_eq!(classify(&noisy, batches_of(64)).phase, Phase::Lazy);
    assert_eq!(classify(&noisy, FULL).phase, Phase::Catapult);
    let tiny = trajectory(&[1.0, 4.0, 0.9, 0.99], (2.0, 2.0), Stop::Budget { steps: 3 });
    assert_eq!(classify(&tiny, batches_of(1)).phase, Phase::Lazy);
    // Below the lazy limit curvature falls too, by feature learning.
    let slow = trajectory(&[1.0, 0.9, 0.8, 0.1], (2.0, 1.5), Stop::Budget { steps: 3 });
    assert_eq!(classify(&slow, Circumstances { over_limit: Some(0.3), ..FULL }).phase, Phase::Lazy);
    // One sample: a constant fits it, and so does everything that has trained.
    let mut point = trajectory(&[1.0, 150.0, 1e-9], (2.0, 0.2), Stop::Budget { steps: 2 });
    point.constant_loss = 0.0;
    assert_eq!(classify(&point, FULL).phase, Phase::Catapult);
}

#[test]
fn losses_of_batches_are_compared_with_each_other_and_so_are_those_of_evaluation() {
    // Running statistics lag behind: evaluation goes from 5 to 3, while batches go from 1 to 0.5.
    let mut lagging = trajectory(&[1.0, 0.8, 0.6, 0.5], (2.0, 2.0), Stop::Budget { steps: 3 });
    (lagging.start.loss, lagging.train.loss) = (5.0, 3.0);
    let coupled = |batch| Circumstances { batch, plain: false, over_limit: Some(0.5) };
    for batch in [None, Some(64)] {
        let verdict = classify(&lagging, coupled(batch));
        assert_eq!(verdict.phase, Phase::Lazy, "{}", verdict.why);
        let losses = (verdict.first_loss, verdict.peak_loss, verdict.start_loss, verdict.final_loss);
        assert_eq!(losses, (1.0, Some(1.0), Some(5.0), Some(3.0)));
    }
    // A rise of batches from 1 to 4 is one, though evaluation began at 10.
    let mut risen = trajectory(&[1.0, 4.0, 0.5, 0.2], (2.0, 2.0), Stop::Budget { steps: 3 });
    risen.start.loss = 10.0;
    assert_eq!(classify(&risen, coupled(Some(64))).phase, Phase::Catapult);
    // Where evaluation gives the loss of steps, the luck of the first batch is no measure of a rise.
    let mut lucky = trajectory(&[0.1, 1.1, 0.8, 0.2], (2.0, 2.0), Stop::Budget { steps: 3 });
    lucky.start.loss = 1.0;
    assert_eq!(classify(&lucky, Circumstances { plain: true, ..coupled(Some(64)) }).phase, Phase::Lazy);
    assert_eq!(classify(&lucky, coupled(None)).phase, Phase::Catapult);
}
