//! task: HumanEval/0
//! phase: compile
//! verdict: compile_error|compile_timeout|assertion_failure
//! note: closures within closures, each twice as large

fn has_close_elements(numbers: Vec<f32>, threshold: f32) -> bool {
    let f0 = || 1u64;
    let f1 = { let g = f0; let h = g; move || g() + h() }; let f2 = { let g = f1; let h = g; move || g() + h() }; let f3 = { let g = f2; let h = g; move || g() + h() }; let f4 = { let g = f3; let h = g; move || g() + h() }; let f5 = { let g = f4; let h = g; move || g() + h() }; let f6 = { let g = f5; let h = g; move || g() + h() }; let f7 = { let g = f6; let h = g; move || g() + h() }; let f8 = { let g = f7; let h = g; move || g() + h() }; let f9 = { let g = f8; let h = g; move || g() + h() }; let f10 = { let g = f9; let h = g; move || g() + h() }; let f11 = { let g = f10; let h = g; move || g() + h() }; let f12 = { let g = f11; let h = g; move || g() + h() }; let f13 = { let g = f12; let h = g; move || g() + h() }; let f14 = { let g = f13; let h = g; move || g() + h() }; let f15 = { let g = f14; let h = g; move || g() + h() }; let f16 = { let g = f15; let h = g; move || g() + h() }; let f17 = { let g = f16; let h = g; move || g() + h() }; let f18 = { let g = f17; let h = g; move || g() + h() }; let f19 = { let g = f18; let h = g; move || g() + h() }; let f20 = { let g = f19; let h = g; move || g() + h() }; let f21 = { let g = f20; let h = g; move || g() + h() }; let f22 = { let g = f21; let h = g; move || g() + h() }; let f23 = { let g = f22; let h = g; move || g() + h() }; let f24 = { let g = f23; let h = g; move || g() + h() }; let f25 = { let g = f24; let h = g; move || g() + h() }; let f26 = { let g = f25; let h = g; move || g() + h() };
    let _ = f26;
    false
}
