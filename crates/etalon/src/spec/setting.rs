//! The kinds of value that a key takes.

use super::{BatchSize, Budget};
use std::collections::BTreeMap;
use toml::Value;

/// One key of one spec, to be read or written as TOML.
pub trait Setting {
    /// Takes a value; the reason, to be read after the key's name, where it cannot.
    fn set(&mut self, value: &Value) -> Result<(), String>;
    /// The value; none for a key that another one stands in for.
    fn get(&self) -> Option<Value>;
}

/// A whole number, not negative.
pub(super) struct Whole<'a, N>(pub(super) &'a mut N);

impl<N: TryFrom<i64> + TryInto<i64> + Copy> Setting for Whole<'_, N> {
    fn set(&mut self, value: &Value) -> Result<(), String> {
        *self.0 = whole(value)?;
        Ok(())
    }

    fn get(&self) -> Option<Value> {
        (*self.0).try_into().ok().map(Value::Integer)
    }
}

fn whole<N: TryFrom<i64>>(value: &Value) -> Result<N, String> {
    let number = match value {
        Value::Integer(number) => *number,
        // 1e4 is a natural way to write a whole number.
        Value::Float(number) if number.fract() == 0.0 && number.abs() < 2f64.powi(53) => *number as i64,
        _ => return Err(format!("takes a whole number, not {value}")),
    };
    N::try_from(number).map_err(|_| format!("takes a whole number from 0 on, not {number}"))
}

/// A real number.
pub(super) struct Real<'a>(pub(super) &'a mut f64);

impl Setting for Real<'_> {
    fn set(&mut self, value: &Value) -> Result<(), String> {
        *self.0 = real(value)?;
        Ok(())
    }

    fn get(&self) -> Option<Value> {
        Some(Value::Float(*self.0))
    }
}

fn real(value: &Value) -> Result<f64, String> {
    match value {
        Value::Float(number) => Ok(*number),
        Value::Integer(number) => Ok(*number as f64),
        _ => Err(format!("takes a number, not {value}")),
    }
}

/// Yes or no.
pub(super) struct Flag<'a>(pub(super) &'a mut bool);

impl Setting for Flag<'_> {
    fn set(&mut self, value: &Value) -> Result<(), String> {
        *self.0 = value.as_bool().ok_or_else(|| format!("takes true or false, not {value}"))?;
        Ok(())
    }

    fn get(&self) -> Option<Value> {
        Some(Value::Boolean(*self.0))
    }
}

/// Any text.
pub(super) struct Text<'a>(pub(super) &'a mut String);

impl Setting for Text<'_> {
    fn set(&mut self, value: &Value) -> Result<(), String> {
        *self.0 = value.as_str().ok_or_else(|| format!("takes text, not {value}"))?.into();
        Ok(())
    }

    fn get(&self) -> Option<Value> {
        Some(Value::String(self.0.clone()))
    }
}

/// One of several names.
pub(super) struct Choice<'a, T: 'static> {
    pub(super) value: &'a mut T,
    pub(super) all: &'static [(&'static str, T)],
}

impl<T: Copy + PartialEq> Setting for Choice<'_, T> {
    fn set(&mut self, value: &Value) -> Result<(), String> {
        let named = value.as_str().and_then(|name| self.all.iter().find(|(other, _)| *other == name));
        let Some((_, named)) = named else {
            let names: Vec<&str> = self.all.iter().map(|(name, _)| *name).collect();
            return Err(format!("takes {}, not {value}", either(&names)));
        };
        *self.value = *named;
        Ok(())
    }

    fn get(&self) -> Option<Value> {
        let named = self.all.iter().find(|(_, value)| value == self.value);
        named.map(|(name, _)| Value::String((*name).into()))
    }
}

/// `a`, `a or b`, `a, b or c`.
fn either(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [one] => format!("only {one}"),
        [most @ .., last] => format!("{} or {last}", most.join(", ")),
    }
}

/// A list of whole numbers.
pub(super) struct Wholes<'a>(pub(super) &'a mut Vec<u64>);

impl Setting for Wholes<'_> {
    fn set(&mut self, value: &Value) -> Result<(), String> {
        let list = value.as_array().ok_or_else(|| format!("takes a list of whole numbers, not {value}"))?;
        *self.0 = list.iter().map(whole).collect::<Result<_, _>>()?;
        Ok(())
    }

    fn get(&self) -> Option<Value> {
        Some(Value::Array(self.0.iter().map(|&number| Value::Integer(number as i64)).collect()))
    }
}

/// A list of numbers.
pub(super) struct Reals<'a>(pub(super) &'a mut Vec<f64>);

impl Setting for Reals<'_> {
    fn set(&mut self, value: &Value) -> Result<(), String> {
        let list = value.as_array().ok_or_else(|| format!("takes a list of numbers, not {value}"))?;
        *self.0 = list.iter().map(real).collect::<Result<_, _>>()?;
        Ok(())
    }

    fn get(&self) -> Option<Value> {
        Some(Value::Array(self.0.iter().map(|&number| Value::Float(number)).collect()))
    }
}

/// The two ends of a range.
pub(super) struct Ends<'a>(pub(super) &'a mut [f64; 2]);

impl Setting for Ends<'_> {
    fn set(&mut self, value: &Value) -> Result<(), String> {
        let mut list = Vec::new();
        Reals(&mut list).set(value)?;
        let ends = list.try_into().map_err(|_| format!("takes two numbers, not {value}"))?;
        *self.0 = ends;
        Ok(())
    }

    fn get(&self) -> Option<Value> {
        Reals(&mut self.0.to_vec()).get()
    }
}

/// Names with numbers.
pub(super) struct Numbers<'a>(pub(super) &'a mut BTreeMap<String, f64>);

impl Setting for Numbers<'_> {
    fn set(&mut self, value: &Value) -> Result<(), String> {
        let table = value
            .as_table()
            .ok_or_else(|| format!("takes a table such as {{ \"layers.0.weight\" = 0.1 }}, not {value}"))?;
        *self.0 = table
            .iter()
            .map(|(name, value)| Ok((name.clone(), real(value)?)))
            .collect::<Result<_, String>>()?;
        Ok(())
    }

    fn get(&self) -> Option<Value> {
        Some(Value::Table(self.0.iter().map(|(name, &value)| (name.clone(), Value::Float(value))).collect()))
    }
}

/// Names with text, numbers, true or false.
pub(super) struct Scalars<'a>(pub(super) &'a mut BTreeMap<String, Value>);

impl Setting for Scalars<'_> {
    fn set(&mut self, value: &Value) -> Result<(), String> {
        let table = value
            .as_table()
            .ok_or_else(|| format!("takes a table such as {{ NAME = \"text\" }}, not {value}"))?;
        let is_scalar =
            |value: &Value| value.is_str() || value.is_integer() || value.is_float() || value.is_bool();
        if let Some((name, value)) = table.iter().find(|(_, value)| !is_scalar(value)) {
            return Err(format!("takes text, numbers, true or false by name, and {name} is {value}"));
        }
        *self.0 = table.clone().into_iter().collect();
        Ok(())
    }

    fn get(&self) -> Option<Value> {
        Some(Value::Table(self.0.clone().into_iter().collect()))
    }
}

/// A number of samples, or `"full"`.
pub(super) struct Batch<'a>(pub(super) &'a mut BatchSize);

impl Setting for Batch<'_> {
    fn set(&mut self, value: &Value) -> Result<(), String> {
        *self.0 = match value.as_str() {
            Some("full") => BatchSize::Full,
            Some(_) => return Err(format!("takes a number of samples or \"full\", not {value}")),
            None => BatchSize::Samples(whole(value)?),
        };
        Ok(())
    }

    fn get(&self) -> Option<Value> {
        Some(match *self.0 {
            BatchSize::Full => Value::String("full".into()),
            BatchSize::Samples(samples) => Value::Integer(samples as i64),
        })
    }
}

/// A number of samples, or `"all"`, which is kept as 0.
pub(super) struct Count<'a>(pub(super) &'a mut usize);

impl Setting for Count<'_> {
    fn set(&mut self, value: &Value) -> Result<(), String> {
        *self.0 = match value.as_str() {
            Some("all") => 0,
            Some(_) => return Err(format!("takes a number of samples or \"all\", not {value}")),
            None => match whole(value)? {
                0 => return Err("takes at least 1 sample, or \"all\"".into()),
                samples => samples,
            },
        };
        Ok(())
    }

    fn get(&self) -> Option<Value> {
        Some(if *self.0 == 0 { Value::String("all".into()) } else { Value::Integer(*self.0 as i64) })
    }
}

/// A value that may be left open.
pub(super) struct Maybe<'a, T> {
    pub(super) value: &'a mut Option<T>,
    /// The setting of the value itself.
    pub(super) kind: for<'b> fn(&'b mut T) -> Box<dyn Setting + 'b>,
}

impl<T: Clone + Default> Setting for Maybe<'_, T> {
    fn set(&mut self, value: &Value) -> Result<(), String> {
        (self.kind)(self.value.insert(T::default())).set(value)
    }

    fn get(&self) -> Option<Value> {
        self.value.clone().and_then(|mut value| (self.kind)(&mut value).get())
    }
}

/// A key that is left out of resolved specs where it has no part, so that trials from before there was such a key keep
/// their names.
pub(super) struct Only<S> {
    pub(super) shown: bool,
    pub(super) setting: S,
}

impl<S: Setting> Setting for Only<S> {
    fn set(&mut self, value: &Value) -> Result<(), String> {
        self.setting.set(value)
    }

    fn get(&self) -> Option<Value> {
        self.shown.then(|| self.setting.get()).flatten()
    }
}

/// One of the three ways to say how long to train.
pub(super) struct Length<'a> {
    pub(super) budget: &'a mut Budget,
    /// Makes the budget of this key's kind.
    pub(super) make: fn(f64) -> Budget,
}

impl Setting for Length<'_> {
    fn set(&mut self, value: &Value) -> Result<(), String> {
        *self.budget = match (self.make)(0.0) {
            // As it is: beyond 2^53, f64 has not every whole number.
            Budget::Steps(_) => Budget::Steps(whole(value)?),
            _ => (self.make)(real(value)?),
        };
        Ok(())
    }

    fn get(&self) -> Option<Value> {
        let same_kind = std::mem::discriminant(&(self.make)(0.0)) == std::mem::discriminant(self.budget);
        same_kind.then_some(match *self.budget {
            Budget::Steps(steps) => Value::Integer(steps as i64),
            Budget::Epochs(amount) | Budget::PhysicalTime(amount) => Value::Float(amount),
        })
    }
}
