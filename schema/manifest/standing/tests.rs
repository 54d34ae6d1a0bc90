//! Merges that are cut short anywhere: each row counts once at any time. Lines that do not fit replace nothing.

use super::super::{Content, Input, SequenceRange};
use super::*;
use std::collections::BTreeSet;

/// Numbers that look random, from a seed.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % bound as u64).expect("a small number")
    }
}

fn file(segment: u32) -> SealedFile {
    SealedFile {
        path: format!("events/host=h/date=d/r1-{segment:06}.parquet").into(),
        content: Content { sha256: format!("{segment}"), ..Content::default() },
        rows: u64::from(segment) + 1,
        from: format!("2026-01-01T00:00:{:02}Z", segment % 60),
        to: format!("2026-01-01T00:01:{:02}Z", segment % 60),
        recording_id: "r1".into(),
        segment,
        sequences: vec![SequenceRange::new(0, i64::from(segment))],
    }
}

fn line(kind: &str, fields: impl serde::Serialize) -> Map<String, Value> {
    let Ok(Value::Object(mut line)) = serde_json::to_value(fields) else { panic!("a line is an object") };
    line.insert("kind".into(), kind.into());
    line
}

/// An archive whose files are only names.
#[derive(Default)]
struct World {
    lines: Vec<Map<String, Value>>,
    tree: BTreeSet<PathBuf>,
}

impl World {
    fn of(files: &[SealedFile]) -> Self {
        let lines = files.iter().map(|file| line("file", file)).collect();
        Self { lines, tree: files.iter().map(|file| file.path.clone()).collect() }
    }

    fn standing(&self) -> Standing {
        Standing::of(self.lines.iter().cloned(), &|file| self.tree.contains(&file.path))
    }

    /// Adds a merge of these files; gives its file.
    fn merge(&mut self, inputs: &[&SealedFile], name: &str) -> PathBuf {
        let path = PathBuf::from(format!("events/host=h/date=d/{name}.parquet"));
        let compacted = CompactedFile::of(inputs, path.clone(), "digest".into()).expect("they fit");
        self.lines.push(line("compact", compacted));
        path
    }

    /// Each file that a segment was sealed to counts once, where it is or where its rows are, and that is there.
    fn check(&self, files: &[SealedFile]) {
        let standing = self.standing();
        assert!(standing.faults.is_empty(), "{:?}", standing.faults);
        let stand: Vec<PathBuf> = standing.files().into_iter().map(|file| file.path.clone()).collect();
        assert!(stand.iter().all(|path| self.tree.contains(path)), "{stand:?} of {:?}", self.tree);
        let rows: u64 = standing.files().into_iter().map(|file| file.rows).sum();
        assert_eq!(rows, files.iter().map(|file| file.rows).sum::<u64>(), "{stand:?}");
        for (file, holder) in standing.origins() {
            assert!(stand.iter().any(|path| path == holder), "{} in {}", file.path.display(), holder.display());
        }
        let replaced = self.tree.iter().filter(|path| standing.is_replaced(path)).count();
        assert_eq!(replaced + stand.len(), self.tree.len(), "what does not stand is known as replaced");
        let first = standing.files().first().map(|file| file.segment);
        assert_eq!(first, Some(0), "the order of sealing");
    }
}

#[test]
fn each_row_counts_once_wherever_a_merge_is_cut_short() {
    let files: Vec<SealedFile> = (0..12).map(file).collect();
    let (mut voided, mut replaced) = (0, 0);
    for seed in 1..200 {
        let (mut numbers, mut world) = (Numbers(seed), World::of(&files));
        for name in 0..6 {
            let standing = world.standing();
            let free: Vec<&SealedFile> = files
                .iter()
                .filter(|file| !standing.is_replaced(&file.path) && world.tree.contains(&file.path))
                .collect();
            // What was merged before is deleted first.
            let left: Vec<PathBuf> = world.tree.iter().filter(|path| standing.is_replaced(path)).cloned().collect();
            left.iter().for_each(|path| _ = world.tree.remove(path));
            if free.len() < 2 {
                break;
            }
            let first = numbers.below(free.len() - 1);
            let count = 2 + numbers.below(free.len() - first - 1);
            let inputs = &free[first..first + count];
            voided += usize::from(
                standing
                    .undone()
                    .any(|merge| inputs.iter().any(|file| merge.inputs.iter().any(|input| input.path == file.path))),
            );
            let path = world.merge(inputs, &name.to_string());
            world.check(&files);
            if numbers.below(3) == 0 {
                continue;
            }
            world.tree.insert(path);
            world.check(&files);
            for input in &inputs[..numbers.below(count + 1)] {
                world.tree.remove(&input.path);
                world.check(&files);
            }
            replaced += 1;
        }
    }
    assert!(voided > 100 && replaced > 100, "{voided} {replaced}");
}

/// Where neither a merged file nor one of its inputs is there, it is the one that is missing; a single input stands for itself.
#[test]
fn what_is_missing_is_told_by_what_is_there() {
    let files: Vec<SealedFile> = (0..3).map(file).collect();
    let mut world = World::of(&files);
    let merged = world.merge(&files.iter().collect::<Vec<_>>(), "all");
    world.tree.clear();
    let paths = |world: &World| -> Vec<PathBuf> {
        world.standing().files().into_iter().map(|file| file.path.clone()).collect()
    };
    assert_eq!(paths(&world), [merged]);
    world.tree.insert(files[1].path.clone());
    assert_eq!(paths(&world), files.iter().map(|file| file.path.clone()).collect::<Vec<_>>());
}

#[test]
fn a_line_that_does_not_fit_replaces_nothing() {
    let other = |change: fn(&mut SealedFile)| {
        let mut file = file(9);
        change(&mut file);
        file
    };
    let strange = [
        other(|file| file.recording_id = "r2".into()),
        other(|file| file.path = "events/host=h/date=e/r1-000009.parquet".into()),
        other(|file| file.rows = u64::MAX),
    ];
    let known: Vec<SealedFile> = (0..3).map(file).chain(strange).collect();
    let right =
        CompactedFile::of(&known[..2].iter().collect::<Vec<_>>(), "events/host=h/date=d/m.parquet".into(), "x".into());
    let right = right.expect("they fit");
    let input = |file: &SealedFile| Input { path: file.path.clone(), sha256: file.content.sha256.clone() };
    let mut wrong: Vec<CompactedFile> = Vec::new();
    let changes: [&dyn Fn(&mut CompactedFile); 16] = [
        &|line| line.file.path = known[2].path.clone(),
        &|line| line.file.path = "../m.parquet".into(),
        &|line| line.file.path = "/events/host=h/date=d/m.parquet".into(),
        &|line| line.file.rows += 1,
        &|line| line.file.from.push('x'),
        &|line| line.file.to.push('x'),
        &|line| line.file.segment += 1,
        &|line| line.file.recording_id = "r2".into(),
        &|line| line.file.sequences[0].last += 1,
        &|line| line.inputs.clear(),
        &|line| line.inputs[0].sha256.push('0'),
        &|line| line.inputs[1] = line.inputs[0].clone(),
        &|line| line.inputs[1].path = "events/host=h/date=d/unknown.parquet".into(),
        &|line| line.inputs[1] = input(&known[3]),
        &|line| line.inputs[1] = input(&known[4]),
        &|line| line.inputs[1] = input(&known[5]),
    ];
    for change in changes {
        let mut line = right.clone();
        change(&mut line);
        wrong.push(line);
    }
    for wrong in wrong {
        let mut world = World::of(&known);
        world.lines.push(line("compact", &wrong));
        let standing = world.standing();
        assert_eq!(standing.faults.len(), 1, "{wrong:?}");
        assert!(known.iter().all(|file| !standing.is_replaced(&file.path)), "{wrong:?}");
    }
    // A second one of the same files is none while the first one's file stands.
    let mut world = World::of(&known[..3]);
    let first = world.merge(&[&known[0], &known[1]], "first");
    world.tree.insert(first.clone());
    world.merge(&[&known[1], &known[2]], "second");
    let standing = world.standing();
    assert_eq!(standing.faults.len(), 1, "{standing:?}");
    assert_eq!(standing.holder(&known[1].path), Some(first.as_path()));
}

/// Lines that name the same many files again and again are faults before they take long.
#[test]
fn merges_of_the_same_files_are_bounded() {
    let files: Vec<SealedFile> = (0..8).map(file).collect();
    let mut world = World::of(&files);
    let inputs: Vec<&SealedFile> = files.iter().collect();
    (0..MERGES_OF_A_FILE + 5).for_each(|number| _ = world.merge(&inputs, &number.to_string()));
    let standing = world.standing();
    assert_eq!(standing.faults.len(), 5, "{:?}", standing.faults);
    assert!(files.iter().all(|file| !standing.is_replaced(&file.path)));
}
