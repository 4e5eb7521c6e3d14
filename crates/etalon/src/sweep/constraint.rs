//! Comparisons such as `network.width >= 12 * network.depth`, which say which cells of a grid are wanted.

use std::iter::Peekable;
use std::vec::IntoIter;

/// A comparison of two sums of products of numbers and names.
#[derive(Clone, Debug, PartialEq)]
pub struct Constraint {
    text: String,
    left: Expression,
    comparison: Comparison,
    right: Expression,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Comparison {
    Less,
    AtMost,
    Equal,
    NotEqual,
    AtLeast,
    Greater,
}

#[derive(Clone, Debug, PartialEq)]
enum Expression {
    Number(f64),
    Name(String),
    Negative(Box<Expression>),
    Binary(Box<Expression>, char, Box<Expression>),
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Number(f64),
    Name(String),
    Sign(char),
    Comparison(Comparison),
}

impl Constraint {
    /// Whether it asks for equality, and so picks a slice of a table rather than cutting some of it off.
    pub(super) fn is_equality(&self) -> bool {
        self.comparison == Comparison::Equal
    }

    /// Reads `expression comparison expression`; an expression has numbers, names, `+ - * /` and parentheses; a
    /// comparison is one of `<`, `<=`, `==`, `!=`, `>=`, `>`.
    ///
    /// # Errors
    /// What is wrong, in words.
    pub fn parse(text: &str) -> Result<Constraint, String> {
        let mut tokens = tokens(text)?.into_iter().peekable();
        let left = sum(&mut tokens)?;
        let Some(Token::Comparison(comparison)) = tokens.next() else {
            return Err(format!("`{text}` has no comparison, such as network.width >= 12 * network.depth"));
        };
        let right = sum(&mut tokens)?;
        match tokens.next() {
            Some(_) => Err(format!("`{text}` goes on after its comparison; write one comparison")),
            None => Ok(Constraint { text: text.trim().into(), left, comparison, right }),
        }
    }

    /// As it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The names in it.
    pub fn names(&self) -> Vec<&str> {
        let mut names = Vec::new();
        self.left.names(&mut names);
        self.right.names(&mut names);
        names
    }

    /// Whether it holds for the values of the names; none where a name has none. NaN holds in no comparison but `!=`.
    pub fn holds(&self, value: &dyn Fn(&str) -> Option<f64>) -> Option<bool> {
        let (left, right) = (self.left.value(value)?, self.right.value(value)?);
        Some(match self.comparison {
            Comparison::Less => left < right,
            Comparison::AtMost => left <= right,
            Comparison::Equal => left == right,
            Comparison::NotEqual => left != right,
            Comparison::AtLeast => left >= right,
            Comparison::Greater => left > right,
        })
    }
}

impl Expression {
    fn names<'a>(&'a self, names: &mut Vec<&'a str>) {
        match self {
            Expression::Number(_) => {}
            Expression::Name(name) => names.push(name),
            Expression::Negative(inner) => inner.names(names),
            Expression::Binary(left, _, right) => {
                left.names(names);
                right.names(names);
            }
        }
    }

    fn value(&self, of: &dyn Fn(&str) -> Option<f64>) -> Option<f64> {
        Some(match self {
            Expression::Number(number) => *number,
            Expression::Name(name) => of(name)?,
            Expression::Negative(inner) => -inner.value(of)?,
            Expression::Binary(left, sign, right) => {
                let (left, right) = (left.value(of)?, right.value(of)?);
                match sign {
                    '+' => left + right,
                    '-' => left - right,
                    '*' => left * right,
                    _ => left / right,
                }
            }
        })
    }
}

/// How deep parentheses may nest: enough for any constraint, and too few to exhaust the stack.
const DEPTH: usize = 64;

fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    let mut depth = 0;
    while let Some(first) = rest.chars().next() {
        let comparisons = [
            ("<=", Comparison::AtMost),
            (">=", Comparison::AtLeast),
            ("==", Comparison::Equal),
            ("!=", Comparison::NotEqual),
            ("<", Comparison::Less),
            (">", Comparison::Greater),
        ];
        let length = if let Some((sign, comparison)) =
            comparisons.iter().find(|(sign, _)| rest.starts_with(sign))
        {
            tokens.push(Token::Comparison(*comparison));
            sign.len()
        } else if "+-*/()".contains(first) {
            depth += usize::from(matches!(first, '(' | '-'));
            tokens.push(Token::Sign(first));
            1
        } else if first.is_ascii_digit() || first == '.' {
            let length = number_length(rest);
            let number = rest[..length].parse();
            tokens.push(Token::Number(number.map_err(|_| format!("`{}` is no number", &rest[..length]))?));
            length
        } else if first.is_ascii_alphabetic() || first == '_' {
            let ends = |c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '.');
            let length = rest.find(ends).unwrap_or(rest.len());
            tokens.push(Token::Name(rest[..length].into()));
            length
        } else {
            return Err(format!("`{text}` has `{first}`, which belongs to no comparison"));
        };
        rest = rest[length..].trim_start();
    }
    if depth > DEPTH { Err(format!("`{text}` is nested too deeply")) } else { Ok(tokens) }
}

/// The length of the number that the text begins with, an exponent with its sign included.
fn number_length(text: &str) -> usize {
    let mut previous = ' ';
    let ends = |c: char| {
        let inside = c.is_ascii_digit() || ".eE".contains(c) || ("+-".contains(c) && "eE".contains(previous));
        previous = c;
        !inside
    };
    text.find(ends).unwrap_or(text.len())
}

fn sum(tokens: &mut Peekable<IntoIter<Token>>) -> Result<Expression, String> {
    chain(tokens, ['+', '-'], &product)
}

fn product(tokens: &mut Peekable<IntoIter<Token>>) -> Result<Expression, String> {
    chain(tokens, ['*', '/'], &factor)
}

type Part = dyn Fn(&mut Peekable<IntoIter<Token>>) -> Result<Expression, String>;

/// Parts with one of two signs between them, taken from the left.
fn chain(
    tokens: &mut Peekable<IntoIter<Token>>,
    signs: [char; 2],
    part: &Part,
) -> Result<Expression, String> {
    let mut whole = part(tokens)?;
    while let Some(&Token::Sign(sign)) = tokens.peek() {
        if !signs.contains(&sign) {
            break;
        }
        tokens.next();
        whole = Expression::Binary(whole.into(), sign, part(tokens)?.into());
    }
    Ok(whole)
}

fn factor(tokens: &mut Peekable<IntoIter<Token>>) -> Result<Expression, String> {
    match tokens.next() {
        Some(Token::Number(number)) => Ok(Expression::Number(number)),
        Some(Token::Name(name)) => Ok(Expression::Name(name)),
        Some(Token::Sign('-')) => Ok(Expression::Negative(factor(tokens)?.into())),
        Some(Token::Sign('(')) => {
            let inner = sum(tokens)?;
            match tokens.next() {
                Some(Token::Sign(')')) => Ok(inner),
                _ => Err("a parenthesis is not closed".into()),
            }
        }
        _ => Err("a number or a key is missing".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds(text: &str) -> bool {
        let value = |name: &str| match name {
            "network.width" => Some(64.0),
            "network.depth" => Some(4.0),
            "nan" => Some(f64::NAN),
            _ => None,
        };
        Constraint::parse(text).unwrap().holds(&value).unwrap()
    }

    #[test]
    fn comparisons_follow_the_rules_of_arithmetic() {
        for text in [
            "network.width >= 16 * network.depth",
            "network.width>=16*network.depth",
            "1 + 2 * 3 == 7",
            "(1 + 2) * 3 == 9",
            "8 / 2 / 2 == 2",
            "5 - 2 - 1 == 2",
            "-network.depth < -3.5",
            "1e-3 < 2E+1",
            "nan != nan",
            "network.width / network.depth > 15.9",
        ] {
            assert!(holds(text), "{text}");
        }
        for text in ["network.width < 64", "nan == nan", "nan <= 1", "network.depth != 4"] {
            assert!(!holds(text), "{text}");
        }
    }

    #[test]
    fn names_are_listed_and_must_have_values() {
        let constraint = Constraint::parse("a.b * 2 <= c").unwrap();
        assert_eq!(constraint.names(), ["a.b", "c"]);
        assert_eq!(constraint.holds(&|_| None), None);
    }

    #[test]
    fn what_is_no_comparison_is_refused() {
        let deep = format!("{}1{} < 2", "(".repeat(10_000), ")".repeat(10_000));
        for (text, expected) in [
            ("", "missing"),
            ("1 + 2", "has no comparison"),
            ("1 < 2 < 3", "goes on"),
            ("(1 < 2", "not closed"),
            ("1 < ", "missing"),
            ("a = 2", "`=`"),
            ("1.2.3 < 4", "no number"),
            (&deep, "nested too deeply"),
        ] {
            let error = Constraint::parse(text).unwrap_err();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }
}
