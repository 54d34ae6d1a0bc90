//! Filters on socket addresses: their family, their port and their address.

use std::net::IpAddr;
use std::sync::Arc;

use super::super::document::Node;
use super::super::fields::Fields;
use super::super::model::{AddressPart, Comparison, Filter, Network, Read, Value};
use super::super::number::{self, Notation};
use super::super::report::{Report, quoted};
use super::{operator, text_value, values};

/// The port below which only the privileged may listen.
pub(super) const PRIVILEGED: u64 = 1024;

/// The families of `include/linux/socket.h`.
const FAMILIES: [(&str, u64); 45] = [
    ("AF_UNSPEC", 0),
    ("AF_UNIX", 1),
    ("AF_INET", 2),
    ("AF_AX25", 3),
    ("AF_IPX", 4),
    ("AF_APPLETALK", 5),
    ("AF_NETROM", 6),
    ("AF_BRIDGE", 7),
    ("AF_ATMPVC", 8),
    ("AF_X25", 9),
    ("AF_INET6", 10),
    ("AF_ROSE", 11),
    ("AF_DECnet", 12),
    ("AF_NETBEUI", 13),
    ("AF_SECURITY", 14),
    ("AF_KEY", 15),
    ("AF_NETLINK", 16),
    ("AF_PACKET", 17),
    ("AF_ASH", 18),
    ("AF_ECONET", 19),
    ("AF_ATMSVC", 20),
    ("AF_RDS", 21),
    ("AF_SNA", 22),
    ("AF_IRDA", 23),
    ("AF_PPPOX", 24),
    ("AF_WANPIPE", 25),
    ("AF_LLC", 26),
    ("AF_IB", 27),
    ("AF_MPLS", 28),
    ("AF_CAN", 29),
    ("AF_TIPC", 30),
    ("AF_BLUETOOTH", 31),
    ("AF_IUCV", 32),
    ("AF_RXRPC", 33),
    ("AF_ISDN", 34),
    ("AF_PHONET", 35),
    ("AF_IEEE802154", 36),
    ("AF_CAIF", 37),
    ("AF_ALG", 38),
    ("AF_NFC", 39),
    ("AF_VSOCK", 40),
    ("AF_KCM", 41),
    ("AF_QIPCRTR", 42),
    ("AF_SMC", 43),
    ("AF_XDP", 44),
];

/// Reads a filter on a socket address. `None` means that the report says why.
pub(super) fn filter(
    node: &Node,
    fields: &Fields<'_>,
    what: &str,
    address: &Arc<Value>,
    report: &mut Report,
) -> Option<Filter> {
    let (operator, negated) = operator::of(node, fields, &operator::ADDRESSES, report)?;
    let (part, comparison) = match operator {
        operator::OnAddress::Privileged => {
            if let Some(node) = fields.get("values").filter(|values| !values.is_empty_list()) {
                report.refuse(node.at, "this operator has no values; remove them");
            }
            (AddressPart::Port, Comparison::Ranges(vec![(0, PRIVILEGED - 1)]))
        }
        operator::OnAddress::Family => {
            (AddressPart::Family, ranges(values(node, fields, what, report)?, family, report)?)
        }
        operator::OnAddress::Port => (AddressPart::Port, ranges(values(node, fields, what, report)?, port, report)?),
        operator::OnAddress::Ip => {
            let items = values(node, fields, what, report)?.items("`values`", usize::MAX, report);
            let networks: Vec<Option<Network>> = items.iter().map(|item| network(item, report)).collect();
            let networks = networks.into_iter().collect::<Option<Vec<_>>>().filter(|networks| !networks.is_empty());
            (AddressPart::Ip, Comparison::Networks(networks?))
        }
    };
    let Read::Address { length, .. } = address.read else { return None };
    let value = Arc::new(Value { read: Read::Address { part, length }, ..Value::clone(address) });
    Some(Filter::Value { value, negated, comparison })
}

pub(super) type ReadRange = fn(&Node, &mut Report) -> Option<(u64, u64)>;

pub(super) fn ranges(values: &Node, read: ReadRange, report: &mut Report) -> Option<Comparison> {
    let items = values.items("`values`", usize::MAX, report).iter();
    // All are read, so that all their faults are reported.
    let ranges: Vec<Option<(u64, u64)>> = items.map(|item| read(item, report)).collect();
    let ranges = ranges.into_iter().collect::<Option<Vec<_>>>().filter(|ranges| !ranges.is_empty());
    ranges.map(Comparison::Ranges)
}

pub(super) fn family(node: &Node, report: &mut Report) -> Option<(u64, u64)> {
    named(node, "family", &FAMILIES, report)
}

/// One of these names, a number, or a range of numbers.
pub(super) fn named(node: &Node, what: &str, names: &[(&str, u64)], report: &mut Report) -> Option<(u64, u64)> {
    let text = text_value(node, report)?;
    if let Some((_, number)) = names.iter().find(|(name, _)| *name == text) {
        return Some((*number, *number));
    }
    numbers(text).or_else(|| {
        let (text, example) = (quoted(text), names.get(2).map_or("", |(name, _)| *name));
        report.refuse(
            node.at,
            format_args!("value {text} is no {what}; write a name such as `{example}`, or a number up to 65535"),
        );
        None
    })
}

pub(super) fn port(node: &Node, report: &mut Report) -> Option<(u64, u64)> {
    let text = text_value(node, report)?;
    numbers(text).or_else(|| {
        let text = quoted(text);
        report.refuse(node.at, format_args!("value {text} is no port; write a number up to 65535, or `min:max`"));
        None
    })
}

/// A number of 16 bits, or a range of them.
fn numbers(text: &str) -> Option<(u64, u64)> {
    let range = Notation::Prefixed.parse_range(text).or_else(|| number::parse(text).map(|value| (value, value)))?;
    (range.1 <= u64::from(u16::MAX)).then_some(range)
}

fn network(node: &Node, report: &mut Report) -> Option<Network> {
    let text = text_value(node, report)?;
    let found = parse_network(text);
    if found.is_none() {
        let text = quoted(text);
        report.refuse(
            node.at,
            format_args!("value {text} is no address; write one of IPv4 or IPv6, or a network such as `10.0.0.0/8`"),
        );
    }
    found
}

/// As in Tetragon, the bits behind a network's own may be set, and do not count.
fn parse_network(text: &str) -> Option<Network> {
    let (address, bits) = match text.split_once('/') {
        Some((address, bits)) if bits.bytes().all(|byte| byte.is_ascii_digit()) => (address, Some(bits.parse().ok()?)),
        Some(_) => return None,
        None => (text, None),
    };
    let (address, own_bits, before) = match address.parse().ok()? {
        IpAddr::V4(address) => (address.to_ipv6_mapped(), 32_u8, 96_u8),
        IpAddr::V6(address) => (address, 128, 0),
    };
    let bits = bits.unwrap_or(own_bits);
    if bits > own_bits {
        return None;
    }
    let network = Network { address: address.to_bits(), bits: before + bits };
    Some(Network { address: network.address & network.mask(), ..network })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_keep_the_bits_that_count() {
        let mapped = 0xffff_u128 << 32;
        for (text, address, bits) in [
            ("10.1.2.3/8", mapped | 0x0a00_0000, 104),
            ("127.0.0.1", mapped | 0x7f00_0001, 128),
            ("0.0.0.0/0", mapped, 96),
            ("2a1:56::1/128", 0x02a1_0056 << 96 | 1, 128),
            ("2a1:56::1/16", 0x02a1 << 112, 16),
            ("::/0", 0, 0),
        ] {
            assert_eq!(parse_network(text), Some(Network { address, bits }), "{text}");
        }
        for text in ["10.0.0.0/33", "::/129", "10.0.0", "10.0.0.0/", "10.0.0.0/+8", "host", "", "1.2.3.4/8/8"] {
            assert_eq!(parse_network(text), None, "{text}");
        }
    }
}
