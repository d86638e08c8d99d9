//! How `dyn Any` travels: values of the types that tests are likely to put there.

use crate::wire::{Message, Received, Sent};
use std::any::Any;
use std::collections::{HashMap, HashSet};

/// `dyn Any` of these types: a tag and the value. No other crate has encoders of its own for any of
/// them, so what is compiled for one crate serves all.
macro_rules! any_of {
    ($($tag:literal: $kind:ty,)*) => {
        impl<'b, M> Sent<M> for dyn Any + 'b {
            fn send(&self, to: &mut Vec<u8>) {
                // Whatever is Any borrows nothing.
                let this: &(dyn Any + 'static) = unsafe { std::mem::transmute(self) };
                $(if let Some(value) = this.downcast_ref::<$kind>() {
                    to.push($tag);
                    return Sent::<()>::send(value, to);
                })*
                panic!("a value of a type that cannot be sent as `dyn Any`");
            }
        }
        impl<'b, M> Received<M> for Box<dyn Any + 'b> {
            fn receive(from: &mut Message) -> Option<Self> {
                from.leak(); // what is Any may be kept for ever
                from.nested(|from| match from.byte()? {
                    $($tag => Some(Box::new(<$kind as Received<()>>::receive(from)?) as Self),)*
                    _ => None,
                })
            }
        }
    };
}
any_of! {
    0: i32, 1: f64, 2: &'static str, 3: String, 4: char, 5: bool, 6: f32, 7: i64, 8: u8, 9: u16,
    10: u32, 11: u64, 12: usize, 13: i8, 14: i16, 15: isize, 16: u128, 17: i128, 18: (),
    19: Vec<Box<dyn Any>>, 20: Vec<i32>, 21: Vec<i64>, 22: Vec<f64>, 23: Vec<f32>, 24: Vec<u8>,
    25: Vec<String>, 26: Vec<&'static str>, 27: Vec<char>, 28: Vec<bool>, 29: Vec<usize>,
    30: Vec<u32>, 31: Option<i32>, 32: Option<String>, 33: HashMap<String, i32>,
    34: HashMap<i32, i32>, 35: HashMap<&'static str, i32>, 36: HashMap<String, String>,
    37: (i32, i32), 38: Vec<Vec<i32>>, 39: HashSet<i32>, 40: HashMap<&'static str, &'static str>,
    41: Box<dyn Any>, 42: Vec<u64>, 43: Option<f64>,
}

impl<'a, 'b: 'a, M> Received<M> for &'a (dyn Any + 'b) {
    fn receive(from: &mut Message) -> Option<Self> {
        let value = <Box<dyn Any + 'b> as Received<M>>::receive(from)?;
        let place: &'a Box<dyn Any + 'b> = from.keep(value);
        Some(&**place)
    }
}
