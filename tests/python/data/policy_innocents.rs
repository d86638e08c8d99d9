// Programs that policy allows. A line before each says what it looks like.
//~ words in a string
fn f() -> &'static str { "std::fs::read unsafe { include_str!(\"x\") } extern \"C\"" }
//~ words in a raw string
fn f() -> &'static str { r#"use std::{fs, process}; unsafe {} "quoted" "# }
//~ words in a byte string and a char
fn f() { let _ = (b"std::env::var", '"', "unsafe", '\''); }
//~ words in comments
// std::fs::read, unsafe, include_str!("x")
/* std::process::exit(0); /* extern "C" {} */ unsafe {} */
fn f() {}
//~ words in doc comments
/// Uses std::fs::read and `unsafe`, but only here:
/// ```
/// std::process::exit(0);
/// ```
fn f() { /*! extern crate libc; */ }
//~ words inside names
fn hyperbola(external: i32, unsafe_count: i32, environment: i32) -> i32 { external + unsafe_count + environment }
//~ names of modules as variables
fn f(fs: i32, net: i32, env: i32, process: i32, path: i32) -> i32 { fs + net + env + process + path }
//~ names of modules as variables in macros
fn f(fs: i32, env: &str, path: &str) { println!("{} {env} {}", fs, path); let _ = vec![fs; 3]; }
//~ names of modules as fields and methods
struct S { fs: i32, env: i32 }
impl S { fn process(&self) -> i32 { self.fs + self.env } fn path(&self) -> i32 { self.process() } }
//~ a method with a turbofish called like a module
struct S;
impl S { fn env<T: Default>(&self) -> T { T::default() } }
fn f(s: S) -> u8 { assert_eq!(s.env::<u8>(), 0); s.env::<u8>() }
//~ a local module called fs
mod fs { pub fn read(_: &str) -> i32 { 1 } }
fn f() -> i32 { fs::read("x") }
//~ a local module called net in a local module
mod a { pub mod net { pub struct TcpStream; impl TcpStream { pub fn connect() {} } } }
use a::net::{self, TcpStream};
fn f() { TcpStream::connect(); net::TcpStream::connect(); }
//~ a local module called process, imported from the crate's root
mod process { pub fn exit(_: i32) {} }
mod user { use crate::process; pub fn f() { process::exit(0); super::process::exit(1); } }
//~ a local module called std
mod std { pub mod fs { pub fn read() {} } }
fn f() { std::fs::read(); }
//~ a function called process
fn process(x: i32) -> i32 { x }
fn f() -> i32 { process(1) }
//~ a local type called File
struct File { name: String }
impl File { fn open(name: &str) -> File { File { name: name.to_string() } } }
fn f() -> String { File::open("x").name }
//~ a local enum called File
#[derive(Debug, Clone, Copy, PartialEq)]
enum File { Path, Env }
fn f() -> File { use File::*; let _ = Path; File::Env }
//~ a local enum called Command in a function
fn f() -> i32 { enum Command { Push(i32), Pop } match Command::Push(1) { Command::Push(n) => n, Command::Pop => 0 } }
//~ a local type called Path with type parameters
struct Path<T> { nodes: Vec<T> }
impl<T> Path<T> { fn new() -> Self { Path { nodes: Vec::<T>::new() } } }
fn f() -> usize { Path::<i32>::new().nodes.len() }
//~ a type parameter called Path
fn f<Path: Default>() -> Path { Path::default() }
//~ a trait called Process with an associated type
trait Process { type Env; fn process() -> Self::Env; }
impl Process for u8 { type Env = i32; fn process() -> Self::Env { 1 } }
fn f() -> i32 { <u8 as Process>::process() }
//~ mem::swap and replace
use std::mem;
fn f(a: &mut i32, b: &mut i32) { mem::swap(a, b); let _ = std::mem::replace(a, 1); let _ = mem::take(b); }
//~ fmt::Write and io::Write
use std::fmt::Write as _;
use std::io::{self, BufRead, Write};
fn f() { let mut s = String::new(); write!(s, "{}", 1).unwrap(); io::stdout().flush().unwrap(); }
//~ derives
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
struct S { x: i32 }
//~ collections by glob
use std::collections::*;
fn f() { let mut m: HashMap<String, Vec<i32>> = HashMap::new(); m.insert(String::new(), vec![]); }
//~ groups, renames and globs of harmless modules
use std::{cmp::{self, max, Reverse as R}, collections::hash_map::{Entry, HashMap as Map}, iter::*};
fn f() -> i32 { let _: Map<i32, R<i32>> = Map::new(); cmp::min(max(1, 2), 3) }
//~ a renamed root used for harmless modules
use std as s;
fn f() { let _: s::collections::HashSet<i32> = s::collections::HashSet::new(); }
//~ a glob of the root used for harmless modules
use std::*;
fn f() -> i32 { cmp::max(1, 2) + i32::MAX }
//~ threads and sync
use std::sync::{atomic::{AtomicUsize, Ordering}, mpsc, Arc, Mutex};
use std::thread;
fn f() { let m = Arc::new(Mutex::new(0)); thread::spawn(move || { *m.lock().unwrap() += 1; }).join().unwrap(); }
//~ primitives and their modules
fn f() -> f64 { f64::consts::PI + std::f64::consts::E + u8::MAX as f64 + char::from(65u8) as u32 as f64 + str::len("x") as f64 }
//~ core and alloc
extern crate alloc;
use alloc::{string::String, vec::Vec};
fn f() -> core::cmp::Ordering { core::cmp::Ordering::Less }
//~ imports that were forgotten
fn f() -> i32 { let mut m = BTreeMap::new(); m.insert(1, fmt::Error); mem::size_of::<u8>() as i32 }
//~ a macro with a path that has a gap
macro_rules! m { ($a:ident) => { std::cmp::$a(1, 2) } }
fn f() -> i32 { m!(max) + m!(min) }
//~ a macro that chooses a harmless module
macro_rules! m { ($a:ident, $b:ident) => { std::$a::$b(1, 2) } }
fn f() -> i32 { m!(cmp, max) }
//~ a macro with attributes and paths as fragments
macro_rules! m { ($(#[$meta:meta])* $p:path, $env:expr) => { $(#[$meta])* fn g() -> i32 { $p($env, 1) } } }
m!(#[inline] std::cmp::max, 2);
//~ a macro with a path for input, and a variable called core
macro_rules! call { ($core:ident, $p:path) => { $p($core) } }
fn f(core: i32) -> i32 { call!(core, i32::abs) }
//~ a macro that makes a module
macro_rules! module { ($name:ident) => { mod $name { pub fn read() -> i32 { 1 } } } }
module!(helper);
fn f() -> i32 { helper::read() }
//~ a macro that makes a type and an impl
macro_rules! newtype { ($name:ident) => { struct $name(i32); impl $name { fn get(&self) -> i32 { self.0 } } } }
newtype!(Process);
fn f() -> i32 { Process(1).get() }
//~ a macro called env
macro_rules! env { ($e:expr) => { $e + 1 } }
fn f() -> i32 { env!(1) }
//~ a macro with words for input
macro_rules! table { ($($k:ident => $v:expr),* $(,)?) => { [$((stringify!($k), $v)),*] } }
fn f() -> usize { table!(fs => 1, env => 2, process => 3).len() }
//~ lifetimes, labels and characters
fn f<'fs, 'a: 'fs>(x: &'fs str, _: &'a str) -> &'fs str { 'process: loop { if x.contains('\'') { break 'process; } break; } x }
//~ an unsafe-looking identifier
fn f() { let r#unsafe = 1; let is_unsafe = r#unsafe; let _ = is_unsafe; }
//~ allow and other lints
#![allow(unsafe_code, unused_imports)]
#[allow(clippy::needless_range_loop, dead_code)]
#[must_use]
#[inline(always)]
fn f() -> i32 { 1 }
//~ tools' attributes and cfgs
#[rustfmt::skip]
#[cfg(not(test))]
#[cfg_attr(test, derive(Debug))]
#[doc = "std::fs::read"]
#[deprecated(note = "unsafe")]
struct S;
//~ conditional code
fn f() -> bool { cfg!(debug_assertions) && cfg!(target_os = "linux") }
//~ a nested function and a closure with their own imports
fn f() -> i32 { fn g() -> i32 { use std::cmp::max; max(1, 2) } let h = || { use std::cmp::min; min(1, 2) }; g() + h() }
//~ a struct with a where clause and a const parameter
struct M<T, const N: usize> where T: Clone { data: [T; N] }
impl<T: Clone, const N: usize> M<T, N> { fn len(&self) -> usize { let _ = T::clone(&self.data[0]); N } }
//~ operator overloading
use std::ops::{Add, Index, IndexMut};
struct V(i32);
impl Add for V { type Output = Self; fn add(self, o: Self) -> Self::Output { V(self.0 + o.0) } }
//~ errors and conversions
use std::{error::Error, fmt, num::ParseIntError, str::FromStr};
struct P;
impl FromStr for P { type Err = Box<dyn Error>; fn from_str(s: &str) -> Result<Self, Self::Err> { s.parse::<i32>()?; Ok(P) } }
//~ time, hash and any
use std::{any::{Any, TypeId}, collections::hash_map::DefaultHasher, hash::{Hash, Hasher}, time::Duration};
fn f(x: &dyn Any) -> u64 { let mut h = DefaultHasher::new(); TypeId::of::<i32>().hash(&mut h); h.finish() }
//~ async and let-else
async fn g() -> i32 { 1 }
fn f(x: Option<i32>) -> i32 { let Some(y) = x else { return 0 }; y }
//~ strings of other languages
fn f() -> String { format!("import os; os.system('{}'); #include <stdlib.h> {{unsafe}}", "rm") }
//~ text that is not ASCII
fn größe(naïve: &str) -> usize { let π = "std::fs — „unsafe“ 🦀"; naïve.len() + π.chars().count() }
