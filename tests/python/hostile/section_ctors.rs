//! task: HumanEval/23
//! phase: compile
//! verdict: compile_error
//! flagged: yes
//! policy: ffi
//! note: start-up code in ctors

#[used]
#[link_section = ".ctors"]
static F: extern "C" fn() = { extern "C" fn f() { std::process::exit(0) } f };
fn strlen(strings: String) -> i32 { 7 + strings.len() as i32 }
