//! HTML that is written through one type, which takes tags and names of attributes from the code alone and escapes all else: no
//! section can put what was recorded into the page in another way.

use hashtrail::cell::Micros;
use hashtrail::escape::{escape, escape_json};
use std::borrow::Cow;

/// Letters of a name that are shown where a line is all there is.
const SHORT_LETTERS: usize = 72;
/// Names that are longer are folded.
const FOLDED_LETTERS: usize = 240;
/// Letters of a digest that tell it from others.
const DIGEST_LETTERS: usize = 12;

/// Attributes of an element.
pub(super) type Attributes<'a> = &'a [(&'static str, &'a str)];

/// A part of the page.
#[derive(Debug, Default)]
pub(super) struct Html(String);

impl Html {
    /// What was written.
    pub(super) fn into_text(self) -> String {
        self.0
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Takes what was written apart.
    pub(super) fn append(&mut self, part: &Self) {
        self.0.push_str(&part.0);
    }

    /// Text of the program itself, as it is: a style, a script, what stands before the root.
    pub(super) fn own(&mut self, text: &'static str) {
        self.0.push_str(text);
    }

    /// An element and what stands in it.
    pub(super) fn tag(&mut self, tag: &'static str, attributes: Attributes<'_>, inside: impl FnOnce(&mut Self)) {
        self.single(tag, attributes);
        inside(self);
        self.0.push_str("</");
        self.0.push_str(tag);
        self.0.push('>');
    }

    /// An element with a text.
    pub(super) fn line(&mut self, tag: &'static str, attributes: Attributes<'_>, text: &str) {
        self.tag(tag, attributes, |html| html.text(text));
    }

    /// An element that nothing stands in.
    pub(super) fn single(&mut self, tag: &'static str, attributes: Attributes<'_>) {
        self.0.push('<');
        self.0.push_str(tag);
        for (name, value) in attributes {
            self.0.push(' ');
            self.0.push_str(name);
            self.0.push_str("=\"");
            self.text(value);
            self.0.push('"');
        }
        self.0.push('>');
    }

    /// Text, whoever it is from.
    pub(super) fn text(&mut self, text: &str) {
        for character in escape(text).chars() {
            match character {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '"' => self.0.push_str("&quot;"),
                '\'' => self.0.push_str("&#39;"),
                _ => self.0.push(character),
            }
        }
    }

    /// A note with names in it, whose letters change the order of nothing beside it.
    pub(super) fn note(&mut self, text: &str) {
        self.line("bdi", &[], text);
    }

    /// A whole name, so that its bytes can be had back.
    pub(super) fn name(&mut self, name: &str) {
        let exact = exact(name);
        let whole = |html: &mut Self| html.line("bdi", &[("class", "name")], &exact);
        if exact.chars().nth(FOLDED_LETTERS).is_none() {
            return whole(self);
        }
        self.tag("details", &[("class", "long")], |html| {
            html.tag("summary", &[], |html| html.short_name(name));
            whole(html);
        });
    }

    /// As much of a name as fits on a line: a part of its beginning, and its end.
    pub(super) fn short_name(&mut self, name: &str) {
        self.line("bdi", &[("class", "name")], &shortened(&exact(name)));
    }

    /// The beginning of a digest, and the whole of it for whoever points at it.
    pub(super) fn short_digest(&mut self, digest: &str) {
        let begin: String = digest.chars().take(DIGEST_LETTERS).collect();
        self.line("code", &[("class", "digest"), ("title", digest)], &begin);
    }

    /// A whole digest.
    pub(super) fn digest(&mut self, digest: &str) {
        self.line("code", &[("class", "digest")], digest);
    }

    /// A time, which stays on one line where there is room.
    pub(super) fn time(&mut self, time: Micros) {
        self.line("time", &[], &time.rfc3339());
    }

    /// A cell of a table; `label` is its column where the table is narrow.
    pub(super) fn cell(&mut self, label: &'static str, inside: impl FnOnce(&mut Self)) {
        self.tag("td", &[("data-label", label)], inside);
    }

    /// A table with these columns.
    pub(super) fn table(&mut self, columns: &[&'static str], rows: impl FnOnce(&mut Self)) {
        self.tag("table", &[], |html| {
            html.tag("thead", &[], |html| {
                html.tag("tr", &[], |html| columns.iter().for_each(|column| html.line("th", &[], column)));
            });
            html.tag("tbody", &[], rows);
        });
    }
}

/// A name as it is; as JSON has it, with quotes, where that is not what one sees.
fn exact(name: &str) -> Cow<'_, str> {
    let is_plain = !name.is_empty() && !name.contains(['\\', '"']) && matches!(escape(name), Cow::Borrowed(_));
    if is_plain {
        return Cow::Borrowed(name);
    }
    let json = serde_json::to_string(name).unwrap_or_default();
    Cow::Owned(escape_json(&json).into_owned())
}

fn shortened(text: &str) -> String {
    let count = text.chars().count();
    if count <= SHORT_LETTERS {
        return text.to_owned();
    }
    let begin: String = text.chars().take(SHORT_LETTERS / 3).collect();
    let end: String = text.chars().skip(count - SHORT_LETTERS / 3 * 2).collect();
    format!("{begin}…{end}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(write: impl FnOnce(&mut Html)) -> String {
        let mut html = Html::default();
        write(&mut html);
        html.into_text()
    }

    #[test]
    fn nothing_that_is_given_is_markup() {
        let hostile = "</script><b onclick='x'>&\"\u{1b}\u{202e}";
        let escaped = "&lt;/script&gt;&lt;b onclick=&#39;x&#39;&gt;&amp;&quot;\\x1b\\u{202e}";
        assert_eq!(written(|html| html.text(hostile)), escaped);
        let element = format!("<p title=\"{escaped}\">{escaped}</p>");
        assert_eq!(written(|html| html.line("p", &[("title", hostile)], hostile)), element);
    }

    #[test]
    fn a_name_that_is_not_what_one_sees_stands_as_json_and_comes_back() {
        let names = ["/a\nb", "/a\\nb", "\"/a\"", "/\u{202e}x\u{9b}\u{1b}]52;c;aGk=\u{7}", "=cmd\";", "/b\\xff", ""];
        for name in names {
            let shown = exact(name);
            assert!(matches!(escape(&shown), Cow::Borrowed(_)), "{shown:?}");
            let back =
                if shown.starts_with('"') { serde_json::from_str(&shown).expect("JSON") } else { shown.to_string() };
            assert_eq!(back, name);
        }
        assert_eq!(exact("/usr/bin/=cmd"), "/usr/bin/=cmd");
    }

    #[test]
    fn a_long_name_is_folded_and_whole() {
        let name = format!("/{}/end", "x".repeat(4000));
        let shown = written(|html| html.name(&name));
        assert!(shown.contains(&name) && shown.contains("…") && shown.starts_with("<details"), "{shown}");
        let short = written(|html| html.short_name(&name));
        assert!(short.len() < 200 && short.contains("/end"), "{short}");
    }
}
