//! What the recorder costs a call that its policy refuses or records, in instructions, which repeat where times do not.

use crate::support::{repository, stdout_of};
use std::process::Command;

#[test]
fn acts_cost_little_on_linux_6_1() {
    acts_are_cheap("6.1");
}

#[test]
fn acts_cost_little_on_linux_6_12() {
    acts_are_cheap("6.12");
}

/// `make cost` holds the bounds; here they are held in each run of the tests.
fn acts_are_cheap(kernel: &str) {
    stdout_of(Command::new(repository("tests/vm/cost")).arg(kernel));
}
