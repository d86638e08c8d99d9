//! What a program asks the C library for and what would differ from run to run, given alike.
//!
//! So a map is gone through in the same order each time, and messages that tell of it, or of a number of
//! a process, are the same. These stand in the C library's place for the whole program.

use std::sync::atomic::{AtomicU64, Ordering};

/// How much has been given: the next bytes follow from it.
static GIVEN: AtomicU64 = AtomicU64::new(0);

/// Bytes that look random.
#[no_mangle]
pub unsafe extern "C" fn getrandom(to: *mut u8, length: usize, _flags: u32) -> isize {
    for at in 0..length {
        let mut bits = GIVEN.fetch_add(0x9E37_79B9_7F4A_7C15, Ordering::Relaxed);
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        unsafe { to.add(at).write((bits >> 56) as u8) };
    }
    length as isize
}

/// The number of every process.
#[no_mangle]
pub extern "C" fn getpid() -> i32 {
    2
}
