//! What people see while a command works, and files that appear whole or not at all.

use std::fs::{self, File, OpenOptions};
use std::io::{IsTerminal, Write};
use std::path::Path;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::error::Error;

/// Says something to a person, on stderr.
pub(super) fn note(text: impl std::fmt::Display) {
    eprintln!("{text}");
}

/// The exit code of a process that wrote to a pipe that nobody reads (128 + SIGPIPE), as shells tell it.
const NOBODY_READS: i32 = 141;

/// From now on the program ends without a word when nobody reads what it prints any more (`tars model show … | head -1`),
/// where `println!` would panic. Commits are atomic, so nothing can be half done then.
pub(super) fn end_with_the_reader() {
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        let text = info.payload_as_str().unwrap_or_default();
        if text.starts_with("failed printing to std") && text.contains("Broken pipe") {
            std::process::exit(NOBODY_READS);
        }
        hook(info);
    }));
}

/// Does something until it is done, or somebody presses Ctrl-C or ends the process (SIGTERM); nothing that `tars` commits
/// can be half done then.
pub(super) async fn unless_stopped<T>(work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    Stop::listen().unless(work).await
}

/// Hears Ctrl-C and SIGTERM from the moment it is made, so that what is taken after that can be given back.
pub(super) struct Stop {
    #[cfg(unix)]
    signals: Vec<tokio::signal::unix::Signal>,
}

impl Stop {
    pub(super) fn listen() -> Self {
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            let kinds = [SignalKind::interrupt(), SignalKind::terminate()];
            Stop { signals: kinds.into_iter().filter_map(|kind| signal(kind).ok()).collect() }
        }
        #[cfg(not(unix))]
        Stop {}
    }

    /// Does something until it is done or a signal has come.
    pub(super) async fn unless<T>(
        mut self,
        work: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        tokio::select! {
            done = work => done,
            () = self.asked() => Err(Error::Interrupted),
        }
    }

    #[cfg(unix)]
    async fn asked(&mut self) {
        if self.signals.is_empty() {
            return std::future::pending().await;
        }
        futures::future::select_all(self.signals.iter_mut().map(|signal| Box::pin(signal.recv()))).await;
    }

    #[cfg(not(unix))]
    async fn asked(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// A progress bar over bytes or rows; it shows only on a terminal, and not at all when `quiet`.
pub(super) fn progress_bar(total: Option<u64>, unit: Unit, quiet: bool) -> ProgressBar {
    let bar = match total {
        Some(total) => ProgressBar::new(total),
        None => ProgressBar::no_length(),
    };
    if quiet || !std::io::stderr().is_terminal() {
        bar.set_draw_target(ProgressDrawTarget::hidden());
        return bar;
    }
    let (done, speed) = match unit {
        Unit::Bytes => ("{bytes}/{total_bytes}", "{bytes_per_sec}"),
        Unit::Rows => ("{human_pos}/{human_len}", "{per_sec}"),
    };
    let template = format!("{{msg:24!}} {{wide_bar}} {done} {speed} {{eta}}");
    bar.set_style(ProgressStyle::with_template(&template).unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar
}

/// What a progress bar counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    Bytes,
    Rows,
}

/// Writes a file so that a reader sees the old content or the new, never a part: a temporary file beside
/// it, then a rename. Of a link, the file it leads to is replaced; what is no file is written to.
pub(super) fn write_whole(path: &Path, content: &[u8]) -> Result<(), Error> {
    let fail = |source| Error::Write { path: path.to_owned(), source };
    if is_stream(path) {
        let stream = OpenOptions::new().append(true).open(path);
        return stream.and_then(|mut stream| stream.write_all(content)).map_err(fail);
    }
    let place = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    if let Some(folder) = place.parent().filter(|p| !p.as_os_str().is_empty()) {
        fs::create_dir_all(folder).map_err(fail)?;
    }
    let mut name = place.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.partial", std::process::id()));
    let partial = place.with_file_name(name);
    let write = || {
        let mut file = File::create(&partial)?;
        if let Ok(old) = fs::metadata(&place) {
            file.set_permissions(old.permissions())?; // Who may not read the old content may not read the new.
        }
        file.write_all(content)?;
        file.sync_all()?;
        fs::rename(&partial, &place)
    };
    write().map_err(|source| {
        let _ = fs::remove_file(&partial);
        fail(source)
    })
}

/// Whether a path leads to a device or a pipe, such as `/dev/null`. A rename would put a file in its place, and whoever may
/// do that to `/dev/null` breaks the machine. What this process has open, such as `/dev/stdout`, may lead to a file into which
/// others write as well.
fn is_stream(path: &Path) -> bool {
    ["/dev/stdout", "/dev/stderr", "/dev/fd", "/proc"].iter().any(|open| path.starts_with(open))
        || fs::metadata(path).is_ok_and(|found| !found.is_file() && !found.is_dir())
}

/// A number with a comma between groups of three digits.
pub(super) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_by_three() {
        assert_eq!(thousands(7), "7");
        assert_eq!(thousands(852_420), "852,420");
        assert_eq!(thousands(1_000_000), "1,000,000");
    }

    #[test]
    fn a_file_is_replaced_whole_and_leaves_nothing_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/er/report.md");
        write_whole(&path, b"old").unwrap();
        write_whole(&path, b"new").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn a_pipe_is_written_to_and_stays_a_pipe() {
        use std::os::unix::fs::FileTypeExt;
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let reader = std::thread::spawn({
            let pipe = pipe.clone();
            move || fs::read(pipe).unwrap()
        });
        write_whole(&pipe, b"rows").unwrap();
        assert!(fs::metadata(&pipe).unwrap().file_type().is_fifo(), "a file stands where the pipe was");
        assert_eq!(reader.join().unwrap(), b"rows");
    }

    #[cfg(unix)]
    #[test]
    fn a_link_stays_and_its_file_is_replaced_with_the_rights_it_had() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("report.md"), folder.path().join("latest.md"));
        fs::write(&file, "old").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        symlink("report.md", &link).unwrap();
        write_whole(&link, b"new").unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read(&file).unwrap(), b"new");
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    #[cfg(unix)]
    #[test]
    fn devices_are_streams_and_files_below_dev_are_not() {
        for stream in ["/dev/null", "/dev/stdout", "/dev/fd/1"] {
            assert!(is_stream(Path::new(stream)), "{stream}");
        }
        for file in ["/dev/shm/report.md", "/dev/shm", "report.md"] {
            assert!(!is_stream(Path::new(file)), "{file}");
        }
    }
}
