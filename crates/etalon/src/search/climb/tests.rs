use super::*;
use crate::search::Training;
use crate::search::{Role, recommend, silent};
use std::convert::Infallible;

/// Training with a closed form: a metric that falls off as the square of the octaves from the best rate, and divergence from
/// an edge on, both with their share of luck.
struct Hill {
    best: f64,
    edge: f64,
    /// What is lost an octave squared, of 1.
    slope: f64,
    /// The deviation of the metric and of log2 of the edge, over seeds.
    luck: [f64; 2],
    /// What a short training is of the budget.
    share: f64,
}

/// A number between -1 and 1 that depends on its arguments alone.
fn luck(seed: u64, what: u64) -> f64 {
    let mut x = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ what.wrapping_mul(0xD1B5_4A32_D192_ED03);
    for _ in 0..3 {
        x = (x ^ (x >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        x ^= x >> 32;
    }
    (x >> 11) as f64 / (1u64 << 52) as f64 - 1.0
}

impl Training for Hill {
    type Error = Infallible;

    fn train(&self, question: &Question) -> Result<Trained, Infallible> {
        let Question { eta, seed, length } = *question;
        let octaves = (eta / self.best).log2();
        let edge = self.edge * (self.luck[1] * luck(seed, 1)).exp2();
        let diverged = eta >= edge;
        let share = if length == Length::Short { self.share } else { 1.0 };
        let metric = 0.1
            + 0.8 * (1.0 - self.slope * octaves * octaves).max(0.0)
            + self.luck[0] * luck(seed, eta.to_bits());
        let number = |value: f64| if diverged { f64::NAN } else { value };
        Ok(Trained {
            failure: diverged.then(|| "diverged".into()),
            // What has hardly moved has hardly learnt.
            loss: number(2.0 * (1.0 - metric).max(0.01)),
            reached: number(metric),
            validation: number(metric),
            test: number(metric),
            samples: Vec::new(),
            steps: if diverged { 10 } else { (1000.0 * share) as u64 },
            budgets: if diverged { 0.01 } else { share },
        })
    }

    fn measure(&self) -> Measure {
        // That of `chance`.
        let constant_loss = 1.8;
        Measure { name: "accuracy".into(), higher_is_better: true, chance: 0.1, constant_loss, error: 0.01 }
    }
}

fn climb(hill: &Hill, start: f64, trainings: usize) -> Recommendation {
    let settings = ClimbSettings { trainings, ..ClimbSettings::default() };
    let mut climb = Climb::new(start, &[0], hill.measure(), &settings).unwrap();
    recommend(hill, &mut climb, &silent).unwrap();
    climb.result().unwrap()
}

const PLAIN: Hill = Hill { best: 0.1, edge: 1.0, slope: 0.04, luck: [0.0; 2], share: 0.1 };

/// What a function makes of a question, of a task that is measured as [`PLAIN`] is.
struct Told<F>(F);

impl<F: Fn(&Question) -> Trained + Sync> Training for Told<F> {
    type Error = Infallible;

    fn train(&self, question: &Question) -> Result<Trained, Infallible> {
        Ok(self.0(question))
    }

    fn measure(&self) -> Measure {
        PLAIN.measure()
    }
}

/// The choice on such a task, by the default settings.
fn told(start: f64, train: impl Fn(&Question) -> Trained + Sync) -> Recommendation {
    let mut climb = Climb::new(start, &[0], PLAIN.measure(), &ClimbSettings::default()).unwrap();
    recommend(&Told(train), &mut climb, &silent).unwrap();
    climb.result().unwrap()
}

#[test]
fn the_best_rate_is_found_from_anywhere() {
    for start in [1e-4, 1e-2, 0.05, 0.1, 0.3, 1.0, 30.0, 1e4] {
        let choice = climb(&PLAIN, start, 5);
        let octaves = (choice.eta.unwrap() / 0.1).log2();
        assert!(octaves.abs() < 0.4, "from {start}: {octaves} octaves off");
        let (low, high) = (choice.low.unwrap_or(0.0), choice.high.unwrap_or(0.9));
        assert!(low < 0.1 && 0.1 < high && high < 1.0, "from {start}: {low} to {high}");
        let full = choice.curve.iter().filter(|point| point.role == Role::Full).count();
        // One less where the model promises nothing beyond the first three.
        assert!((4..=5).contains(&full), "from {start}: {full}");
        assert!(choice.validation.unwrap() > 0.89);
    }
}

#[test]
fn luck_moves_it_little_and_never_over_the_edge() {
    let mut worst: f64 = 0.0;
    for world in 0..200 {
        let luck = [0.01, 0.2];
        let hill = Hill { best: 0.1, edge: 0.2, slope: 0.04, luck, share: 0.1 };
        let settings = ClimbSettings::default();
        let mut climb = Climb::new(0.05, &[10 * world], hill.measure(), &settings).unwrap();
        recommend(&hill, &mut climb, &silent).unwrap();
        let choice = climb.result().unwrap();
        let eta = choice.eta.unwrap();
        let octaves = (eta / 0.1).log2();
        worst = worst.max(hill.slope * octaves * octaves);
        let failed = choice.curve.iter().filter(|point| point.failure.is_some()).map(|point| point.eta);
        let failed = failed.fold(f64::INFINITY, f64::min);
        assert!(eta <= failed / 2.0 * (1.0 + 1e-9), "{eta} below {failed}");
        assert!(choice.high.is_none_or(|high| high < failed));
    }
    assert!(worst < 0.1, "{worst}");
}

#[test]
fn the_order_of_answers_does_not_matter() {
    let hill = Hill { luck: [0.02, 0.3], ..PLAIN };
    let run = |backwards: bool| {
        let mut climb = Climb::new(0.02, &[7, 8], hill.measure(), &ClimbSettings::default()).unwrap();
        loop {
            let mut questions = climb.ask();
            if questions.is_empty() {
                return climb.result().unwrap();
            }
            if backwards {
                questions.reverse();
            }
            for question in &questions {
                assert_eq!(climb.result(), None);
                climb.tell(question, hill.train(question).unwrap()).unwrap();
            }
        }
    };
    assert_eq!(run(false), run(true));
}

#[test]
fn a_guard_that_diverges_moves_the_rate_down() {
    // The third seed's edge lies lowest.
    let hill = Hill { best: 0.5, edge: 1.0, slope: 0.05, luck: [0.0, 1.0], share: 0.1 };
    let mut moved = 0;
    for world in 0..100 {
        let settings = ClimbSettings::default();
        let mut climb = Climb::new(0.2, &[10 * world], hill.measure(), &settings).unwrap();
        recommend(&hill, &mut climb, &silent).unwrap();
        let choice = climb.result().unwrap();
        let guard = choice.curve.iter().find(|point| point.role == Role::Guard);
        if let Some(guard) = guard.filter(|guard| guard.failure.is_some()) {
            moved += 1;
            assert!(choice.eta.unwrap() <= guard.eta / 1.1f64.exp2() * (1.0 + 1e-9));
        }
    }
    assert!(moved > 0);
}

#[test]
fn a_quick_one_costs_half_a_training() {
    for start in [1e-3, 0.03, 0.1, 0.4, 3.0] {
        let choice = climb(&PLAIN, start, 0);
        assert!(choice.budgets <= 0.5 + 1e-9, "{}", choice.budgets);
        assert!(choice.curve.iter().all(|point| point.role == Role::Short));
        assert!(choice.eta.is_some() && choice.validation.is_none() && choice.low.is_none());
    }
    assert!((climb(&PLAIN, 0.03, 0).eta.unwrap() / 0.1).log2().abs() < 1.2);
    // Behind a warm-up a short one costs more: there are fewer, and one at least.
    for (share, most) in [(0.2, 0.4), (0.3, 0.3), (0.6, 0.6)] {
        let choice = climb(&Hill { share, ..PLAIN }, 0.1, 0);
        assert!(choice.budgets <= most + 1e-9, "{share}: {}", choice.budgets);
        assert!((choice.eta.unwrap() / 0.1).log2().abs() < 1.2);
    }
}

#[test]
fn a_quick_one_is_cautious_where_short_trainings_have_learnt_nothing() {
    let flat = Hill { slope: f64::INFINITY, ..PLAIN };
    let choice = climb(&flat, 0.037, 0);
    // Two steps below the middle of what was tried, which is all alike.
    let middle = choice.curve.iter().map(|point| point.eta.log2()).sum::<f64>() / choice.curve.len() as f64;
    assert!((choice.eta.unwrap().log2() - middle + 2.0 * STEP).abs() < 1e-9, "{choice:?}");
    assert!(choice.why.contains("none had learnt much yet"), "{}", choice.why);
    let range = Some([0.03, 0.05]);
    let settings = ClimbSettings { trainings: 0, range, ..ClimbSettings::default() };
    let mut climb = Climb::new(0.037, &[0], flat.measure(), &settings).unwrap();
    recommend(&flat, &mut climb, &silent).unwrap();
    assert_eq!(climb.result().unwrap().eta.map(|eta| (eta * 1e9).round()), Some(3e7));
}

#[test]
fn a_quick_one_begins_higher_under_a_schedule_that_falls() {
    let found = |ahead: Ahead| {
        let settings = ClimbSettings { trainings: 0, ..ClimbSettings::default() };
        let climb = Climb::new(0.1, &[0], PLAIN.measure(), &settings).unwrap();
        let mut climb = climb.ahead(ahead);
        recommend(&PLAIN, &mut climb, &silent).unwrap();
        climb.result().unwrap().eta.unwrap()
    };
    let raised = found(Ahead { rate: 0.5, decay: 0.0 }) / found(Ahead::NOTHING);
    assert!((raised - 2f64.sqrt()).abs() < 1e-9, "{raised}");
}

#[test]
fn a_quick_one_keeps_away_from_what_diverges() {
    for start in [0.1, 0.2, 0.3] {
        let hill = Hill { best: 1.0, edge: 0.5, ..PLAIN };
        let choice = climb(&hill, start, 0);
        let failed = choice.curve.iter().filter(|point| point.failure.is_some()).map(|point| point.eta);
        let failed = failed.fold(f64::INFINITY, f64::min);
        assert!(failed.is_finite() && choice.eta.unwrap() < failed / 3.1, "{choice:?}");
    }
}

#[test]
fn where_nothing_is_learnt_no_rate_is_named() {
    let flat = Hill { slope: f64::INFINITY, ..PLAIN };
    let choice = climb(&flat, 0.037, 5);
    assert_eq!((choice.eta, choice.low, choice.high), (None, None, None));
    assert!(choice.why.contains("nothing was learnt"), "{}", choice.why);
    let broken = Hill { edge: 0.0, ..PLAIN };
    let choice = climb(&broken, 0.1, 5);
    assert_eq!(choice.eta, None);
    assert!(choice.why.contains("none survived"), "{}", choice.why);
}

#[test]
fn where_short_trainings_learn_nothing_full_ones_look_for_what_learns() {
    for (start, from) in [(3.0, 1.0), (0.5, 0.7), (0.3, 1.5), (0.05, 1.0)] {
        // Short trainings have learnt nothing, and their losses are the lower the lower the rate is. Full ones learn between
        // `from` and the edge at 8.
        let choice = told(start, |question| {
            let hill = Hill { best: 3.0, edge: 8.0, ..PLAIN };
            let mut trained = hill.train(question).unwrap();
            if trained.survived() && (question.length == Length::Short || question.eta < from) {
                trained.loss = hill.measure().constant_loss * (0.9995 + 1e-4 * question.eta.min(10.0));
                trained.validation = 0.1;
            }
            trained
        });
        assert!(choice.eta.is_some_and(|eta| from <= eta && eta < 8.0), "from {start}: {choice:?}");
        // Lower losses at lower rates lead nowhere.
        let lowest = choice.curve.iter().map(|point| point.eta).fold(f64::INFINITY, f64::min);
        assert!(lowest >= 1e-3 * start * (1.0 - 1e-9), "{lowest} from {start}");
        let fulls = choice.curve.iter().filter(|point| point.role == Role::Full);
        assert!(fulls.map(|point| point.eta).fold(f64::INFINITY, f64::min) >= 0.1 * start);
    }
}

#[test]
fn what_is_out_of_range_is_not_tried() {
    let settings = ClimbSettings { range: Some([0.01, 0.05]), ..ClimbSettings::default() };
    let mut climb = Climb::new(3.0, &[0], PLAIN.measure(), &settings).unwrap();
    recommend(&PLAIN, &mut climb, &silent).unwrap();
    let choice = climb.result().unwrap();
    assert!(choice.curve.iter().all(|point| (0.01..=0.05).contains(&point.eta)));
    assert!((0.01..=0.05).contains(&choice.eta.unwrap()));
}

#[test]
fn what_was_not_asked_is_refused() {
    let mut climb = Climb::new(0.1, &[0], PLAIN.measure(), &ClimbSettings::default()).unwrap();
    let question = Question { eta: 0.5, seed: 0, length: Length::Full };
    let refused = climb.tell(&question, PLAIN.train(&question).unwrap());
    assert_eq!(refused, Err(SearchError::NotAsked(0.5)));
    for share in [0.0, -1.0, 1.1, f64::NAN] {
        let settings = ClimbSettings { share, ..ClimbSettings::default() };
        assert!(matches!(Climb::new(0.1, &[0], PLAIN.measure(), &settings), Err(SearchError::Share(_))));
    }
    assert!(matches!(
        Climb::new(0.1, &[], PLAIN.measure(), &ClimbSettings::default()),
        Err(SearchError::NoSeeds)
    ));
}

#[test]
fn a_second_seed_that_is_far_behind_counts() {
    // A hill on which the first seed alone does well at high rates.
    let choice = told(0.05, |question| {
        let mut trained = PLAIN.train(question).unwrap();
        let lost = 0.1 * (question.eta / 0.01).log2().max(0.0);
        trained.validation = if question.seed == 0 { trained.validation } else { 0.9 - lost };
        trained
    });
    let full = || choice.curve.iter().filter(|point| point.role == Role::Full);
    let second = full().find(|point| point.seed != 0).unwrap();
    let first = full().find(|point| point.seed == 0 && point.eta >= second.eta).unwrap();
    assert!(second.validation < 0.85 * first.validation, "{choice:?}");
    // It is no edge: the suggestion stays above it, and is told to be uncertain.
    assert!(choice.noise.unwrap() > 5.0 && choice.eta.unwrap() >= second.eta, "{choice:?}");
}

#[test]
fn far_above_the_start_one_training_goes_half_way_back() {
    let lowest = |start: f64| {
        let choice = climb(&PLAIN, start, 3);
        let full = choice.curve.iter().filter(|point| point.role == Role::Full);
        let rates: Vec<f64> = full.map(|point| point.eta).collect();
        let best = choice.curve.iter().filter(|point| point.role == Role::Short);
        let best = best.min_by(|a, b| a.train_loss.total_cmp(&b.train_loss)).unwrap().eta;
        (best / start, best / rates[0])
    };
    let (climbed, back) = lowest(0.05);
    assert!(climbed < 3.0 && (back.log2() - 2.0 * STEP).abs() < 1e-9, "{climbed} {back}");
    let (climbed, back) = lowest(1e-4);
    assert!(climbed > 100.0 && (back / climbed.sqrt()).log2().abs() <= 0.5 * STEP, "{climbed} {back}");
}

#[test]
fn answers_without_sense_end_a_climb_and_break_none() {
    const ODD: [f64; 10] =
        [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 0.0, 1e308, -1e308, 1e-308, 0.5, 2.3, -3.0];
    for world in 0..3000u64 {
        let mut draws = 0;
        let mut draw = |below: usize| {
            draws += 1;
            ((luck(world, draws) * 0.5 + 0.5) * below as f64) as usize % below
        };
        let mut measure = PLAIN.measure();
        measure.higher_is_better = draw(2) == 0;
        [measure.chance, measure.constant_loss] = [ODD[draw(10)], ODD[draw(10)]];
        measure.error = ODD[draw(10)].abs();
        let settings = ClimbSettings { trainings: draw(10), ..ClimbSettings::default() };
        let start = [1e-300, 0.1, 1e300][draw(3)];
        let mut climb = Climb::new(start, &[u64::MAX], measure, &settings).unwrap();
        let mut asked = 0;
        while let Some(question) = climb.ask().first().copied() {
            asked += 1;
            assert!(asked < 100, "{world}");
            let failure = (draw(4) == 0).then(|| "came to nothing".to_string());
            let [loss, validation] = [ODD[draw(10)], ODD[draw(10)]];
            let samples = vec![ODD[draw(10)] as f32; draw(4)];
            let rest = Trained { failure, samples, ..PLAIN.train(&question).unwrap() };
            climb.tell(&question, Trained { loss, validation, test: validation, ..rest }).unwrap();
        }
        assert!(climb.result().unwrap().eta.is_none_or(|eta| eta.is_normal() && eta > 0.0), "{world}");
    }
}

#[test]
fn where_the_best_rate_is_at_the_lower_end_of_what_was_trained_one_goes_below() {
    // The metric falls off slowly to both sides of the best rate, and short trainings see another.
    let choice = told(1.0, |question| {
        let best = if question.length == Length::Short { 1.0 } else { 0.01 };
        Hill { best, edge: f64::INFINITY, slope: 0.003, ..PLAIN }.train(question).unwrap()
    });
    let full = || choice.curve.iter().filter(|point| point.role == Role::Full);
    // Three, one that the model asks for, one below it, and a second seed.
    assert_eq!(full().count(), 6, "{choice:?}");
    let first: Vec<f64> = full().filter(|point| point.seed == 0).map(|point| point.eta).collect();
    assert!(choice.eta.unwrap() < first[1], "{choice:?}");
}

#[test]
fn a_suggestion_that_moves_up_to_its_guard_has_another() {
    let (mut again, mut most) = (0, 0);
    for world in 0..200 {
        // The higher the better, with luck; no edge ends it.
        let hill = Hill { best: 1e6, edge: f64::INFINITY, slope: 0.0015, luck: [0.03, 0.0], share: 0.1 };
        let settings = ClimbSettings { range: Some([0.01, 100.0]), ..ClimbSettings::default() };
        let mut climb = Climb::new(0.05, &[10 * world], hill.measure(), &settings).unwrap();
        recommend(&hill, &mut climb, &silent).unwrap();
        let choice = climb.result().unwrap();
        let guards = choice.curve.iter().filter(|point| point.role == Role::Guard).count();
        again += usize::from(guards > 1);
        most = most.max(guards);
    }
    assert!(again > 10 && most <= 2, "{again} {most}");
}

#[test]
fn no_training_is_asked_twice() {
    let mut uncertain = 0;
    for world in 0..300 {
        let hill = Hill { best: 0.1, edge: 2.0, slope: 0.02, luck: [0.15, 0.5], share: 0.1 };
        let mut climb = Climb::new(0.05, &[10 * world], hill.measure(), &ClimbSettings::default()).unwrap();
        recommend(&hill, &mut climb, &silent).unwrap();
        let choice = climb.result().unwrap();
        let whole = choice.curve.iter().filter(|point| point.role != Role::Short);
        let mut asked: Vec<(u64, u64)> = whole.map(|point| (point.eta.to_bits(), point.seed)).collect();
        let count = asked.len();
        asked.sort_unstable();
        asked.dedup();
        assert_eq!(asked.len(), count, "{choice:?}");
        uncertain += usize::from(choice.noise.unwrap() > 5.0);
    }
    assert!(uncertain > 10, "{uncertain}");
}

#[test]
fn a_survivor_far_behind_makes_no_rate_below_it_safe() {
    // Above an edge, which lies lower for the third seed, training goes on and learns nothing.
    let choice = told(0.3, |question| {
        let hill = Hill { best: 0.4, edge: f64::INFINITY, slope: 0.01, ..PLAIN };
        let trained = hill.train(question).unwrap();
        let edge = if question.seed < 2 { 0.6 } else { 0.3 };
        let is_lost = question.length == Length::Full && question.eta > edge;
        Trained { validation: if is_lost { 0.1 } else { trained.validation }, ..trained }
    });
    let guard = choice.curve.iter().find(|point| point.role == Role::Guard);
    let guard = guard.unwrap_or_else(|| panic!("{choice:?}"));
    assert!(choice.eta.unwrap() <= guard.eta / 1.1f64.exp2() * (1.0 + 1e-9), "{choice:?}");
    assert!(choice.eta.unwrap() < 0.3);
}

#[test]
fn a_lost_training_far_above_makes_no_rate_safe_either() {
    // The higher the better up to an edge, which lies lower for the third seed; short trainings see neither.
    for slope in [0.002, 0.004, 0.006, 0.008] {
        let edge = |seed: u64| if seed < 2 { 0.7 } else { 0.4 };
        let choice = told(0.1, |question| {
            let trained = Hill { best: 2.0, edge: f64::INFINITY, slope, ..PLAIN }.train(question).unwrap();
            if question.length == Length::Short {
                return Trained { loss: 0.5 + (question.eta / 0.2).log2().powi(2), ..trained };
            }
            let is_lost = question.eta > edge(question.seed);
            Trained { validation: if is_lost { 0.1 } else { trained.validation }, ..trained }
        });
        let lost = choice.curve.iter().filter(|point| point.role == Role::Full && point.validation == 0.1);
        assert!(lost.count() > 0, "{choice:?}");
        assert!(choice.eta.unwrap() < edge(2), "{choice:?}");
    }
}
