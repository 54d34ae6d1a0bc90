//! The smallest story that is still told wrongly in the same way.

use super::answers::disagreements;
use super::story::Story;
use std::collections::BTreeMap;

/// The verb that fails, which a failure begins with.
pub(super) fn verb(failure: &str) -> &str {
    failure.split(':').next().unwrap_or(failure)
}

/// How the story fails by this verb.
fn failure(story: &Story, of_verb: &str) -> Option<String> {
    disagreements(story, &mut BTreeMap::new()).into_iter().find(|failure| verb(failure) == of_verb)
}

/// Leaves out steps as long as the story fails by the verb: halves, then quarters, then one by one.
pub(super) fn smallest(mut story: Story, of_verb: &str) -> (Story, Option<String>) {
    let mut size = story.steps.len() / 2;
    while size > 0 {
        let mut at = 0;
        while at < story.steps.len() {
            let mut shorter = story.clone();
            shorter.steps.drain(at..shorter.steps.len().min(at + size));
            if !shorter.steps.is_empty() && failure(&shorter, of_verb).is_some() {
                story = shorter;
            } else {
                at += size;
            }
        }
        size /= 2;
    }
    let failure = failure(&story, of_verb);
    (story, failure)
}
