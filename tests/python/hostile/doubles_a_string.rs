//! task: HumanEval/27
//! phase: run
//! verdict: runtime_error|test_timeout
//! note: a string that doubles until there is no memory left

pub fn flip_case(string: String) -> String {
    let mut text = string + "x";
    loop {
        text = text.clone() + &text;
    }
}
