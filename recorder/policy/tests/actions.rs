//! Actions, alone and together, and the mode of the policy.

use super::super::model::{Action, LimitScope, RateLimit};
use super::{HASH, HEAD, POST, read_bytes, read_entries};

const SECOND: u64 = 1_000_000_000;

fn read(actions: &str) -> (Action, Vec<String>) {
    let policy =
        read_entries(&format!("  - hook: bprm_check_security\n    selectors:\n    - matchActions: {actions}\n"));
    (policy.hooks[0].selectors[0].action.clone(), policy.warnings)
}

fn limited(seconds: u64, scope: LimitScope) -> Action {
    Action { rate_limit: Some(RateLimit { window_ns: seconds * SECOND, scope }), ..POST }
}

#[test]
fn actions_in_any_case_alone_and_together() {
    let no_post = Action { post: false, ..POST };
    let deny = Action { error: Some(-1), ..POST };
    let table = [
        ("[]", POST),
        ("[{action: post, imaHash: true}]", HASH),
        ("[{action: POST, imaHash: false}, {action: Post}]", POST),
        ("[{action: nopost}]", no_post.clone()),
        ("[{action: Post, imaHash: true, rateLimit: 1m}, {action: NoPost}]", no_post.clone()),
        ("[{action: Override, argError: -1}]", deny.clone()),
        ("[{action: override, argError: \"-4095\"}]", Action { error: Some(-4095), ..POST }),
        ("[{action: Override, argError: -1}, {action: Post, imaHash: true}]", Action { error: Some(-1), ..HASH }),
        ("[{action: Override, argError: -1}, {action: NoPost}]", Action { error: Some(-1), ..no_post }),
        ("[{action: Override, argError: -1}, {action: Override, argError: -1}]", deny),
        ("[{action: SIGKILL}]", Action { signal: Some(9), ..POST }),
        ("[{action: Sigkill}, {action: Signal, argSig: 9}]", Action { signal: Some(9), ..POST }),
        ("[{action: Signal, argSig: 1}]", Action { signal: Some(1), ..POST }),
        (
            "[{action: Signal, argSig: 64}, {action: Override, argError: -2}, {action: NoPost}]",
            Action { post: false, error: Some(-2), signal: Some(64), ..POST },
        ),
        ("[{action: Post, rateLimit: 30}]", limited(30, LimitScope::Thread)),
        ("[{action: Post, rateLimit: \"1s\", rateLimitScope: thread}]", limited(1, LimitScope::Thread)),
        ("[{action: Post, rateLimit: 5m, rateLimitScope: process}]", limited(300, LimitScope::Process)),
        ("[{action: Post, rateLimit: 2h, rateLimitScope: global}]", limited(7200, LimitScope::Global)),
        ("[{action: Post, rateLimit: 0}]", POST),
    ];
    for (actions, expected) in table {
        assert_eq!(read(actions), (expected, Vec::new()), "{actions}");
    }
}

#[test]
fn actions_that_do_less_than_they_say_are_warned_of() {
    let table = [
        ("[{action: Override, argError: -5000}]", Some(-4095), "`argError` -5000 is no error of the kernel"),
        ("[{action: Override, argError: 1}]", Some(0), "`argError` 1 is no error of the kernel"),
        ("[{action: Override, argError: 0}]", Some(0), "`argError` 0 denies nothing"),
        ("[{action: Override}]", Some(0), "`Override` without `argError` returns 0"),
        ("[{action: Post, rateLimitScope: global}]", None, "`rateLimitScope` has no effect"),
    ];
    for (actions, error, warning) in table {
        let (action, warnings) = read(actions);
        assert_eq!(action.error, error, "{actions}");
        assert!(warnings.iter().any(|found| found.contains(warning)), "{actions}: {warnings:?}");
    }
    let policy =
        read_entries("  - hook: inode_unlink\n    selectors: [{matchActions: [{action: Post, imaHash: true}]}]\n");
    assert_eq!(policy.hooks[0].selectors[0].action, HASH);
    assert!(policy.warnings[0].contains("no digest is possible at `inode_unlink`"), "{:?}", policy.warnings);
}

#[test]
fn monitor_mode_is_kept() {
    for (options, monitor) in [
        ("[]", false),
        ("[{name: policy-mode, value: enforce}]", false),
        ("[{name: policy-mode, value: \"monitor\"}]", true),
    ] {
        let text = format!("{HEAD}  - hook: file_open\n  options: {options}\n");
        assert_eq!(read_bytes(text.as_bytes()).unwrap()[0].monitor, monitor, "{options}");
    }
}
