//! The loop: inputs that a reader answers in a way not seen before are changed further.
//!
//! The answer stands in for the branches that a compiler would count: it is the error's words, without numbers and without what
//! is the input's own, or that there is none. It guides towards every refusal that has words of its own, and is blind to
//! branches that say nothing, which fuzz/cover sees.

use crate::corpus;
use crate::random::Random;
use crate::readers::Reader;
use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

/// What one input may take; the machine may be busy.
const HANG: Duration = Duration::from_secs(20);

/// So many inputs of a reader are changed further, each of at most so many bytes.
const POOL: usize = 4096;
const LONGEST: usize = 1 << 16;

/// What is changed next.
#[derive(Default)]
struct Pool {
    inputs: Vec<Vec<u8>>,
    answers: HashSet<String>,
}

impl Pool {
    /// Keeps an input whose answer is new.
    fn tell(&mut self, input: Vec<u8>, answer: &str) {
        let new = self.answers.insert(words(answer, &input));
        if new && self.inputs.len() < POOL && input.len() <= LONGEST {
            self.inputs.push(input);
        }
    }
}

/// The words of an answer that are not the input's: without numbers, paths, what is quoted, and lines that show the input.
fn words(answer: &str, input: &[u8]) -> String {
    let input = String::from_utf8_lossy(input);
    let unquoted = |line: &str| line.split(['`', '"']).step_by(2).collect::<Vec<_>>().join(" ");
    let line = |line: &str| {
        let line = unquoted(line);
        let bare = line.split_whitespace().map(|word| word.trim_matches(|c: char| c.is_ascii_punctuation()));
        let words = bare.filter(|word| word.bytes().all(|byte| byte.is_ascii_alphabetic()));
        words.filter(|word| !input.contains(word)).take(8).collect::<Vec<_>>().join(" ")
    };
    let shows_the_input = |line: &&str| line.contains(" | ");
    answer.lines().filter(|shown| !shows_the_input(shown)).map(line).collect::<Vec<_>>().join("\n")
}

/// Gives a reader inputs that come from its seeds and from the corpus of its name, for as long as is asked for, every reader
/// as long as any other.
pub(crate) fn fuzz(Reader { name, seeds, read }: &Reader) {
    let number = |variable: &str| std::env::var(variable).ok().and_then(|text| text.parse().ok());
    let seconds = number("ETALON_FUZZ_SECONDS").map_or(0.5, |seconds: u64| seconds as f64);
    let first = number("ETALON_FUZZ_SEED").unwrap_or(0);
    let guarded = |input: &[u8]| {
        let began = Instant::now();
        let answer = catch_unwind(AssertUnwindSafe(|| read(input)));
        // A line of its file in fuzz/corpus brings it back.
        let what = || format!("{name} of {}", input.escape_ascii());
        assert!(began.elapsed() < HANG, "it hangs: {}", what());
        answer.unwrap_or_else(|_| panic!("it panics: {}", what()))
    };
    // What is valid is read, too, and changed whatever it answers.
    let mut pool = Pool::default();
    for seed in seeds {
        pool.answers.insert(words(&guarded(seed), seed));
        pool.inputs.push(seed.clone());
    }
    for input in corpus::kept(name) {
        let answer = guarded(&input);
        pool.tell(input, &answer);
    }
    let (known, start, mut inputs) = (pool.answers.len(), Instant::now(), 0_u64);
    while start.elapsed().as_secs_f64() < seconds {
        let mut random = Random(first.wrapping_add(inputs));
        let parent = &pool.inputs[random.below(pool.inputs.len())];
        let input = random.mutated(parent);
        let answer = guarded(&input);
        pool.tell(input, &answer);
        inputs += 1;
    }
    let new = pool.answers.len() - known;
    println!(
        "{name}: {inputs} inputs, {known} answers known and {new} new, none panics or hangs (seed {first})"
    );
    if std::env::var_os("ETALON_FUZZ_KEEP").is_some() {
        corpus::keep(name, pool.inputs.split_off(seeds.len()));
    }
}

#[test]
fn an_answer_is_its_words_and_an_input_with_a_new_one_is_changed_further() {
    let answer = "/tmp/a/log.csv: line 3: `x` is no number:\n3 | x = 5\n  | ^\nexpected \"y\" or 1e-3 values";
    assert_eq!(words(answer, b"xy 5"), "line is no number\nexpected or values");
    assert_eq!(words("the column lr is empty", b"lr,loss"), "the column is empty");
    let mut pool = Pool::default();
    for (input, answer) in [(b"a", "line 1"), (b"b", "line 2"), (b"c", "row 1")] {
        pool.tell(input.to_vec(), answer);
    }
    assert_eq!(pool.inputs, [b"a", b"c"]);
}

#[test]
fn what_lies_behind_other_answers_is_found_from_there() {
    // Four letters in order, one more known with each: what changes at most four things does not guess all at once.
    let read = |input: &[u8]| {
        let right = input.iter().zip(b"\"[}\n").take_while(|(given, wanted)| given == wanted).count();
        ["none", "one", "two", "three", "all"][right].to_string()
    };
    let mut pool = Pool::default();
    pool.tell(b"....".to_vec(), "none");
    for seed in 0..20_000 {
        let mut random = Random(seed);
        let parent = &pool.inputs[random.below(pool.inputs.len())];
        let input = random.mutated(parent);
        let answer = read(&input);
        pool.tell(input, &answer);
    }
    assert_eq!(pool.answers.len(), 5);
    let unguided = |seed| Random(seed).mutated(b"....");
    assert!((0..20_000).all(|seed| read(&unguided(seed)) != "all"));
}
