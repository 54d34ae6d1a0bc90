//! Pedro's Parquet files of execs.

use super::input::Input;
use super::record::{Place, Record, blank, set_arguments, set_digest, set_exe, set_path, set_time};
use super::source::{Each, Given, Source};
use anyhow::{Context, Result, anyhow, bail, ensure};
use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StructArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type, TimeUnit};
use hashtrail::cell::Micros;
use hashtrail::event::Event;
use hashtrail::hooks;
use hashtrail::manifest::hex;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ParquetRecordBatchReaderBuilder};
use parquet::schema::types::SchemaDescriptor;
use std::panic::{AssertUnwindSafe, catch_unwind};

const NAME: &str = "pedro";
const BATCH_ROWS: usize = 512;
/// What a file may state of itself: all of a group of rows is decoded together.
const MAX_GROUP_BYTES: i64 = 256 << 20;
const MAX_FOOTER_BYTES: u64 = 8 << 20;
const MAGIC: &[u8] = b"PAR1";

pub(super) const SOURCE: Source = Source {
    name: NAME,
    help: "Pedro's Parquet files of execs",
    cannot_know: &["loss", "boot", "root", "generation", "zeros", "reading"],
    resolution_ns: 0,
    is_undated: false,
    is_mine: |head| head.starts_with(MAGIC),
    read,
};

/// Columns that are read: of a program's environment and descriptors nothing is.
const READ: [&str; 6] = ["common", "target", "argv", "decision", "script", "instigator"];

fn read(input: &Input, _: &Given, each: Each<'_>) -> Result<()> {
    if input.is_packed {
        bail!("it is packed with gzip: unpack it, and give what comes out");
    }
    let mut number = 0;
    let mut take = |batch: &RecordBatch| -> Result<()> {
        for row in 0..batch.num_rows() {
            number += 1;
            each(Place { unit: "row", number }, Record::of(row_of(batch, row)))?;
        }
        Ok(())
    };
    // The decoder can panic at what is damaged.
    let whole = catch_unwind(AssertUnwindSafe(|| each_batch(input, &mut take)));
    whole.unwrap_or_else(|_| Err(anyhow!("the file is damaged: it cannot be decoded")))
}

fn each_batch(input: &Input, take: &mut dyn FnMut(&RecordBatch) -> Result<()>) -> Result<()> {
    let file = input.file()?;
    check_footer(&file, input.content.size_bytes)?;
    let metadata =
        ArrowReaderMetadata::load(&file, Default::default()).context("it is no Parquet file that can be read")?;
    for group in metadata.metadata().row_groups() {
        let bytes =
            group.columns().iter().map(|column| column.uncompressed_size().max(0)).fold(0_i64, i64::saturating_add);
        ensure!(bytes <= MAX_GROUP_BYTES, "a group of its rows takes {bytes} bytes, more than {MAX_GROUP_BYTES}");
    }
    let is_exec = ["common", "target"].iter().all(|name| metadata.schema().column_with_name(name).is_some());
    ensure!(is_exec, "it has no columns `common` and `target`: only files of execs are read");
    let columns = projection(metadata.parquet_schema());
    let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(file, metadata);
    let reader = builder.with_projection(columns).with_batch_size(BATCH_ROWS).build()?;
    for batch in reader {
        take(&batch.context("a page of it cannot be read")?)?;
    }
    Ok(())
}

fn projection(schema: &SchemaDescriptor) -> ProjectionMask {
    let is_read = |root: &usize| READ.contains(&schema.root_schema().get_fields()[*root].name());
    ProjectionMask::roots(schema, (0..schema.root_schema().get_fields().len()).filter(is_read))
}

/// The footer is decoded at once, so its size comes first.
fn check_footer(file: &std::fs::File, size_bytes: u64) -> Result<()> {
    use std::os::unix::fs::FileExt;
    let mut end = [0; 8];
    let place = size_bytes.checked_sub(12).context("it is too short for a Parquet file")? + 4;
    file.read_exact_at(&mut end, place)?;
    ensure!(&end[4..] == MAGIC, "it does not end like a Parquet file");
    let bytes = u64::from(u32::from_le_bytes([end[0], end[1], end[2], end[3]]));
    ensure!(bytes <= MAX_FOOTER_BYTES.min(size_bytes - 12), "its footer of {bytes} bytes is larger than what is read");
    Ok(())
}

/// One row, whose columns are structures of structures.
struct Fields<'a>(&'a StructArray, usize);

impl<'a> Fields<'a> {
    fn column(&self, name: &str) -> Option<&'a ArrayRef> {
        self.0.column_by_name(name).filter(|column| !column.is_null(self.1))
    }

    fn fields(&self, name: &str) -> Option<Fields<'a>> {
        Some(Fields(self.column(name)?.as_struct_opt()?, self.1))
    }

    /// Text that is not empty: Pedro writes nothing for what is not known.
    fn text(&self, name: &str) -> Option<String> {
        let bytes = bytes_of(self.column(name)?, self.1)?;
        String::from_utf8(bytes).ok().filter(|text| !text.is_empty())
    }

    fn bytes(&self, name: &str) -> Option<Vec<u8>> {
        bytes_of(self.column(name)?, self.1)
    }

    fn number(&self, name: &str) -> Option<i64> {
        let column = cast(&self.column(name)?.slice(self.1, 1), &DataType::Int64).ok()?;
        column.as_primitive_opt::<Int64Type>().filter(|column| !column.is_null(0)).map(|column| column.value(0))
    }

    /// A time since 1970, in nanoseconds.
    fn time(&self, name: &str) -> Option<i64> {
        let unit = match self.column(name)?.data_type() {
            DataType::Timestamp(unit, _) | DataType::Duration(unit) => *unit,
            _ => return None,
        };
        let factor = match unit {
            TimeUnit::Second => 1_000_000_000,
            TimeUnit::Millisecond => 1_000_000,
            TimeUnit::Microsecond => 1_000,
            TimeUnit::Nanosecond => 1,
        };
        self.number(name)?.checked_mul(factor)
    }

    fn id(&self, name: &str, field: &str) -> Option<i64> {
        self.fields(name)?.number(field).filter(|id| (0..i64::from(u32::MAX)).contains(id))
    }
}

fn bytes_of(column: &ArrayRef, row: usize) -> Option<Vec<u8>> {
    let column = cast(&column.slice(row, 1), &DataType::Binary).ok()?;
    column.as_binary_opt::<i32>().filter(|column| !column.is_null(0)).map(|column| column.value(0).to_vec())
}

fn row_of(batch: &RecordBatch, row: usize) -> Result<Event, String> {
    let whole = StructArray::from(batch.clone());
    let fields = Fields(&whole, row);
    let common = fields.fields("common").ok_or("it has no `common`")?;
    let target = fields.fields("target").ok_or("it has no `target`")?;
    let is_denied = fields.text("decision").as_deref() == Some("DENY");
    let mut event =
        blank(NAME, "exec", if is_denied { hooks::BPRM_CHECK_SECURITY } else { hooks::BPRM_COMMITTED_CREDS });
    set_time(&mut event, common.time("event_time").ok_or("it has no event_time")?)?;
    event.host = common.text("hostname").unwrap_or_default();
    // What Pedro decided is told in its own word.
    event.tags = fields.text("decision").filter(|_| is_denied).into_iter().collect();
    set_process(&mut event, &target);
    let executable = target.fields("executable").ok_or("its target has no executable")?;
    set_file(&mut event, &executable)?;
    if let Some(arguments) = fields.column("argv") {
        let arguments = list(arguments, row).ok_or("its argv is no list")?;
        event.argc = i32::try_from(arguments.len()).ok();
        set_arguments(&mut event, &arguments);
    }
    Ok(event)
}

fn list(column: &ArrayRef, row: usize) -> Option<Vec<Vec<u8>>> {
    let items = column.as_list_opt::<i32>()?.value(row);
    (0..items.len()).map(|item| bytes_of(&items, item)).collect()
}

fn set_process(event: &mut Event, target: &Fields<'_>) {
    let small = |number: Option<i64>| number.and_then(|number| i32::try_from(number).ok()).unwrap_or(-1);
    event.pid = small(target.fields("id").and_then(|id| id.number("pid")));
    event.ppid = small(target.fields("parent_id").and_then(|id| id.number("pid")));
    event.process_start_ns = target.time("start_time").filter(|time| *time > 0).unwrap_or(event.process_start_ns);
    event.uid = target.id("real_user", "uid").or_else(|| target.id("user", "uid")).unwrap_or(event.uid);
    event.gid = target.id("real_group", "gid").or_else(|| target.id("group", "gid")).unwrap_or(event.gid);
    event.euid = target.id("effective_user", "uid").unwrap_or(event.euid);
    event.auid = target.id("login_user", "uid");
    event.session_id = target.number("session_id");
    if let Some(namespaces) = target.fields("namespaces") {
        let number = |name: &str| namespaces.number(name).unwrap_or(-1);
        event.mnt_ns = number("mnt_ns_inum");
        event.pid_ns = number("pid_ns_inum");
        event.cgroup_id = number("cgroup_id");
    }
}

/// The program, as far as Pedro tells: it knows no generation of an inode.
fn set_file(event: &mut Event, executable: &Fields<'_>) -> Result<(), String> {
    if let Some(path) = executable.fields("path") {
        let bytes = path.bytes("path").unwrap_or_default();
        set_path(event, &bytes);
        set_exe(event, &bytes);
        if path
            .column("truncated")
            .and_then(|column| column.as_boolean_opt())
            .is_some_and(|column| column.value(path.1))
        {
            event.path_flags = vec!["unreachable".to_owned()];
        }
    }
    if let Some(stat) = executable.fields("stat") {
        let device =
            stat.fields("dev").and_then(|dev| Some(format!("{}:{}", dev.number("major")?, dev.number("minor")?)));
        event.ino = stat.number("ino").filter(|_| device.is_some());
        event.dev = device.filter(|_| event.ino.is_some());
        event.mode = stat.number("mode").and_then(|mode| i32::try_from(mode).ok());
        (event.owner_uid, event.owner_gid) = (stat.id("user", "uid"), stat.id("group", "gid"));
        (event.nlink, event.size_bytes) = (stat.number("nlink"), stat.number("size"));
        event.mtime = stat.time("modification_time").map(|time| Micros(time / 1_000));
        event.ctime = stat.time("change_time").map(|time| Micros(time / 1_000));
    }
    let Some(hash) = executable.fields("hash") else { return Ok(()) };
    let value = hash.bytes("value").unwrap_or_default();
    match hash.text("algorithm").filter(|_| !value.is_empty()) {
        Some(algorithm) => set_digest(event, NAME, &algorithm, &hex(&value)),
        None => Ok(()),
    }
}
