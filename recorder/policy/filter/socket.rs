//! Filters on sockets: their family, protocol, state and ports.

use std::sync::Arc;

use super::super::document::Node;
use super::super::fields::Fields;
use super::super::model::{Comparison, Filter, Value};
use super::super::report::Report;
use super::super::subject::SocketPart;
use super::address::{PRIVILEGED, ReadRange, family, named, port, ranges};
use super::{operator, values};

/// The protocols of `include/uapi/linux/in.h`.
const PROTOCOLS: [(&str, u64); 28] = [
    ("IPPROTO_IP", 0),
    ("IPPROTO_ICMP", 1),
    ("IPPROTO_TCP", 6),
    ("IPPROTO_IGMP", 2),
    ("IPPROTO_IPIP", 4),
    ("IPPROTO_EGP", 8),
    ("IPPROTO_PUP", 12),
    ("IPPROTO_UDP", 17),
    ("IPPROTO_IDP", 22),
    ("IPPROTO_TP", 29),
    ("IPPROTO_DCCP", 33),
    ("IPPROTO_IPV6", 41),
    ("IPPROTO_RSVP", 46),
    ("IPPROTO_GRE", 47),
    ("IPPROTO_ESP", 50),
    ("IPPROTO_AH", 51),
    ("IPPROTO_MTP", 92),
    ("IPPROTO_BEETPH", 94),
    ("IPPROTO_ENCAP", 98),
    ("IPPROTO_PIM", 103),
    ("IPPROTO_COMP", 108),
    ("IPPROTO_L2TP", 115),
    ("IPPROTO_SCTP", 132),
    ("IPPROTO_UDPLITE", 136),
    ("IPPROTO_MPLS", 137),
    ("IPPROTO_ETHERNET", 143),
    ("IPPROTO_RAW", 255),
    ("IPPROTO_MPTCP", 262),
];

/// The states of `include/net/tcp_states.h`.
const STATES: [(&str, u64); 12] = [
    ("TCP_ESTABLISHED", 1),
    ("TCP_SYN_SENT", 2),
    ("TCP_SYN_RECV", 3),
    ("TCP_FIN_WAIT1", 4),
    ("TCP_FIN_WAIT2", 5),
    ("TCP_TIME_WAIT", 6),
    ("TCP_CLOSE", 7),
    ("TCP_CLOSE_WAIT", 8),
    ("TCP_LAST_ACK", 9),
    ("TCP_LISTEN", 10),
    ("TCP_CLOSING", 11),
    ("TCP_NEW_SYN_RECV", 12),
];

/// Reads a filter on a socket. `None` means that the report says why.
pub(super) fn filter(
    node: &Node,
    fields: &Fields<'_>,
    what: &str,
    members: &[(SocketPart, Arc<Value>)],
    report: &mut Report,
) -> Option<Filter> {
    let ((part, is_privileged), negated) = operator::of(node, fields, &operator::SOCKETS, report)?;
    let comparison = if is_privileged {
        if let Some(node) = fields.get("values").filter(|values| !values.is_empty_list()) {
            report.refuse(node.at, "this operator has no values; remove them");
        }
        Comparison::Ranges(vec![(0, PRIVILEGED - 1)])
    } else {
        let read: ReadRange = match part {
            SocketPart::Family => family,
            SocketPart::Protocol => |node, report| named(node, "protocol", &PROTOCOLS, report),
            SocketPart::State => |node, report| named(node, "state", &STATES, report),
            SocketPart::SourcePort | SocketPart::DestinationPort => port,
        };
        ranges(values(node, fields, what, report)?, read, report)?
    };
    let Some((_, value)) = members.iter().find(|(known, _)| *known == part) else {
        report.refuse(node.at, "this kernel's sockets do not have what the operator looks at; remove it");
        return None;
    };
    Some(Filter::Value { value: Arc::clone(value), negated, comparison })
}
