//! How values travel between the two processes: as plain bytes, read strictly.
//!
//! `M` says whose encoders are meant, so that a crate can give its own for types of another. A
//! value takes at least a byte, so a length is never more than what is left of a message; nothing
//! is allocated for what has not arrived.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap, HashSet, LinkedList, VecDeque};
use std::hash::{BuildHasher, Hash};
use std::marker::PhantomData;
use std::rc::Rc;
use std::sync::Arc;

/// How deep a value may be nested: more would overflow the reader's stack.
const DEPTH_LIMIT: usize = 3000;

/// A value that can be written.
pub trait Sent<M> {
    fn send(&self, to: &mut Vec<u8>);
}

/// A value that can be read; None where the bytes are none of its kind.
pub trait Received<M>: Sized {
    fn receive(from: &mut Message) -> Option<Self>;
}

/// What a `&mut` argument leads to: it is lent to a call, and what has become of it sent back.
pub trait Lent<M> {
    fn lend<'a>(from: &mut Message) -> Option<&'a mut Self>;
    fn refill(&mut self, from: &mut Message) -> Option<()>;
}

/// Bytes that are being read, and what was lent from them.
pub struct Message {
    bytes: Vec<u8>,
    at: usize,
    depth: usize,
    kept: Vec<(*mut (), unsafe fn(*mut ()))>,
    leaks: bool,
}

impl Message {
    pub fn new(bytes: Vec<u8>) -> Message {
        Message { bytes, at: 0, depth: 0, kept: Vec::new(), leaks: false }
    }

    /// Let what was lent live for ever.
    pub fn leak(&mut self) {
        self.leaks = true;
    }

    /// Whether nothing is left.
    pub fn ended(&self) -> Option<()> {
        if self.at == self.bytes.len() { Some(()) } else { None }
    }

    pub fn byte(&mut self) -> Option<u8> {
        self.take(1).map(|bytes| bytes[0])
    }

    pub fn take(&mut self, count: usize) -> Option<&[u8]> {
        let end = self.at.checked_add(count)?;
        let bytes = self.bytes.get(self.at..end)?;
        self.at = end;
        Some(bytes)
    }

    /// One level deeper, for types that may hold themselves.
    pub fn nested<T>(&mut self, read: impl FnOnce(&mut Message) -> Option<T>) -> Option<T> {
        if self.depth == DEPTH_LIMIT {
            return None;
        }
        self.depth += 1;
        let value = read(self);
        self.depth -= 1;
        value
    }

    fn length(&mut self) -> Option<usize> {
        let length = u64::from_le_bytes(self.take(8)?.try_into().ok()?) as usize;
        if length <= self.bytes.len() - self.at { Some(length) } else { None }
    }

    /// A place for `value` that lives as long as this message, or for ever.
    pub fn keep<'a, T: 'a>(&mut self, value: T) -> &'a mut T {
        unsafe fn free<T>(place: *mut ()) {
            unsafe { drop(Box::from_raw(place.cast::<T>())) }
        }
        let place = Box::into_raw(Box::new(value));
        self.kept.push((place.cast(), free::<T>));
        unsafe { &mut *place }
    }
}

impl Drop for Message {
    fn drop(&mut self) {
        if !self.leaks {
            for (place, free) in self.kept.drain(..) {
                unsafe { free(place) }
            }
        }
    }
}

fn send_length(length: usize, to: &mut Vec<u8>) {
    to.extend_from_slice(&(length as u64).to_le_bytes());
}

macro_rules! numbers {
    ($($kind:ty as $wide:ty),*) => {$(
        impl<M> Sent<M> for $kind {
            fn send(&self, to: &mut Vec<u8>) {
                to.extend_from_slice(&(*self as $wide).to_le_bytes());
            }
        }
        impl<M> Received<M> for $kind {
            fn receive(from: &mut Message) -> Option<Self> {
                let bytes = from.take(std::mem::size_of::<$wide>())?;
                <$kind>::try_from(<$wide>::from_le_bytes(bytes.try_into().ok()?)).ok()
            }
        }
    )*};
}
numbers!(u8 as u8, u16 as u16, u32 as u32, u64 as u64, u128 as u128, usize as u64);
numbers!(i8 as i8, i16 as i16, i32 as i32, i64 as i64, i128 as i128, isize as i64);

macro_rules! through {
    ($($kind:ty, $plain:ty, $to:expr, $from:expr;)*) => {$(
        impl<M> Sent<M> for $kind {
            fn send(&self, to: &mut Vec<u8>) {
                let plain: $plain = $to(*self);
                Sent::<M>::send(&plain, to);
            }
        }
        impl<M> Received<M> for $kind {
            fn receive(from: &mut Message) -> Option<Self> {
                let plain = <$plain as Received<M>>::receive(from)?;
                $from(plain)
            }
        }
    )*};
}
through! {
    f32, u32, f32::to_bits, |bits| Some(f32::from_bits(bits));
    f64, u64, f64::to_bits, |bits| Some(f64::from_bits(bits));
    char, u32, u32::from, char::from_u32;
    bool, u8, u8::from, |byte| match byte { 0 => Some(false), 1 => Some(true), _ => None };
    (), u8, |_| 0, |byte| if byte == 0 { Some(()) } else { None };
    Ordering, i8, |order| order as i8, |byte: i8| match byte {
        -1..=1 => Some(byte.cmp(&0)),
        _ => None,
    };
}

impl<M> Sent<M> for str {
    fn send(&self, to: &mut Vec<u8>) {
        send_length(self.len(), to);
        to.extend_from_slice(self.as_bytes());
    }
}

impl<M> Sent<M> for String {
    fn send(&self, to: &mut Vec<u8>) {
        Sent::<M>::send(self.as_str(), to);
    }
}

impl<M> Received<M> for String {
    fn receive(from: &mut Message) -> Option<Self> {
        let length = from.length()?;
        std::str::from_utf8(from.take(length)?).ok().map(str::to_string)
    }
}

impl<M, T: Sent<M>> Sent<M> for [T] {
    fn send(&self, to: &mut Vec<u8>) {
        send_length(self.len(), to);
        for item in self {
            item.send(to);
        }
    }
}

impl<M, T: Sent<M>, const N: usize> Sent<M> for [T; N] {
    fn send(&self, to: &mut Vec<u8>) {
        self.as_slice().send(to);
    }
}

impl<M, T: Received<M>, const N: usize> Received<M> for [T; N] {
    fn receive(from: &mut Message) -> Option<Self> {
        Vec::receive(from)?.try_into().ok()
    }
}

macro_rules! collections {
    ($($kind:ident<$item:ident $(: $bound:ident $(+ $more:ident)*)?> $(by $by:ident)?;)*) => {$(
        impl<M, $item: Sent<M> $(, $by)?> Sent<M> for $kind<$item $(, $by)?> {
            fn send(&self, to: &mut Vec<u8>) {
                send_length(self.len(), to);
                for item in self.iter() {
                    item.send(to);
                }
            }
        }
        impl<M, $item: Received<M> $(+ $bound $(+ $more)*)? $(, $by: BuildHasher + Default)?>
            Received<M> for $kind<$item $(, $by)?>
        {
            fn receive(from: &mut Message) -> Option<Self> {
                (0..from.length()?).map(|_| $item::receive(from)).collect()
            }
        }
    )*};
}
collections! {
    Vec<T>; VecDeque<T>; LinkedList<T>; BinaryHeap<T: Ord>; BTreeSet<T: Ord>;
    HashSet<T: Eq + Hash> by S;
}

macro_rules! maps {
    ($($kind:ident: $bound:ident $(+ $more:ident)* $(, by $by:ident)?;)*) => {$(
        impl<M, K: Sent<M>, V: Sent<M> $(, $by)?> Sent<M> for $kind<K, V $(, $by)?> {
            fn send(&self, to: &mut Vec<u8>) {
                send_length(self.len(), to);
                for (key, value) in self {
                    key.send(to);
                    value.send(to);
                }
            }
        }
        impl<M, K: Received<M> + $bound $(+ $more)*, V: Received<M>
            $(, $by: BuildHasher + Default)?> Received<M> for $kind<K, V $(, $by)?>
        {
            fn receive(from: &mut Message) -> Option<Self> {
                (0..from.length()?).map(|_| <(K, V)>::receive(from)).collect()
            }
        }
    )*};
}
maps! { HashMap: Eq + Hash, by S; BTreeMap: Ord; }

macro_rules! tuples {
    ($($($name:ident)*;)*) => {$(
        impl<M, $($name: Sent<M>),*> Sent<M> for ($($name,)*) {
            #[allow(non_snake_case)]
            fn send(&self, to: &mut Vec<u8>) {
                let ($($name,)*) = self;
                $($name.send(to);)*
            }
        }
        impl<M, $($name: Received<M>),*> Received<M> for ($($name,)*) {
            fn receive(from: &mut Message) -> Option<Self> {
                Some(($($name::receive(from)?,)*))
            }
        }
    )*};
}
tuples! {
    A; A B; A B C; A B C D; A B C D E; A B C D E F; A B C D E F G; A B C D E F G H;
    A B C D E F G H I; A B C D E F G H I J; A B C D E F G H I J K; A B C D E F G H I J K L;
}

impl<M, T: Sent<M>> Sent<M> for Option<T> {
    fn send(&self, to: &mut Vec<u8>) {
        to.push(self.is_some() as u8);
        if let Some(value) = self {
            value.send(to);
        }
    }
}

impl<M, T: Received<M>> Received<M> for Option<T> {
    fn receive(from: &mut Message) -> Option<Self> {
        match from.byte()? {
            0 => Some(None),
            1 => Some(Some(T::receive(from)?)),
            _ => None,
        }
    }
}

impl<M, T: Sent<M>, E: Sent<M>> Sent<M> for Result<T, E> {
    fn send(&self, to: &mut Vec<u8>) {
        to.push(self.is_ok() as u8);
        match self {
            Ok(value) => value.send(to),
            Err(error) => error.send(to),
        }
    }
}

impl<M, T: Received<M>, E: Received<M>> Received<M> for Result<T, E> {
    fn receive(from: &mut Message) -> Option<Self> {
        match from.byte()? {
            0 => Some(Err(E::receive(from)?)),
            1 => Some(Ok(T::receive(from)?)),
            _ => None,
        }
    }
}

macro_rules! pointers {
    ($($pointer:ident),*) => {$(
        impl<M, T: Sent<M> + ?Sized> Sent<M> for $pointer<T> {
            fn send(&self, to: &mut Vec<u8>) {
                T::send(self, to);
            }
        }
        impl<M, T: Received<M>> Received<M> for $pointer<T> {
            fn receive(from: &mut Message) -> Option<Self> {
                T::receive(from).map($pointer::new)
            }
        }
        impl<M> Received<M> for $pointer<str> {
            fn receive(from: &mut Message) -> Option<Self> {
                <String as Received<M>>::receive(from).map(Self::from)
            }
        }
        impl<M, T: Received<M>> Received<M> for $pointer<[T]> {
            fn receive(from: &mut Message) -> Option<Self> {
                Vec::receive(from).map(Self::from)
            }
        }
    )*};
}
pointers!(Box, Rc, Arc);

impl<M, T: Sent<M> + ?Sized> Sent<M> for &T {
    fn send(&self, to: &mut Vec<u8>) {
        T::send(self, to);
    }
}

impl<'a, M, T: Received<M> + 'a> Received<M> for &'a T {
    fn receive(from: &mut Message) -> Option<Self> {
        let value = T::receive(from)?;
        Some(from.keep(value))
    }
}

impl<'a, M> Received<M> for &'a str {
    fn receive(from: &mut Message) -> Option<Self> {
        let value = <String as Received<M>>::receive(from)?;
        Some(from.keep(value))
    }
}

impl<'a, M, T: Received<M> + 'a> Received<M> for &'a [T] {
    fn receive(from: &mut Message) -> Option<Self> {
        let value: Vec<T> = Vec::receive(from)?;
        Some(from.keep(value))
    }
}

impl<M> Sent<M> for Cow<'_, str> {
    fn send(&self, to: &mut Vec<u8>) {
        Sent::<M>::send(&**self, to);
    }
}

impl<M> Received<M> for Cow<'_, str> {
    fn receive(from: &mut Message) -> Option<Self> {
        <String as Received<M>>::receive(from).map(Cow::Owned)
    }
}

impl<M, T: ?Sized> Sent<M> for PhantomData<T> {
    fn send(&self, to: &mut Vec<u8>) {
        to.push(0);
    }
}

impl<M, T: ?Sized> Received<M> for PhantomData<T> {
    fn receive(from: &mut Message) -> Option<Self> {
        from.byte().map(|_| PhantomData)
    }
}

impl<M, T: Received<M>> Lent<M> for T {
    fn lend<'a>(from: &mut Message) -> Option<&'a mut T> {
        let value = T::receive(from)?;
        let place: *mut T = from.keep(value);
        Some(unsafe { &mut *place })
    }

    fn refill(&mut self, from: &mut Message) -> Option<()> {
        *self = T::receive(from)?;
        Some(())
    }
}

impl<M, T: Received<M>> Lent<M> for [T] {
    fn lend<'a>(from: &mut Message) -> Option<&'a mut [T]> {
        <Vec<T> as Lent<M>>::lend(from).map(Vec::as_mut_slice)
    }

    fn refill(&mut self, from: &mut Message) -> Option<()> {
        let items: Vec<T> = Vec::receive(from)?;
        if items.len() != self.len() {
            return None;
        }
        self.iter_mut().zip(items).for_each(|(place, item)| *place = item);
        Some(())
    }
}
