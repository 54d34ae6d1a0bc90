//! The tests of the real binaries. One crate, because each test crate is one more large link.

mod archives; // archives that are asked
mod guests; // stories on real kernels
mod host; // this machine's own kernel, disks and shells
mod rooms; // which part of the code uses which
mod support; // guests, scenarios, commands, other engines
