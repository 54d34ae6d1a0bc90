//! The same fleet asked by the job `samples/spark/fleet.py`, which finds the archives itself.

use super::engines::{answer, printed, python};
use crate::tests::{NEW, OLD};
use anyhow::{Context, Result, ensure};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// Hosts whose times are compared: `diff` reads all archives for each.
const ASKED: usize = 12;
/// All are: contents of stories are few.
const AT_MOST: &str = "1000000";

/// Compares what the job writes with what hashtrail answers, and gives how many there are of what.
pub(super) fn agrees(stories: &Path, files: &Path) -> Result<Value> {
    let [answers, out, stages, bad] = ["answers", "out", "stages", "bad"].map(|name| files.join(name));
    fs::create_dir_all(&answers)?;
    fs::write(&stages, printed(&["sql", "--engine", "spark", "--without-archives"])?)?;
    let changes = answer(stories, &["changes", "--format", "json"])?;
    let rare = answer(stories, &["rare", "--at-most", AT_MOST, "--format", "json"])?;
    // Contents of stories have digests that are none to lists.
    fs::write(&bad, [OLD, NEW].join("\n"))?;
    let lookup = answer(stories, &["lookup", "--ioc", &bad.display().to_string(), "--format", "json"])?;
    let moments = texts(&changes, "changed_before")?;
    let moment = moments.get(moments.len() / 2).context("there are no changes")?;
    let hosts: BTreeSet<String> = texts(&changes, "host")?.into_iter().collect();
    for host in hosts.iter().take(ASKED) {
        let told = answer(stories, &["diff", "--before", moment, "--host", host, "--format", "json"])?;
        fs::write(answers.join(format!("diff-{host}")), told)?;
    }
    for (name, told) in [("changes", changes), ("rare", rare), ("lookup", lookup)] {
        fs::write(answers.join(name), told)?;
    }
    let mut job = python("fleet_job.py")?;
    job.arg("local").arg(&out).arg("--sql").arg(&stages).arg("--archives").arg(stories).arg("--known-bad").arg(&bad);
    let output = job.args(["--at-most", AT_MOST, "--before", moment]).output()?;
    ensure!(output.status.success(), "the job fails: {}", String::from_utf8_lossy(&output.stderr));
    eprintln!("fleet.py: {}", String::from_utf8_lossy(&output.stdout));
    let output = python("fleet_agrees.py")?.arg(&out).arg(&answers).output()?;
    let (told, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    ensure!(output.status.success(), "fleet.py answers otherwise: {told}{errors}");
    Ok(serde_json::from_str(&told)?)
}

/// A field of the objects that have it as text, in their order.
fn texts(lines: &[u8], name: &str) -> Result<Vec<String>> {
    let objects: Vec<Value> = serde_json::Deserializer::from_slice(lines).into_iter().collect::<Result<_, _>>()?;
    Ok(objects.iter().filter_map(|object| Some(object.get(name)?.as_str()?.to_owned())).collect())
}
