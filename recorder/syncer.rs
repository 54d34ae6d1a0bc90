//! Makes the journal durable at an interval, on a thread of its own: draining a ring never waits for a disk.

use crossbeam_channel::{RecvTimeoutError, Sender, unbounded};
use std::fs::File;
use std::thread::JoinHandle;
use std::time::Duration;

/// The thread and the way to it.
pub(crate) struct Syncer {
    files: Option<Sender<File>>,
    thread: Option<JoinHandle<()>>,
}

impl Syncer {
    /// Starts the thread.
    pub(crate) fn start(interval: Duration) -> Self {
        let (files, received) = unbounded::<File>();
        let thread = std::thread::spawn(move || {
            let mut current: Option<File> = None;
            loop {
                match received.recv_timeout(interval) {
                    Ok(file) => current = Some(file),
                    Err(RecvTimeoutError::Timeout) => {
                        // Pages that were dirtied through the map are written too (fsync(2)).
                        if let Some(Err(error)) = current.as_ref().map(File::sync_data) {
                            eprintln!("warning: cannot sync the journal: {error}");
                            current = None;
                        }
                    }
                    Err(RecvTimeoutError::Disconnected) => return,
                }
            }
        });
        Self { files: Some(files), thread: Some(thread) }
    }

    /// Syncs this segment from now on; the one before is sealed, which makes it durable.
    pub(crate) fn watch(&self, file: File) {
        if let Some(files) = &self.files {
            // The thread only ends when this sender is gone.
            let _ = files.send(file);
        }
    }

    /// Ends the thread.
    pub(crate) fn stop(&mut self) {
        self.files = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
