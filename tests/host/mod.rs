//! The real binaries on this machine: its kernel, its disks, its shells.

#[cfg(feature = "recorder")]
mod bench; // the benchmark reads and makes journals as the recorder does
#[cfg(feature = "recorder")]
mod kills; // crashes, floods and failing disks, on this machine's own kernel
#[cfg(feature = "recorder")]
pub(crate) mod loadtest; // more events than fit, on this machine's own kernel
#[cfg(feature = "recorder")]
mod manual; // completions in real shells, pages by groff
#[cfg(feature = "recorder")]
mod outputs; // links, FIFOs and open folders where the recorder writes
#[cfg(feature = "recorder")]
mod space; // a disk that fills up
