//! Options about acts: who did them, for which policy they were recorded, and where to.

use crate::archives::act_filter::ActFilter;
use crate::archives::text_filter::TextFilter;
use anyhow::Result;
use clap::Args;

/// Who acted, and how. Each option can be given more than once, and one of its values must be met.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct ActorOptions {
    /// LSM hook of the act; repeatable
    #[arg(long, value_name = "HOOK")]
    pub(super) hook: Vec<String>,
    /// Process; repeatable
    #[arg(long, value_name = "PID")]
    pid: Vec<i64>,
    /// Start of the process, in nanoseconds since boot: pids are used again; repeatable
    #[arg(long, value_name = "NS")]
    process_start: Vec<i64>,
    /// Real user; repeatable
    #[arg(long, value_name = "UID")]
    uid: Vec<i64>,
    /// Path or glob of the program that acted; repeatable
    #[arg(long, value_name = "GLOB")]
    exe: Vec<String>,
    /// Name of the thread that acted, of which the kernel keeps 15 bytes; repeatable
    #[arg(long, value_name = "NAME")]
    comm: Vec<String>,
    /// Name of its parent; repeatable
    #[arg(long, value_name = "NAME")]
    parent: Vec<String>,
    /// Container, or how its id begins; repeatable
    #[arg(long, value_name = "ID")]
    container: Vec<String>,
    /// Path or glob that a file is renamed or linked to; repeatable
    #[arg(long, value_name = "GLOB")]
    target: Vec<String>,
}

/// Which events are meant.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct ActOptions {
    #[command(flatten)]
    pub(super) actor: ActorOptions,
    /// Name of the policy that asked for the event; repeatable
    #[arg(long, value_name = "NAME")]
    policy: Vec<String>,
    /// What the policy asked for; repeatable
    #[arg(long, value_name = "ACTION", value_parser = ["post", "deny", "signal", "kill"])]
    action: Vec<String>,
}

impl ActorOptions {
    /// The acts that are meant.
    ///
    /// # Errors
    /// When a glob is none.
    pub(super) fn filter(&self) -> Result<ActFilter> {
        let texts = vec![
            TextFilter::of_paths("exe", &self.exe)?,
            TextFilter::of_names("comm", &kept(&self.comm)),
            TextFilter::of_names("parent_comm", &kept(&self.parent)),
            TextFilter::of_beginnings("container_id", &self.container),
            TextFilter::of_paths("target_path", &self.target)?,
        ];
        Ok(ActFilter {
            hooks: self.hook.clone(),
            pids: self.pid.clone(),
            process_starts: self.process_start.clone(),
            uids: self.uid.clone(),
            texts: texts.into_iter().filter(|filter| !filter.is_empty()).collect(),
        })
    }
}

impl ActOptions {
    /// As [`ActorOptions::filter`].
    ///
    /// # Errors
    /// When a glob is none.
    pub(super) fn filter(&self) -> Result<ActFilter> {
        let mut filter = self.actor.filter()?;
        let texts = [TextFilter::of_names("policy", &self.policy), TextFilter::of_names("action", &self.action)];
        filter.texts.extend(texts.into_iter().filter(|filter| !filter.is_empty()));
        Ok(filter)
    }
}

/// Names as the kernel keeps them, cut.
fn kept(names: &[String]) -> Vec<String> {
    const NAME_BYTES: usize = 15;
    let cut = |name: &String| {
        let fits = |(at, letter): &(usize, char)| at + letter.len_utf8() <= NAME_BYTES;
        // A backslash stands for a byte that our own output escaped.
        if name.contains('\\') {
            name.clone()
        } else {
            name.char_indices().take_while(fits).map(|(_, letter)| letter).collect()
        }
    };
    names.iter().map(cut).collect()
}
