//! What `events` and `timeline` answer.

use super::changes::change;
use super::shape::{Field, Object, all_columns, count, text};
use super::summary::{self, gap_fields, summary};
use hashtrail::event::Event;

pub(super) fn events() -> Vec<Object> {
    let told = [count("events", "Events that were found"), summary::never_observed(), summary::without_exe()];
    let asked = summary::asked_digest_sometimes(&[]);
    let last = summary(told.into_iter().chain(summary::asked_hooks()).chain(asked).chain(summary::owned()));
    vec![Object::new("event", "A recorded event: all columns of the table", all_columns::<Event>()), last]
}

pub(super) fn timeline() -> Vec<Object> {
    let told = [count("events", "Events that were found").sometimes(), summary::without_exe()];
    let hooks = summary::asked_hooks().into_iter().map(Field::sometimes);
    let told = told.into_iter().chain(hooks).chain(summary::of_changes()).chain(summary::observed());
    let told = told.chain(summary::narrowed()).chain(summary::owned()).chain(summary::compared_sometimes());
    let gap = [text("host", "Host whose recording it is"), text("text", "The same in words")];
    vec![
        Object::row("event", "A recorded event, at its time: all columns of the table", all_columns::<Event>()),
        change([]),
        Object::row(
            "gap",
            "A time in which something can be missing, at its begin",
            gap.into_iter().chain(gap_fields()),
        ),
        summary(told),
    ]
}
