//! File names and arguments come from whoever may be the attacker: no output carries their control characters, which
//! drive terminals, or their bidi characters, which make text look like other text.

use std::borrow::Cow;
use std::fmt::Write;

/// Whether a character may change how the rest is shown: C0, DEL, C1, line separators, bidi controls, BOM.
fn is_unsafe(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// Text for people: `\n`, `\x1b`, `\u{202e}`.
#[must_use]
pub fn escape(text: &str) -> Cow<'_, str> {
    replace(text, |character, escaped| {
        // Writing to a String cannot fail.
        let _ = match character {
            '\n' => write!(escaped, "\\n"),
            '\r' => write!(escaped, "\\r"),
            '\t' => write!(escaped, "\\t"),
            '\0'..='\u{7f}' => write!(escaped, "\\x{:02x}", u32::from(character)),
            _ => write!(escaped, "\\u{{{:x}}}", u32::from(character)),
        };
    })
}

/// Text whose original can be had again: as [`escape`], with its own backslashes doubled.
#[must_use]
pub fn escape_reversibly(text: &str) -> Cow<'_, str> {
    if text.contains('\\') { escape(&text.replace('\\', "\\\\")).into_owned().into() } else { escape(text) }
}

/// Several lines for people, each escaped.
#[must_use]
pub fn escape_lines(text: &str) -> String {
    text.lines().map(|line| format!("{}\n", escape(line))).collect()
}

/// JSON text, lossless: serde escapes C0 only. Outside of strings JSON holds none of these characters.
#[must_use]
pub fn escape_json(json: &str) -> Cow<'_, str> {
    replace(json, |character, escaped| {
        // All of them are in the basic plane, so four digits do.
        let _ = write!(escaped, "\\u{:04x}", u32::from(character));
    })
}

fn replace(text: &str, write_escaped: impl Fn(char, &mut String)) -> Cow<'_, str> {
    // Nearly all texts have only these.
    let is_plain = text.bytes().all(|byte| (b' '..0x7f).contains(&byte));
    if is_plain || !text.contains(is_unsafe) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        if is_unsafe(character) {
            write_escaped(character, &mut escaped);
        } else {
            escaped.push(character);
        }
    }
    Cow::Owned(escaped)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_and_bidi_characters_are_shown_as_escapes() {
        assert_eq!(
            escape("/a\n\t\r\u{1b}[2J\u{7f}\u{9b}\u{202e}\u{2066}\u{2028}\u{feff}"),
            "/a\\n\\t\\r\\x1b[2J\\x7f\\u{9b}\\u{202e}\\u{2066}\\u{2028}\\u{feff}"
        );
        assert!(matches!(escape("/usr/bin/\u{e9}\\n"), Cow::Borrowed(_)));
    }

    #[test]
    fn json_stays_lossless() {
        let text: String = (0..0x3000).filter_map(char::from_u32).chain(['\u{feff}']).collect();
        let json = serde_json::to_string(&text).expect("json");
        let escaped = escape_json(&json);
        assert!(!escaped.contains(is_unsafe));
        assert_eq!(serde_json::from_str::<String>(&escaped).expect("json"), text);
    }
}
