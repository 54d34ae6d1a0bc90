//! What the recorder costs a call that its policy refuses, in instructions, which repeat where times do not.

use crate::support::{repository, stdout_of};
use std::process::Command;

#[test]
fn an_open_that_the_policy_refuses_costs_little_on_linux_6_1() {
    refused_opens_are_cheap("6.1");
}

#[test]
fn an_open_that_the_policy_refuses_costs_little_on_linux_6_12() {
    refused_opens_are_cheap("6.12");
}

/// `make cost` holds the bound; here it is held in each run of the tests.
fn refused_opens_are_cheap(kernel: &str) {
    stdout_of(Command::new(repository("tests/vm/cost")).arg(kernel));
}
