//! Plain text as programs print it: numbers behind their names, and bars of progress.

use super::columns::{Columns, Kind, Numbers, sums_up};
use std::collections::BTreeSet;

/// What makes the word behind it another quantity than that of training.
const OTHER: [&str; 13] = [
    "val",
    "valid",
    "validation",
    "test",
    "testing",
    "eval",
    "evaluation",
    "dev",
    "best",
    "min",
    "max",
    "held-out",
    "heldout",
];
/// Words that a number is wrapped in.
const WRAPPERS: [&str; 4] = ["tensor", "np.float32", "np.float64", "array"];
/// Bytes of a word that can be a name.
const LONGEST_NAME: usize = 128;

enum Token<'a> {
    Word(&'a str),
    Number(f64),
    /// So many of so many.
    Count(f64, f64),
    /// What parts a name from what comes behind.
    Break,
}

/// Reads line by line.
#[derive(Clone, Debug, Default)]
pub(super) struct Plain {
    /// The last epoch: bars of progress begin anew with each.
    epoch: f64,
}

impl Plain {
    /// The numbers of a line in the order of [`Kind::ALL`]. Names go into `names`, of which there are at most `most`.
    ///
    /// A name is a word before a number, or two: `loss: 0.3`, `train loss 0.3`, `'loss': 0.3`. The step is what is named so,
    /// else `n` of a bar `n/m` behind those of the epochs before.
    pub(super) fn row(
        &mut self,
        line: &str,
        columns: &Columns,
        names: &mut BTreeSet<String>,
        most: usize,
    ) -> Numbers {
        let mut best: [Option<(usize, f64)>; Kind::COUNT] = [None; Kind::COUNT];
        let (mut words, mut bar, mut is_epoch) = ([None, None], None, false);
        for token in tokens(line) {
            let number = match token {
                Token::Word(word) if WRAPPERS.contains(&word) => continue,
                Token::Word(word) => {
                    words = [words[1], Some(word).filter(|word| word.len() <= LONGEST_NAME)];
                    continue;
                }
                Token::Break => {
                    words = [None, None];
                    continue;
                }
                Token::Number(number) | Token::Count(number, _) => number,
            };
            let [before, word] = std::mem::take(&mut words);
            let both = before.zip(word).map(|(before, word)| format!("{before} {word}"));
            let is_other = before.is_some_and(|before| OTHER.contains(&before.to_lowercase().as_str()));
            let named = [both.as_deref(), word.filter(|_| !is_other)];
            if named.iter().flatten().any(|name| sums_up(name)) {
                return [None; Kind::COUNT];
            }
            let of_epoch = named.iter().flatten().any(|name| columns.is_epoch(name));
            if of_epoch {
                self.epoch = number;
            } else if let Token::Count(number, all) = token {
                bar = bar.or(Some((number, all)));
                continue;
            }
            let Some(shown) = named[1].or(named[0]) else { continue };
            if names.len() <= most && !names.contains(shown) {
                names.insert(shown.into());
            }
            for (place, kind) in Kind::ALL.into_iter().enumerate() {
                let rank = named.iter().flatten().find_map(|name| columns.rank(kind, name));
                if let Some(rank) = rank
                    && best[place].is_none_or(|(other, _)| rank < other)
                {
                    best[place] = Some((rank, number));
                    is_epoch = if place == 0 { of_epoch } else { is_epoch };
                }
            }
        }
        let mut numbers = best.map(|found| found.map(|(_, number)| number));
        if numbers[0].is_none() || is_epoch {
            numbers[0] = bar.map(|(number, all)| self.epoch * all + number).or(numbers[0]);
        }
        numbers
    }
}

fn tokens(line: &str) -> impl Iterator<Item = Token<'_>> {
    let joins = |c: char| c.is_whitespace() || ":=\"'([{".contains(c);
    let breaks = |c: char| ",;|)]}<>".contains(c);
    line.split_inclusive(move |c| joins(c) || breaks(c)).flat_map(move |part| {
        let body = part.trim_end_matches(|c| joins(c) || breaks(c));
        let end = part[body.len()..].chars().any(breaks).then_some(Token::Break);
        (!body.is_empty()).then(|| token(body)).into_iter().chain(end)
    })
}

fn token(body: &str) -> Token<'_> {
    let number = |text: &str| text.trim_end_matches('.').parse::<f64>().ok();
    let count = || {
        let (done, all) = body.split_once('/')?;
        Some(Token::Count(f64::from(done.parse::<u32>().ok()?), f64::from(all.parse::<u32>().ok()?)))
    };
    match number(body) {
        Some(number) => Token::Number(number),
        None if ["-", "–", "—", "->", "/"].contains(&body) => Token::Break,
        None => count().unwrap_or(Token::Word(body)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(line: &str) -> [Option<f64>; 3] {
        let numbers = Plain::default().row(line, &Columns::default(), &mut BTreeSet::new(), 40);
        [numbers[0], numbers[1], numbers[2]]
    }

    #[test]
    fn lines_of_usual_programs_are_read() {
        let all = |step: f64, loss: f64, rate: f64| [Some(step), Some(loss), Some(rate)];
        let most = |step: f64, loss: f64| [Some(step), Some(loss), None];
        for (line, expected) in [
            ("step 100 loss: 0.31 lr 1e-3", all(100.0, 0.31, 1e-3)),
            ("[2026-01-02 12:00:01,123] INFO root: step=7 train/loss=0.5, lr=0.1", all(7.0, 0.5, 0.1)),
            // transformers prints dictionaries of Python, of late with numbers in quotes.
            ("{'loss': 0.5, 'grad_norm': 1.2, 'learning_rate': 5e-05, 'epoch': 2.0}", all(2.0, 0.5, 5e-5)),
            ("{'loss': '0.5', 'learning_rate': '5e-05', 'epoch': '2'}", all(2.0, 0.5, 5e-5)),
            // tqdm, the examples of PyTorch, Keras, nanoGPT.
            ("Epoch 2:  13%|█▎        | 50/391 [00:01<00:10, 31.1it/s, loss=2.1]", most(832.0, 2.1)),
            ("Train Epoch: 1 [640/60000 (1%)]\tLoss: 2.300", most(60640.0, 2.3)),
            ("Epoch: [0][  10/5005]\tTime  0.1 ( 0.2)\tLoss 6.9 (7.1)", most(10.0, 6.9)),
            ("Epoch 3/10 - 32/100 - 2s - loss: 0.5 - val_loss: 9", most(332.0, 0.5)),
            ("step 250: train loss 2.4, val loss 2.5", most(250.0, 2.4)),
            ("iter 100: loss nan, time 12.3ms", most(100.0, f64::NAN)),
            ("global step 3, learning rate 0.1, loss: tensor(0.25, grad_fn=<X>)", all(3.0, 0.25, 0.1)),
            ("test loss 0.5. loss 0.4.", [None, Some(0.4), None]),
            ("validation loss: 0.5, best loss 0.2", [None; 3]),
            ("{'train_runtime': 9.5, 'train_loss': 0.7, 'epoch': 3.0}", [None; 3]),
            ("it went well", [None; 3]),
        ] {
            // NaN is a number of a log as others are.
            assert_eq!(format!("{:?}", row(line)), format!("{expected:?}"), "{line}");
        }
    }

    #[test]
    fn names_that_are_given_win_and_epochs_are_kept() {
        let columns = Columns { loss: Some("val loss".into()), ..Columns::default() };
        let (mut plain, mut names) = (Plain::default(), BTreeSet::new());
        assert_eq!(plain.row("Epoch 2", &columns, &mut names, 40)[0], Some(2.0));
        let numbers = plain.row("5/10 loss 1 val loss 2", &columns, &mut names, 40);
        assert_eq!((numbers[0], numbers[1]), (Some(25.0), Some(2.0)));
        assert_eq!(names.into_iter().collect::<Vec<_>>(), ["Epoch", "loss", "val loss"]);
    }
}
