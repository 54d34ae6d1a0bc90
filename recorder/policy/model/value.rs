//! Values of a call beyond those that each hook's program gives.

use crate::btf::{End, Start, Walk};

/// Most values of one hook over all policies, of which an address is two.
pub(crate) const MAX_VALUES_OF_HOOK: usize = 16;

/// An argument that is no file, or what a walk through the kernel's structures leads to.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Value {
    /// In words.
    pub(crate) name: String,
    /// Where it was listed, with its file.
    pub(crate) place: String,
    /// Where the walk begins.
    pub(crate) start: Start,
    /// How it goes; none where the machine that read the policy has no BTF.
    pub(crate) walk: Option<(Walk, End)>,
    /// What is read at its end.
    pub(crate) read: Read,
}

/// What is read at the end of a walk.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Read {
    /// A number of this width. A negative one stands in two's complement of it.
    Number {
        /// Width.
        bits: u32,
        /// Values may be negative.
        signed: bool,
    },
    /// A number of 16 bits as it goes over the wire.
    Port,
    /// A text.
    Text,
    /// Of a socket address.
    Address {
        /// Which part of it.
        part: AddressPart,
        /// The argument of the hook that says how long it is.
        length: Option<u8>,
    },
}

/// A part of a socket address.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum AddressPart {
    /// `AF_…`.
    Family,
    /// The port, of IPv4 and IPv6.
    Port,
    /// The address, of IPv4 and IPv6.
    Ip,
}

/// How a value is compared.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Comparison {
    /// It is in one of these ranges, as in [`super::Filter::Number`].
    Ranges(Vec<(u64, u64)>),
    /// It has one of these bits.
    Mask(u64),
    /// As text.
    Text(super::PathFilter),
    /// It is an address in one of these networks.
    Networks(Vec<Network>),
}

/// Addresses that begin with the same bits. Those of IPv4 stand as IPv6 has them, mapped.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Network {
    /// The first address.
    pub(crate) address: u128,
    /// How many of its 128 bits count.
    pub(crate) bits: u8,
}

impl Network {
    /// The bits that count.
    pub(crate) const fn mask(self) -> u128 {
        match u128::MAX.checked_shl(128 - self.bits as u32) {
            Some(mask) => mask,
            None => 0,
        }
    }
}

/// The argument that names the file of a hook without a program of its own.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct NamedFile {
    /// Its place.
    pub(crate) index: u8,
    /// What it is.
    pub(crate) kind: super::ArgumentKind,
    /// Where it was listed, with its file.
    pub(crate) place: String,
}
