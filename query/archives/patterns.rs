//! Paths and globs that users ask for.

use anyhow::{Context, Result};
use globset::{GlobBuilder, GlobMatcher};
use hashtrail::escape::escape;
use hashtrail::reader::PathRule;
use std::collections::HashSet;
use std::sync::Arc;

/// More exclude nothing, and take long to be asked.
const RULES_MAX: usize = 1000;

/// Paths and globs. A text that is both, such as `/usr/bin/[`, is taken as both. Empty: every row.
#[derive(Debug, Clone, Default)]
pub(crate) struct PathPatterns {
    patterns: Vec<PathPattern>,
    /// Where whole paths were named by something else: those, of which the patterns choose.
    within: Option<Arc<HashSet<String>>>,
}

#[derive(Debug, Clone)]
struct PathPattern {
    text: String,
    glob: Option<GlobMatcher>,
}

impl PathPatterns {
    pub(crate) fn new(texts: &[String]) -> Result<Self> {
        let patterns = texts.iter().map(|text| PathPattern::new(text)).collect::<Result<Vec<_>>>()?;
        Ok(Self { patterns, within: None })
    }

    /// These paths and no others, whatever characters they have.
    pub(crate) fn exact(paths: impl IntoIterator<Item = String>) -> Self {
        Self { patterns: paths.into_iter().map(|text| PathPattern { text, glob: None }).collect(), within: None }
    }

    /// Those of these paths that match.
    pub(crate) fn within(self, paths: HashSet<String>) -> Self {
        Self { within: Some(Arc::new(paths)), ..self }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.patterns.is_empty() && self.within.is_none()
    }

    /// Without patterns, every path does.
    pub(crate) fn matches(&self, path: &str) -> bool {
        self.within.as_ref().is_none_or(|paths| paths.contains(path))
            && (self.patterns.is_empty() || self.patterns.iter().any(|pattern| pattern.matches(path)))
    }

    /// Each by itself, with its text; none where the patterns alone do not say what was asked for.
    pub(crate) fn each(&self) -> impl Iterator<Item = (&str, Self)> {
        let alone = |pattern: &PathPattern| Self { patterns: vec![pattern.clone()], within: None };
        let patterns = self.patterns.iter().filter(|_| self.within.is_none());
        patterns.map(move |pattern| (pattern.text.as_str(), alone(pattern)))
    }

    /// What is meant beside the text.
    pub(crate) fn notes(&self) -> impl Iterator<Item = String> {
        let meant = |pattern: &PathPattern| Some(format!("`{}` means `{}`", pattern.text, anywhere(&pattern.text)?));
        self.patterns.iter().filter_map(meant)
    }

    /// What the reader can exclude by.
    pub(crate) fn rules(&self) -> Vec<PathRule> {
        match &self.within {
            Some(paths) if self.patterns.is_empty() && paths.len() <= RULES_MAX => {
                paths.iter().cloned().map(PathRule::Exact).collect()
            }
            _ => self.patterns.iter().map(PathPattern::rule).collect(),
        }
    }
}

impl PathPattern {
    fn new(text: &str) -> Result<Self> {
        let anywhere = anywhere(text);
        let is_glob = anywhere.is_some() || text.contains(GLOB_CHARACTERS);
        let build = || {
            let mut builder = GlobBuilder::new(anywhere.as_deref().unwrap_or(text));
            builder.literal_separator(true).backslash_escape(true).allow_unclosed_class(true).build()
        };
        let glob = is_glob.then(build).transpose().with_context(|| format!("`{text}` is no path and no glob"))?;
        Ok(Self { text: text.to_owned(), glob: glob.map(|glob| glob.compile_matcher()) })
    }

    fn matches(&self, path: &str) -> bool {
        // Users copy paths from our output, where control characters stand escaped.
        path == self.text
            || self.glob.as_ref().is_some_and(|glob| glob.is_match(path))
            || (self.text.contains('\\') && escape(path) == self.text)
    }

    fn rule(&self) -> PathRule {
        if anywhere(&self.text).is_some() {
            return PathRule::Prefix(String::new());
        }
        match self.text.find(GLOB_CHARACTERS) {
            Some(end) => PathRule::Prefix(self.text[..end].to_owned()),
            None => PathRule::Exact(self.text.clone()),
        }
    }
}

/// The glob that a name without a directory, or one that does not begin at the root, stands for.
fn anywhere(text: &str) -> Option<String> {
    let is_anchored = text.is_empty() || text.starts_with(['/', '\\']) || text.starts_with("**");
    (!is_anchored).then(|| format!("**/{text}"))
}

const GLOB_CHARACTERS: [char; 5] = ['*', '?', '[', '{', '\\'];

#[cfg(test)]
mod tests {
    use super::*;

    fn patterns(texts: &[&str]) -> PathPatterns {
        let texts: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
        PathPatterns::new(&texts).expect("patterns")
    }

    #[test]
    fn globs_stop_at_slashes_and_paths_are_exact() {
        let patterns = patterns(&["/usr/bin/*", "/etc/**/x", "/a"]);
        assert!(patterns.matches("/usr/bin/ls") && patterns.matches("/etc/1/2/x") && patterns.matches("/a"));
        assert!(!patterns.matches("/usr/bin/a/b") && !patterns.matches("/ab"));
        let prefix = |text: &str| PathRule::Prefix(text.to_owned());
        assert_eq!(patterns.rules(), [prefix("/usr/bin/"), prefix("/etc/"), PathRule::Exact("/a".into())]);
        assert!(PathPatterns::default().matches("/anything"));
    }

    #[test]
    fn names_with_glob_characters_and_escaped_names_match_themselves() {
        assert!(patterns(&["/usr/bin/["]).matches("/usr/bin/["));
        assert!(patterns(&["/a[1].txt"]).matches("/a[1].txt"));
        assert!(patterns(&["/a\\x1b"]).matches("/a\u{1b}"));
    }

    #[test]
    fn a_bare_name_is_meant_in_every_directory() {
        let bare = patterns(&["sshd", "bin/ls", "*.ko"]);
        assert!(
            bare.matches("/usr/sbin/sshd")
                && bare.matches("/sshd")
                && bare.matches("sshd")
                && bare.matches("/usr/bin/ls")
        );
        assert!(!bare.matches("/usr/sbin/sshd2") && !bare.matches("/xsshd") && !bare.matches("/usr/sbin/ls"));
        assert_eq!(
            bare.notes().collect::<Vec<_>>(),
            ["`sshd` means `**/sshd`", "`bin/ls` means `**/bin/ls`", "`*.ko` means `**/*.ko`"]
        );
        assert_eq!((bare.rules()[0].clone(), patterns(&["/a"]).notes().count()), (PathRule::Prefix(String::new()), 0));
    }
}
