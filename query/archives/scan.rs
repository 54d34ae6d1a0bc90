//! The files of a table, decoded by several threads and handed on in their order: the answer does not show that.

use crate::output::problems::Problems;
use crate::output::progress::Progress;
use anyhow::{Error, Result, anyhow};
use arrow::array::RecordBatch;
use hashtrail::columns::Row;
use hashtrail::reader::{Predicate, Prune, SealedTable};
use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

/// More would take more memory: each has a file open.
const MOST_THREADS: usize = 2;
/// What may wait, decoded, until the files before it are done.
const WAITING_BYTES: usize = 32 << 20;

/// What is read of a table.
#[derive(Clone, Default)]
pub(crate) struct Scan {
    /// Which row groups.
    pub(crate) prune: Prune,
    /// First and last date of the partitions.
    pub(crate) dates: Option<(String, String)>,
    /// Which columns; none means all.
    pub(crate) columns: Vec<&'static str>,
    /// Which rows; each of these is asked only about those that the ones before it keep.
    pub(crate) predicates: Vec<Predicate>,
}

/// A file that is read.
pub(crate) struct SealedFile {
    pub(crate) path: PathBuf,
    /// As its line of the manifest says.
    pub(crate) stated_rows: Option<u64>,
}

/// What comes out of a file.
type Item = Result<RecordBatch>;

/// Hands each batch of the files to `each` until that wants no more. A file that cannot be read is a problem, and the next
/// follows; only an error of `each` ends it.
pub(crate) fn each_batch<R: Row>(
    files: &[SealedFile],
    scan: &Scan,
    problems: &Problems,
    each: &mut impl FnMut(&RecordBatch) -> Result<ControlFlow<()>>,
) -> Result<ControlFlow<()>> {
    let mut take = |item: Item| match item {
        Ok(batch) => each(&batch),
        Err(error) => {
            problems.error(&error);
            Ok(ControlFlow::Continue(()))
        }
    };
    let threads = thread::available_parallelism().map_or(1, usize::from).min(MOST_THREADS).min(files.len());
    let line = Line::new(files.len());
    let result = thread::scope(|scope| {
        let decode = || {
            while let Some(number) = line.next_file() {
                let _done = Done { line: &line, number };
                let wait = || line.wait_for_turn(number);
                let _ = decode::<R>(&files[number], scan, Some(&wait), &mut |item| Ok(line.push(number, item)));
            }
        };
        let spawned =
            (1..=threads).filter(|_| threads > 1 && thread::Builder::new().spawn_scoped(scope, decode).is_ok());
        if spawned.count() == 0 {
            return None;
        }
        let _end = End(&line);
        let mut progress = Progress::new(R::TABLE);
        let result = (0..files.len()).try_for_each(|number| {
            progress.at(number, files.len());
            line.take_all(number, &mut take)
        });
        Some(result)
    });
    let result = result.unwrap_or_else(|| {
        files.iter().try_for_each(|file| match decode::<R>(file, scan, None, &mut take) {
            Ok(ControlFlow::Continue(())) => ControlFlow::Continue(()),
            other => ControlFlow::Break(other.map(|_| ())),
        })
    });
    match result {
        ControlFlow::Continue(()) => Ok(ControlFlow::Continue(())),
        ControlFlow::Break(ended) => ended.map(ControlFlow::Break),
    }
}

/// Decodes a file. `wait` is called before it takes much memory.
fn decode<R: Row>(
    file: &SealedFile,
    scan: &Scan,
    wait: Option<&(dyn Fn() + Sync)>,
    give: &mut dyn FnMut(Item) -> Result<ControlFlow<()>>,
) -> Result<ControlFlow<()>> {
    let table = match SealedTable::<R>::open(&file.path) {
        Ok(table) => table,
        Err(error) => return give(Err(error)),
    };
    if let Some(stated) = file.stated_rows.filter(|stated| *stated != table.rows())
        && give(Err(changed(file, table.rows(), stated)))?.is_break()
    {
        return Ok(ControlFlow::Break(()));
    }
    let batches = match table.batches_in_turn(&scan.prune, &scan.columns, &scan.predicates, wait) {
        Ok(batches) => batches,
        Err(error) => return give(Err(error)),
    };
    for batch in batches {
        if give(batch)?.is_break() {
            return Ok(ControlFlow::Break(()));
        }
    }
    Ok(ControlFlow::Continue(()))
}

fn changed(file: &SealedFile, rows: u64, stated: u64) -> Error {
    anyhow!("`{}` has {rows} row(s) and was sealed with {stated}: it was changed", file.path.display())
}

/// Files in their order, with what was decoded of those that have begun.
struct Line {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// The next that begins.
    next: usize,
    /// The one that is taken from.
    first: usize,
    files: Vec<Decoded>,
    waiting_bytes: usize,
    /// Nobody takes any more.
    is_over: bool,
}

#[derive(Default)]
struct Decoded {
    items: VecDeque<Item>,
    is_done: bool,
}

impl Line {
    fn new(files: usize) -> Self {
        let files = (0..files).map(|_| Decoded::default()).collect();
        Self { state: Mutex::new(State { files, ..State::default() }), changed: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait_while(&self, condition: impl Fn(&State) -> bool) -> MutexGuard<'_, State> {
        self.changed.wait_while(self.lock(), |state| condition(state)).unwrap_or_else(PoisonError::into_inner)
    }

    /// The number of a file that nobody has begun with.
    fn next_file(&self) -> Option<usize> {
        let mut state = self.lock();
        let number = state.next;
        state.next += 1;
        (number < state.files.len() && !state.is_over).then_some(number)
    }

    /// Waits until all files before are done.
    fn wait_for_turn(&self, number: usize) {
        drop(self.wait_while(|state| !state.is_over && state.first < number));
    }

    /// Adds to a file, once there is room. The first one always has some, or all would wait.
    fn push(&self, number: usize, item: Item) -> ControlFlow<()> {
        let bytes = bytes_of(&item);
        let is_full = |state: &State| {
            let has_room = state.waiting_bytes + bytes <= WAITING_BYTES
                || state.first == number && state.files[number].items.is_empty();
            !state.is_over && !has_room
        };
        let mut state = self.wait_while(is_full);
        if state.is_over {
            return ControlFlow::Break(());
        }
        state.waiting_bytes += bytes;
        state.files[number].items.push_back(item);
        self.changed.notify_all();
        ControlFlow::Continue(())
    }

    /// Takes all of a file; those before it are done.
    fn take_all(
        &self,
        number: usize,
        take: &mut impl FnMut(Item) -> Result<ControlFlow<()>>,
    ) -> ControlFlow<Result<()>> {
        self.lock().first = number;
        self.changed.notify_all();
        loop {
            let mut state = self.wait_while(|state| {
                let file = &state.files[number];
                file.items.is_empty() && !file.is_done && !state.is_over
            });
            let Some(item) = state.files[number].items.pop_front() else { return ControlFlow::Continue(()) };
            state.waiting_bytes -= bytes_of(&item);
            drop(state);
            self.changed.notify_all();
            match take(item) {
                Ok(ControlFlow::Continue(())) => {}
                Ok(ControlFlow::Break(())) => return ControlFlow::Break(Ok(())),
                Err(error) => return ControlFlow::Break(Err(error)),
            }
        }
    }
}

fn bytes_of(item: &Item) -> usize {
    item.as_ref().map_or(0, RecordBatch::get_array_memory_size)
}

/// Says at its end, whatever that is, that nothing more comes of a file.
struct Done<'a> {
    line: &'a Line,
    number: usize,
}

/// Says at its end that nobody takes any more: who decodes must not wait then.
struct End<'a>(&'a Line);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.lock().is_over = true;
        self.0.changed.notify_all();
    }
}

impl Drop for Done<'_> {
    fn drop(&mut self) {
        let mut state = self.line.lock();
        state.files[self.number].is_done = true;
        // The panic goes on when all threads have ended, so none may wait for this one.
        state.is_over |= thread::panicking();
        drop(state);
        self.line.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::version;
    use hashtrail::versions::FileVersion;
    use hashtrail::{reader::rows, writer};
    use std::fs;
    use std::path::Path;

    fn file(folder: &Path, path: &str, count: i64) -> Result<SealedFile> {
        let row = |at| FileVersion { path: Some(path.into()), ..version("aa", at, at) };
        let name = folder.join(format!("{path}.parquet"));
        writer::write(&name, &(0..count).map(row).collect::<Vec<_>>(), "path", Vec::new())?;
        Ok(SealedFile { path: name, stated_rows: u64::try_from(count).ok() })
    }

    /// The path of each batch, and how many problems had been told by then.
    fn read(files: &[SealedFile], most: usize) -> Result<(Vec<(String, usize)>, Problems)> {
        let (problems, mut batches) = (Problems::default(), Vec::new());
        let _ = each_batch::<FileVersion>(files, &Scan::default(), &problems, &mut |batch| {
            let row: FileVersion = rows(batch).next().expect("a row")?;
            batches.push((row.path.unwrap_or_default(), problems.texts().len()));
            Ok(if batches.len() < most { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
        })?;
        Ok((batches, problems))
    }

    #[test]
    fn damage_is_told_in_its_place() -> Result<()> {
        let folder = tempfile::tempdir()?;
        // The first one takes longest.
        let sizes = [("a", 9000), ("b", 10), ("c", 10), ("d", 10)];
        let mut files =
            sizes.map(|(path, count)| file(folder.path(), path, count)).into_iter().collect::<Result<Vec<_>>>()?;
        fs::write(&files[1].path, "no Parquet at all")?;
        files[2].stated_rows = Some(11);
        let (batches, problems) = read(&files, usize::MAX)?;
        let batches: Vec<_> = batches.iter().map(|(path, told)| (path.as_str(), *told)).collect();
        assert_eq!(batches, [("a", 0), ("a", 0), ("a", 0), ("c", 2), ("d", 2)]);
        let texts = problems.texts();
        assert!(texts[0].contains("b.parquet") && texts[1].contains("sealed with 11: it was changed"), "{texts:?}");
        Ok(())
    }

    #[test]
    fn whoever_has_enough_waits_for_nobody() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let names: Vec<String> = (0..9).map(|number| number.to_string()).collect();
        let files = names.iter().map(|name| file(folder.path(), name, 9000)).collect::<Result<Vec<_>>>()?;
        for most in [1, 4] {
            assert_eq!(read(&files, most)?.0.len(), most);
        }
        assert_eq!(read(&files, usize::MAX)?.0.len(), 27);
        Ok(())
    }

    #[test]
    fn what_waits_is_bounded_and_the_first_file_always_goes_on() {
        let line = Line::new(2);
        let wide = arrow::array::Int64Array::from(vec![0; WAITING_BYTES / 8]);
        let batch = RecordBatch::try_from_iter([("wide", std::sync::Arc::new(wide) as _)]).expect("a batch");
        let order = Mutex::new(Vec::new());
        let note = |text| order.lock().expect("a list").push(text);
        assert!(line.push(0, Ok(batch.clone())).is_continue());
        thread::scope(|scope| {
            scope.spawn(|| {
                let _done = Done { line: &line, number: 1 };
                assert!(line.push(1, Ok(batch.clone())).is_continue());
                note("second");
            });
            thread::sleep(std::time::Duration::from_millis(50));
            note("first");
            drop(Done { line: &line, number: 0 });
            let mut take = |_| Ok(ControlFlow::Continue(()));
            assert!((0..2).try_for_each(|number| line.take_all(number, &mut take)).is_continue());
        });
        assert_eq!(*order.lock().expect("a list"), ["first", "second"]);
    }
}
