//! The tests of the real binaries. One crate, because each test crate is one more large link.

mod duckdb; // rows of an archive by another engine
mod guest; // boots a kernel once and runs all scenarios in it
mod scenario; // what one scenario left: its oracle, its archive, the answers about it
mod support; // commands, paths, JSON lines

mod answers; // what the query tool says beside its rows
#[cfg(feature = "recorder")]
mod bench; // the benchmark reads and makes journals as the recorder does
mod beside; // a file is changed by another way than its path
mod blind; // switched off or killed: what was not seen is known
#[cfg(feature = "recorder")]
mod compacted; // small files that were merged
mod context; // what ran before, forks, containers, digests of user space
mod contract; // JSON Schemas, by another engine
mod cost; // what a call costs that the policy refuses
mod differences; // before and after a moment, by another engine
mod directories; // opens that the first names of their paths refuse
mod doctor; // what the recorder says about a host
mod doubts; // digests that IMA's cache gets wrong, and algorithms that change
mod enforcement; // denials and signals, and Tetragon's own examples
mod engines; // DuckDB, Spark, pyarrow and Polars read the same rows
mod entries; // many entries of one hook
mod filters; // a policy decides before anything is hashed
mod flood; // many hashes at once hide nothing
mod handles; // files that no path leads to, and mounts that move
mod hostile; // names that want to be more than names
mod imports; // logs of other programs, counted by other programs
mod incident; // the story of the sample archive
mod kept; // digests that are used again
#[cfg(feature = "recorder")]
mod kills; // crashes, floods and failing disks, on this machine's own kernel
mod kinds; // every kind of code that can run
mod known; // lists of known files beside the answers
mod limits; // rate limits, merged rows, filters on the digest
#[cfg(feature = "recorder")]
mod loadtest; // more events than fit, on this machine's own kernel
mod machines; // one host name, several machines
#[cfg(feature = "recorder")]
mod manual; // completions in real shells, pages by groff
mod matrix; // every way of changing a program, on every filesystem
mod measured; // the kernel's own measurement list and a TPM
mod mutants; // seeded damage to good files
mod opens; // opens that cannot or must not be hashed
mod operators; // what each operator of the policy selects
mod others; // hooks by name
#[cfg(feature = "recorder")]
mod outputs; // links, FIFOs and open folders where the recorder writes
mod packages; // a real dpkg upgrades, and what it owns is tampered with
mod policies; // arguments and data that only the kernel's BTF explains
mod power; // the power is cut while events are recorded
mod prevalence; // digests that few hosts ran, by another engine
mod random; // numbers that a seed decides
mod readme; // the README says what the tool says
mod reload; // policies are replaced while a recording runs
mod report; // the report in a browser
mod rewrites; // a binary's content changes, in place or by rename
mod rooms; // which part of the code uses which
mod roots; // one path, several files
mod seen; // who runs the binaries that a policy asks for
#[cfg(feature = "recorder")]
mod space; // a disk that fills up
mod sql; // what hashtrail sql prints, run by other engines
mod stored; // content that changes without a trace in its counters
mod tasks; // many tasks at once
mod terminal; // rows within its width, and pages
mod timeline; // events and changes for other tools
mod tree; // processes and what each ran
mod unseen; // code that runs without a plain exec or mapping
mod user_digests; // digests that user space took, in the answers
mod verdicts; // what changes look like, with the rows that say so
mod writers; // who changed a program
