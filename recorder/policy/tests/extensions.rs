//! What stands under `hashtrail:`, in selectors and in hook entries.

use std::path::{Path, PathBuf};

use super::super::model::{Action, Dedupe, Filter, Number, Text};
use super::{HASH, HEAD, Loader, POST, equal, mask, number, read_entries, read_selector};

const SECOND: u64 = 1_000_000_000;

fn read(hook: &str, extension: &str) -> Vec<Filter> {
    read_selector(&format!("  - hook: {hook}\n    selectors: [{{hashtrail: {{{extension}}}}}]\n")).filters
}

#[test]
fn users_by_numbers_and_ranges() {
    let unset = 0xffff_ffff;
    let table = [
        ("uids: {operator: In, values: [0, \"1000:1999\"]}", number(Number::Uid, false, &[(0, 0), (1000, 1999)])),
        ("euids: {operator: NotIn, values: [0x10]}", number(Number::Euid, true, &[(16, 16)])),
        ("auids: {operator: In, values: [unset]}", number(Number::Auid, false, &[(unset, unset)])),
        ("auids: {operator: NotIn, values: [unset, 0]}", number(Number::Auid, true, &[(unset, unset), (0, 0)])),
        ("uids: {operator: In, values: [4294967295]}", number(Number::Uid, false, &[(unset, unset)])),
    ];
    for (extension, expected) in table {
        assert_eq!(read("sb_pivotroot", extension), [expected], "{extension}");
    }
}

#[test]
fn file_types_open_modes_and_attributes() {
    let directory = number(Number::FileType, true, &[(0x4000, 0x4000)]);
    for hook in ["bprm_check_security", "inode_rename", "file_open", "path_truncate"] {
        assert_eq!(read(hook, "fileTypes: {operator: NotIn, values: [dir]}"), std::slice::from_ref(&directory));
    }
    let all = read("file_open", "openMode: [read, write, truncate, append, create]");
    assert_eq!(all, [mask(Number::OpenMode, 1 | 2 | 4 | 8 | 16)]);
    let all = read("inode_setattr", "attributes: [mode, uid, gid, size, atime, mtime, ctime]");
    assert_eq!(all, [mask(Number::Attributes, 127)]);
}

#[test]
fn digests_of_each_algorithm() {
    for (algorithm, size) in [("md5", 16), ("sha1", 20), ("sha224", 28), ("sha256", 32), ("sha384", 48), ("sha512", 64)]
    {
        let (low, high) = ("0f".repeat(size), "F0".repeat(size));
        let extension =
            format!("digests: {{operator: NotIn, algorithm: {algorithm}, values: [\"{low}\", \"{high}\"]}}");
        let digests = vec![vec![0x0f; size], vec![0xf0; size]];
        let expected = Filter::Digest { algorithm: algorithm.to_owned(), negated: true, digests };
        assert_eq!(read("bprm_check_security", &extension), [expected]);
    }
}

/// A folder that is removed in the end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("hashtrail-policy-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    /// Reads a policy in this folder that names a file of digests.
    fn read(&self, file: &str) -> Result<Vec<Filter>, Vec<String>> {
        let text = format!(
            "{HEAD}  - hook: bprm_check_security\n    selectors:\n    - hashtrail: {{digests: {{operator: In, algorithm: md5, file: {file}}}}}\n"
        );
        let mut loader = Loader::default();
        loader.add(&self.0.join("policy.yaml"), text.as_bytes());
        if loader.faults.is_empty() {
            Ok(loader.policies[0].hooks[0].selectors[0].filters.clone())
        } else {
            Err(loader.faults)
        }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn digests_out_of_a_file_next_to_the_policy() {
    let folder = Folder::new("good");
    let (one, two) = ("11".repeat(16), "aB".repeat(16));
    let content = format!("# known\n{one}\n\n  {two}  some name # why\r\n#{one}\n");
    std::fs::write(folder.0.join("bad.txt"), content).unwrap();
    let digests = vec![vec![0x11; 16], vec![0xab; 16]];
    let expected = [Filter::Digest { algorithm: "md5".to_owned(), negated: false, digests }];
    assert_eq!(folder.read("bad.txt"), Ok(expected.to_vec()));
    let absolute = folder.0.join("bad.txt");
    assert_eq!(folder.read(&absolute.to_string_lossy()), Ok(expected.to_vec()));
}

#[test]
fn bad_lines_of_a_file_of_digests_are_named_there() {
    let folder = Folder::new("bad");
    let one = "11".repeat(16);
    std::fs::write(folder.0.join("d.txt"), format!("{one}\n {one}0\nxx{}\n{one}\n\u{e9}\n", "11".repeat(15))).unwrap();
    let faults = folder.read("d.txt").unwrap_err();
    let place = |end: &str| format!("{}{end}", folder.0.join("d.txt").to_string_lossy());
    assert_eq!(faults.len(), 3, "{faults:#?}");
    for (fault, end) in faults.iter().zip([":2:2: ", ":3:1: ", ":5:1: "]) {
        assert!(fault.starts_with(&place(end)) && fault.contains("write 32 hexadecimal digits"), "{fault}");
    }
    std::fs::write(folder.0.join("empty.txt"), "# nothing\n").unwrap();
    let faults = folder.read("empty.txt").unwrap_err();
    assert!(faults[0].contains("empty.txt:1:1: the file holds no digest"), "{faults:?}");
    std::fs::write(folder.0.join("binary.txt"), [0xff, 0xfe]).unwrap();
    for (file, reason) in [
        ("missing.txt", "No such file"),
        ("binary.txt", "UTF-8"),
        (".", "not a plain file"),
        ("/dev/zero", "not a plain file"),
    ] {
        let faults = folder.read(file).unwrap_err();
        assert_eq!(faults.len(), 1);
        assert!(faults[0].contains("policy.yaml:9:65: cannot read the digests in"), "{faults:?}");
        assert!(faults[0].contains(reason), "{faults:?}");
    }
}

#[test]
fn what_stands_in_the_hook_entry_holds_for_each_selector() {
    let policy = read_entries(
        "  - hook: file_open
    args: [{index: 0}]
    selectors:
    - matchArgs: [{operator: Equal, values: [/a]}]
    - hashtrail: {openMode: [write]}
      matchActions: [{action: NoPost}]
    hashtrail:
      uids: {operator: In, values: [0]}
      dedupe: {key: [file, digest, process], window: 5m}
      recordByDefault: true
",
    );
    let by_root = number(Number::Uid, false, &[(0, 0)]);
    let dedupe = Some(Dedupe { window_ns: 300 * SECOND, by_process: true });
    let selectors = &policy.hooks[0].selectors;
    assert_eq!(selectors.len(), 3);
    assert_eq!(selectors[0].filters, [equal(Text::Path, &["/a"]), by_root.clone()]);
    assert_eq!(selectors[0].action, Action { dedupe, ..POST });
    assert_eq!(selectors[1].filters, [mask(Number::OpenMode, 2), by_root]);
    assert_eq!(selectors[1].action, Action { post: false, ..POST });
    assert_eq!(selectors[2].filters, []);
    assert_eq!((selectors[2].action.clone(), selectors[2].line), (Action { dedupe, ..POST }, 14));
    let expected = ["`openMode` (line 11)", "`uids` (line 14)", "`dedupe` (line 15)", "`recordByDefault` (line 16)"];
    assert_eq!(policy.extensions, expected);
}

#[test]
fn an_entry_without_selectors_gets_one_where_it_has_filters() {
    let selectors = |extension: &str| {
        read_entries(&format!("  - hook: file_open\n    hashtrail: {{{extension}}}\n")).hooks[0].selectors.clone()
    };
    let with_filter = selectors("euids: {operator: In, values: [0]}");
    assert_eq!(with_filter.len(), 1);
    assert_eq!(with_filter[0].filters, [number(Number::Euid, false, &[(0, 0)])]);
    assert_eq!(selectors("recordByDefault: true"), []);
    assert_eq!(selectors("recordByDefault: false"), []);
    let merged = selectors("dedupe: {key: [file], window: 10s}");
    assert_eq!(merged[0].action, Action { dedupe: Some(Dedupe { window_ns: 10 * SECOND, by_process: false }), ..POST });
}

#[test]
fn dedupe_of_a_selector() {
    let selector = read_selector(
        "  - hook: file_open
    selectors:
    - hashtrail: {dedupe: {key: [digest, file], window: 1h}}
      matchActions: [{action: Post, imaHash: true}]
",
    );
    assert_eq!(
        selector.action,
        Action { dedupe: Some(Dedupe { window_ns: 3600 * SECOND, by_process: false }), ..HASH }
    );
}

#[test]
fn known_bad_denies_by_its_digest_what_is_run_and_what_is_mapped_as_code() {
    let mut loader = Loader::default();
    loader.add(Path::new("known-bad.yaml"), super::KNOWN_BAD.as_bytes());
    let zero = Filter::Digest { algorithm: "sha256".to_owned(), negated: false, digests: vec![vec![0; 32]] };
    let hooks: Vec<_> = loader.policies[0].hooks.iter().collect();
    assert_eq!(hooks.iter().map(|entry| entry.hook.name()).collect::<Vec<_>>(), ["bprm_check_security", "mmap_file"]);
    for entry in hooks {
        let selector = &entry.selectors[0];
        assert!(selector.filters.contains(&zero), "{:?}", selector.filters);
        assert_eq!(selector.action, Action { error: Some(-1), ..HASH });
    }
}
