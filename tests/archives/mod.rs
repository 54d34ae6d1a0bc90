//! Archives that are asked: what stands in them and what is answered, against other engines and programs.

mod answers; // what the query tool says beside its rows
#[cfg(feature = "recorder")]
mod compacted; // small files that were merged
mod contract; // JSON Schemas, by another engine
mod differences; // before and after a moment, by another engine
mod fleet; // a Spark job over many hosts, and parts of it that are killed
mod hostile; // names that want to be more than names
mod imports; // logs of other programs, counted by other programs
mod known; // lists of known files beside the answers
mod mutants; // seeded damage to good files
mod prevalence; // digests that few hosts ran, by another engine
mod readme; // the README says what the tool says
mod report; // the report in a browser
mod snapshots; // what each verb prints in each format
mod sql; // what hashtrail sql prints, run by other engines
mod terminal; // rows within its width, and pages
mod timeline; // events and changes for other tools
mod tree; // processes and what each ran
mod user_digests; // digests that user space took, in the answers
