// Programs that policy forbids. A line before each says its category and what it tries.
//~ filesystem: a plain path
fn f() { std::fs::read("x").unwrap(); }
//~ filesystem: an import
use std::fs;
fn f() { fs::read("x").unwrap(); }
//~ filesystem: a type imported by name
use std::fs::File;
fn f() { File::open("x").unwrap(); }
//~ filesystem: a group of imports
use std::{collections::HashMap, fs};
fn f() { fs::read("x").unwrap(); }
//~ filesystem: nested groups
use std::{{fs::{self as g, File}, fmt}};
fn f() { g::read("x").unwrap(); }
//~ filesystem: a group without a path
use {std::fs as g};
fn f() { g::read("x").unwrap(); }
//~ filesystem: a renamed root
use std as s;
fn f() { s::fs::read("x").unwrap(); }
//~ filesystem: a root renamed as self
use std::{self as s};
fn f() { s::fs::read("x").unwrap(); }
//~ filesystem: a chain of renames
use std as a;
use a as b;
use self::b as c;
fn f() { c::fs::read("x").unwrap(); }
//~ filesystem: a glob of the root
use std::*;
fn f() { fs::read("x").unwrap(); }
//~ filesystem: a glob of a renamed root in a function
use std as s;
fn f() {
    use s::*;
    fs::read("x").unwrap();
}
//~ filesystem: a glob of the module
use std::fs::*;
fn f() { read("x").unwrap(); }
//~ filesystem: a leading path separator
fn f() { ::std::fs::read("x").unwrap(); }
//~ filesystem: a group after a leading separator
use ::{std::fs as g};
fn f() { g::read("x").unwrap(); }
//~ filesystem: white space and comments between segments
fn f() { std /* a */ :: // b
    fs
    :: read("x").unwrap(); }
//~ filesystem: a nested comment with a quote between segments
fn f() { std::/* " /* ' */ */fs::read("x").unwrap(); }
//~ filesystem: raw identifiers
fn f() { r#std::r#fs::r#read("x").unwrap(); }
//~ filesystem: white space that only rustc knows
fn f() { std‎::‏fs::read("x").unwrap(); }
//~ filesystem: extern crate under another name
extern crate std as foo;
fn f() { foo::fs::read("x").unwrap(); }
//~ filesystem: extern crate under another name, from a module
extern crate std as foo;
mod m { pub fn f() { foo::fs::read("x").unwrap(); } }
//~ filesystem: a bracketed type
fn f() { <std::fs::File>::open("x").unwrap(); }
//~ filesystem: a qualified path
fn f() { <std::fs::File as std::io::Read>::read(todo!(), &mut []).unwrap(); }
//~ filesystem: type arguments
fn f() { let v = Vec::<std::fs::File>::new(); drop(v); }
//~ filesystem: a turbofish
fn f() { std::fs::read::<&str>("x").unwrap(); }
//~ filesystem: a type in a signature
fn f(x: Option<&std::path::Path>) {}
//~ filesystem: a trait bound
fn f<T: AsRef<std::path::Path>>(x: T) {}
//~ filesystem: a where clause
fn f<T>(x: T) where T: Into<std::path::PathBuf> {}
//~ filesystem: an associated type
trait A { type T; }
impl A for u8 { type T = std::fs::File; }
//~ filesystem: a type alias
type F = std::fs::File;
fn f() { F::open("x").unwrap(); }
//~ filesystem: a value that is never called by its path
fn f() { let read = std::fs::read::<&str>; read("x").unwrap(); }
//~ filesystem: a pattern
fn f(p: &dyn std::any::Any) { if let Some(std::path::Component::RootDir) = None {} }
//~ filesystem: a re-export in a module
mod a { pub use std as s; }
fn f() { a::s::fs::read("x").unwrap(); }
//~ filesystem: a chain of supers
use std as s;
mod a { pub mod b { pub fn f() { super::super::s::fs::read("x").unwrap(); } } }
//~ filesystem: a glob of the parent module
use std as s;
mod a { use super::*; pub fn f() { s::fs::read("x").unwrap(); } }
//~ filesystem: a glob of a module that globs the root
mod a { pub use std::*; }
use a::*;
fn f() { fs::read("x").unwrap(); }
//~ filesystem: a path from the crate's root
use std::*;
mod m { pub fn f() { crate::fs::read("x").unwrap(); } }
//~ filesystem: a local module that exists only under a cfg
#[cfg(any())]
mod fs { pub fn read(_: &str) -> Option<()> { None } }
use std::*;
fn f() { fs::read("x").unwrap(); }
//~ filesystem: a local module that removes itself
mod std { #![cfg(any())] pub mod fs {} }
fn f() { std::fs::read("x").unwrap(); }
//~ filesystem: an import that exists only under a cfg_attr
mod own { pub mod fs {} }
#[cfg_attr(all(), cfg(any()))]
use own as std;
fn f() { std::fs::read("x").unwrap(); }
//~ filesystem: a function that shares the module's name
mod a { pub fn fs() {} }
use a::fs;
use std::*;
fn f() { fs::read("x").unwrap(); }
//~ filesystem: a local module of the name, elsewhere
mod a { pub mod std { pub mod fs {} } }
fn f() { std::fs::read("x").unwrap(); }
//~ filesystem: a local module of the name, around but not in scope
mod std { pub mod fs {} }
mod m { pub fn f() { std::fs::read("x").unwrap(); } }
//~ filesystem: a local type of the name in another function
fn g() { struct File; }
use std::fs::File;
fn f() { File::open("x").unwrap(); }
//~ filesystem: in the input of println
fn f() { println!("{:?}", std::fs::read("x")); }
//~ filesystem: an import in the input of vec
fn f() { let _ = vec![{ use std::fs as q; q::read("x") }]; }
//~ filesystem: after a range in macro input
fn f() { let _ = vec![0..std::fs::read("x").unwrap().len()]; }
//~ filesystem: a macro that appends a module
macro_rules! m { ($a:ident) => { std::$a::read("x").unwrap() } }
fn f() { m!(fs); }
//~ filesystem: a macro that is given the root
macro_rules! m { ($a:ident) => { $a::fs::read("x").unwrap() } }
fn f() { m!(std); }
//~ filesystem: a macro that is given a renamed root
use std as s;
macro_rules! m { ($a:ident) => { $a::fs::read("x").unwrap() } }
fn f() { m!(s); }
//~ filesystem: a macro that is given every segment
macro_rules! m { ($a:ident $b:ident $c:ident) => { $a::$b::$c("x").unwrap() } }
fn f() { m!(std fs read); }
//~ filesystem: a macro that joins its input
macro_rules! m { ($($a:ident),*) => { $($a)::* ("x").unwrap() } }
fn f() { m!(std, fs, read); }
//~ filesystem: a macro that turns its input around
macro_rules! m { ([$($a:tt)*] [$($b:tt)*]) => { $($b)* $($a)* ("x").unwrap() } }
fn f() { m!([fs::read] [std::]); }
//~ filesystem: a macro that imports what it is given
macro_rules! m { ($a:ident) => { use std::$a as g; } }
m!(fs);
fn f() { g::read("x").unwrap(); }
//~ filesystem: a macro that imports a group with a gap
macro_rules! m { ($a:ident) => { use std::{fmt, $a as g}; } }
m!(fs);
fn f() { g::read("x").unwrap(); }
//~ filesystem: a macro that imports the root
macro_rules! m { () => { use std as q; } }
m!();
fn f() { q::fs::read("x").unwrap(); }
//~ filesystem: a macro that imports the root into another module
macro_rules! m { () => { pub use std as q; } }
mod a { m!(); }
fn f() { crate::a::q::fs::read("x").unwrap(); }
//~ filesystem: a macro that globs the root
macro_rules! m { () => { use std::*; } }
m!();
fn f() { fs::read("x").unwrap(); }
//~ filesystem: a macro that hides a path in a macro's input
macro_rules! id { ($($t:tt)*) => { $($t)* } }
fn f() { id! { id! { std::fs::read("x").unwrap() } }; }
//~ filesystem: a macro of this source called println
macro_rules! println { ($a:ident $b:ident) => { $a::$b::read("x") } }
fn f() { println!(std fs); }
//~ filesystem: one macro fed by another inside println
macro_rules! m { ($a:ident) => { std::$a::read("x") } }
fn f() { println!("{:?}", m!(fs)); }
//~ filesystem: a macro that goes through $crate
use std as s;
macro_rules! m { () => { $crate::s::fs::read("x").unwrap() } }
fn f() { m!(); }
//~ filesystem: Unix file extensions
use std::os::unix::fs::PermissionsExt;
fn f() {}
//~ filesystem: a descriptor
fn f() { use std::os::fd::AsRawFd; std::io::stdin().as_raw_fd(); }
//~ filesystem: an import that was forgotten
fn f() { File::open("x").unwrap(); }
//~ filesystem: quotes and lifetimes that look like strings
fn f<'a>(x: &'a str) { let q = '"'; std::fs::read("x").unwrap(); let r = '"'; }
//~ filesystem: an escaped quote before
fn f() { let q = ('\'', b'\'', "\"", '\\'); std::fs::read("x").unwrap(); let c = "'"; }
//~ filesystem: a raw string that looks unclosed
fn f() { let q = (r"\", r#"""#, br##""#"##); std::fs::read("x").unwrap(); let c = "\""; }
//~ filesystem: a comment that looks unclosed
fn f() { let q = "/*"; std::fs::read("x").unwrap(); let c = "*/"; }
//~ filesystem: a nested comment that looks closed
fn f() { /* /* */ " */ std::fs::read("x").unwrap(); /* " */ }
//~ filesystem: a line that looks like a shebang
#!/**/[allow(unused)] fn f() { std::fs::read("x").unwrap(); }
//~ filesystem: the derive of an attribute's argument
#[derive(std::fs::Derive)]
struct S;
//~ network: a plain path
fn f() { std::net::TcpStream::connect("127.0.0.1:1").unwrap(); }
//~ network: a group of imports
use std::{io::Read, net::{TcpListener, TcpStream as T}};
fn f() {}
//~ network: a Unix socket
use std::os::unix::net::UnixStream;
fn f() { UnixStream::connect("x").unwrap(); }
//~ network: a network crate
async fn f() { reqwest::get("x").await; }
//~ network: the network part of a runtime
use tokio::net::TcpStream;
fn f() {}
//~ process: exit
fn f() { std::process::exit(0); }
//~ process: an import of exit under another name
use std::process::exit as leave;
fn f() { leave(0); }
//~ process: an import in a group with process
use std::{fs as _, process};
fn f() { process::abort(); }
//~ process: a command
fn f() { std::process::Command::new("sh").spawn().unwrap(); }
//~ process: a command imported by glob
use std::process::*;
fn f() { Command::new("sh").spawn().unwrap(); }
//~ process: exec
fn f() { use std::os::unix::process::CommandExt; }
//~ process: a forgotten import
fn f() { process::exit(0); }
//~ environment: a plain path
fn f() { std::env::var("HOME").unwrap(); }
//~ environment: a renamed import
use std::env as e;
fn f() { e::args().count(); }
//~ unsafe: a block
fn f() { unsafe { std::hint::unreachable_unchecked() } }
//~ unsafe: a function
unsafe fn f() {}
//~ unsafe: an impl
struct S;
unsafe impl Send for S {}
//~ unsafe: a trait
unsafe trait T {}
//~ unsafe: in a macro
macro_rules! m { ($e:expr) => { unsafe { $e } } }
fn f() { m!(1); }
//~ unsafe: in the input of a macro
fn f() { assert!(unsafe { true }); }
//~ unsafe: a processor's intrinsics
use std::arch::x86_64::_rdtsc;
fn f() {}
//~ unsafe: in a closure in a const
const C: fn() = || { unsafe {} };
//~ unsafe: an unsafe attribute
#[unsafe(no_mangle)]
fn exit() {}
//~ ffi: a foreign block
extern "C" { fn exit(code: i32) -> !; }
//~ ffi: a foreign block without an ABI
extern { fn getpid() -> i32; }
//~ ffi: an extern function
pub extern "C" fn memcmp() -> i32 { 0 }
//~ ffi: an extern function in a macro
macro_rules! m { () => { pub extern "C" fn memcmp() -> i32 { 0 } } }
m!();
//~ ffi: no_mangle
#[no_mangle]
pub fn exit() {}
//~ ffi: no_mangle by a cfg_attr
#[cfg_attr(all(), inline, no_mangle)]
pub fn exit() {}
//~ ffi: no_mangle by nested cfg_attrs
#[cfg_attr(all(), cfg_attr(all(), no_mangle))]
pub fn exit() {}
//~ ffi: no_mangle given to a macro
macro_rules! m { ($a:ident) => { #[$a] pub fn exit() {} } }
m!(no_mangle);
//~ ffi: an exported name
#[export_name = "exit"]
pub fn e() {}
//~ ffi: a link section
#[link_section = ".init_array"]
#[used]
static S: fn() = g;
fn g() {}
//~ ffi: a global allocator
#[global_allocator]
static A: Mine = Mine;
struct Mine;
//~ ffi: a global allocator by another name
use std::prelude::v1::global_allocator as ga;
#[ga]
static A: Mine = Mine;
struct Mine;
//~ ffi: the system allocator
use std::alloc::System;
fn f() {}
//~ ffi: a function pointer of a foreign ABI
fn f(g: extern "C" fn()) { g() }
//~ ffi: a crate of foreign functions
fn f() { libc::getpid(); }
//~ compile_time_io: include_str
const S: &str = include_str!("/etc/passwd");
//~ compile_time_io: include with space
include ! { "/etc/passwd" }
//~ compile_time_io: include_bytes by path
const S: &[u8] = std::include_bytes!("/etc/passwd");
//~ compile_time_io: include_str in a doc attribute
#[doc = include_str!("/etc/passwd")]
fn f() {}
//~ compile_time_io: include_str under another name
use std::include_str as s;
const S: &str = s!("/etc/passwd");
//~ compile_time_io: include_str in the input of a macro
fn f() { println!("{}", include_str!("/etc/passwd")); }
//~ compile_time_io: include_str in macro input, after white space that only rustc knows
fn f() { println!("{}", include_str‎!("/etc/passwd")); }
//~ compile_time_io: a macro name given to a macro
macro_rules! m { ($a:ident) => { $a!("/etc/passwd") } }
const S: &str = m!(include_str);
//~ compile_time_io: a macro of the name that exists only elsewhere
mod a { macro_rules! env { ($e:expr) => { $e } } }
const S: &str = env!("PATH");
//~ compile_time_io: a macro of the name that comes too late
const S: &str = env!("PATH");
macro_rules! env { ($e:expr) => { $e } }
//~ compile_time_io: a macro of the name under a cfg
#[cfg(any())]
macro_rules! env { ($e:expr) => { $e } }
const S: &str = env!("PATH");
//~ compile_time_io: a macro of the name where a macro is defined, not where it is called
mod a {
    macro_rules! env { ($e:expr) => { $e } }
    macro_rules! m { () => { env!("PATH") } }
    pub(crate) use m;
}
const S: &str = a::m!();
//~ compile_time_io: option_env
const S: Option<&str> = option_env!("PATH");
//~ compile_time_io: env in concat
const S: &str = concat!("a", env!("PATH"));
//~ compile_time_io: a module at a path
#[path = "/etc/passwd"]
mod a;
//~ compile_time_io: a module at a path by cfg_attr
#[cfg_attr(all(), path = "/etc/passwd")]
mod a;
//~ compile_time_io: a module in a file
mod a;
//~ compile_time_io: a module in a file from a macro
macro_rules! m { () => { mod a; } }
m!();
//~ inline_asm: asm
use std::arch::asm;
fn f() { unsafe { asm!("nop") } }
//~ inline_asm: global_asm
std::arch::global_asm!(".globl exit");
//~ inline_asm: global_asm in a macro
macro_rules! m { () => { core::arch::global_asm!(".globl exit"); } }
m!();
//~ external_crate: an import
use itertools::Itertools;
//~ external_crate: extern crate
extern crate rand;
//~ external_crate: a plain path
fn f() { rand::random::<u8>(); }
//~ external_crate: extern crate under a local name
extern crate proc_macro as helper;
fn f() { helper::is_available(); }
//~ external_crate: an attribute of a crate
#[tokio::main]
async fn f() {}
//~ external_crate: a derive of a crate
#[derive(serde::Serialize)]
struct S;
//~ attribute: a language feature
#![feature(rustc_attrs)]
fn f() {}
//~ attribute: no standard library
#![no_std]
fn f() {}
//~ attribute: no main
#![no_main]
fn f() {}
//~ attribute: a feature by cfg_attr
#![cfg_attr(all(), feature(asm))]
fn f() {}
//~ unresolvable: a tangle of globs
mod m0 { pub use super::m1::*; pub use super::m7::*; pub use super::m11::*; }
mod m1 { pub use super::m2::*; pub use super::m8::*; pub use super::m12::*; }
mod m2 { pub use super::m3::*; pub use super::m9::*; pub use super::m13::*; }
mod m3 { pub use super::m4::*; pub use super::m10::*; pub use super::m14::*; }
mod m4 { pub use super::m5::*; pub use super::m11::*; pub use super::m15::*; }
mod m5 { pub use super::m6::*; pub use super::m12::*; pub use super::m16::*; }
mod m6 { pub use super::m7::*; pub use super::m13::*; pub use super::m17::*; }
mod m7 { pub use super::m8::*; pub use super::m14::*; pub use super::m18::*; }
mod m8 { pub use super::m9::*; pub use super::m15::*; pub use super::m19::*; }
mod m9 { pub use super::m10::*; pub use super::m16::*; pub use super::m20::*; }
mod m10 { pub use super::m11::*; pub use super::m17::*; pub use super::m21::*; }
mod m11 { pub use super::m12::*; pub use super::m18::*; pub use super::m22::*; }
mod m12 { pub use super::m13::*; pub use super::m19::*; pub use super::m23::*; }
mod m13 { pub use super::m14::*; pub use super::m20::*; pub use super::m24::*; }
mod m14 { pub use super::m15::*; pub use super::m21::*; pub use super::m25::*; }
mod m15 { pub use super::m16::*; pub use super::m22::*; pub use super::m26::*; }
mod m16 { pub use super::m17::*; pub use super::m23::*; pub use super::m27::*; }
mod m17 { pub use super::m18::*; pub use super::m24::*; pub use super::m28::*; }
mod m18 { pub use super::m19::*; pub use super::m25::*; pub use super::m29::*; }
mod m19 { pub use super::m20::*; pub use super::m26::*; pub use super::m30::*; }
mod m20 { pub use super::m21::*; pub use super::m27::*; pub use super::m31::*; }
mod m21 { pub use super::m22::*; pub use super::m28::*; pub use super::m32::*; }
mod m22 { pub use super::m23::*; pub use super::m29::*; pub use super::m33::*; }
mod m23 { pub use super::m24::*; pub use super::m30::*; pub use super::m34::*; }
mod m24 { pub use super::m25::*; pub use super::m31::*; pub use super::m35::*; }
mod m25 { pub use super::m26::*; pub use super::m32::*; pub use super::m36::*; }
mod m26 { pub use super::m27::*; pub use super::m33::*; pub use super::m37::*; }
mod m27 { pub use super::m28::*; pub use super::m34::*; pub use super::m38::*; }
mod m28 { pub use super::m29::*; pub use super::m35::*; pub use super::m39::*; }
mod m29 { pub use super::m30::*; pub use super::m36::*; pub use super::m0::*; }
mod m30 { pub use super::m31::*; pub use super::m37::*; pub use super::m1::*; }
mod m31 { pub use super::m32::*; pub use super::m38::*; pub use super::m2::*; }
mod m32 { pub use super::m33::*; pub use super::m39::*; pub use super::m3::*; }
mod m33 { pub use super::m34::*; pub use super::m0::*; pub use super::m4::*; }
mod m34 { pub use super::m35::*; pub use super::m1::*; pub use super::m5::*; }
mod m35 { pub use super::m36::*; pub use super::m2::*; pub use super::m6::*; }
mod m36 { pub use super::m37::*; pub use super::m3::*; pub use super::m7::*; }
mod m37 { pub use super::m38::*; pub use super::m4::*; pub use super::m8::*; }
mod m38 { pub use super::m39::*; pub use super::m5::*; pub use super::m9::*; }
mod m39 { pub use super::m0::*; pub use super::m6::*; pub use super::m10::*; }
use m0::*;
fn f() { x0::y(); x1::y(); x2::y(); x3::y(); x4::y(); x5::y(); x6::y(); x7::y(); x8::y(); x9::y(); x10::y(); x11::y(); x12::y(); x13::y(); x14::y(); x15::y(); x16::y(); x17::y(); x18::y(); x19::y(); x20::y(); x21::y(); x22::y(); x23::y(); x24::y(); x25::y(); x26::y(); x27::y(); x28::y(); x29::y(); x30::y(); x31::y(); x32::y(); x33::y(); x34::y(); x35::y(); x36::y(); x37::y(); x38::y(); x39::y(); }
