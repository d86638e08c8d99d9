//! task: HumanEval/27
//! phase: run
//! verdict: compile_error|assertion_failure
//! note: a type called String for argument and result

#[derive(Debug, Clone)]
pub struct String;

impl<T> PartialEq<T> for String {
    fn eq(&self, _: &T) -> bool {
        true
    }
}

impl From<&str> for String {
    fn from(_: &str) -> Self {
        String
    }
}

pub fn flip_case(string: String) -> String {
    string
}
