//! Files that grow: their new lines land at an interval, through rotation, until somebody stops it.
//!
//! A file is followed by what it is (device and inode), and known to the lake by its path. When a path comes to mean
//! another file, or its file was cut, the old one is read to its end, and the new one lands anew under that path. A
//! rotated file that is matched itself (`app.log*`) is told by its name and content from a new one: where it begins
//! with what landed under its earlier name, only its rest lands. So it is after a restart, and a file that was
//! rotated away in between is read to its end first, matched or not.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Read, Seek};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::error::{Error, Result};
use super::land::{Lander, Recorded};
use super::options::Options;
use super::output::{Origin, REJECTS};
use super::resume::{compare, landed, offsets};
use super::run::{Found, Order, Reader, TABLES, Work, flow, settings};
use super::source::{
    Blocks, FIRST_LINE, FileId, Grip, Tail, digests_at, earlier_names, file_id, head, identity_of_file,
    is_packed, matching, unpack, unpack_file, was_cut,
};
use super::stats::{Progress, Summary};
use crate::lake::Lake;

/// How often files are looked at.
const POLL: Duration = Duration::from_millis(250);
/// How long rows wait for their commit, unless told otherwise.
const FLUSH_INTERVAL: Duration = Duration::from_secs(5);
/// Looks without news after which a file that was rotated away counts as finished: its writer has moved on.
const QUIET_LOOKS: u32 = 4;
/// Blocks of one file before the next has its turn.
const TURN: usize = 16;

/// When to stop by itself, and how often to look.
#[derive(Debug, Clone, Copy)]
pub struct Follow {
    /// Ends when nothing has come for that long; never when `None`.
    pub until_idle: Option<Duration>,
    /// Time between two looks at the files.
    pub poll: Duration,
}

impl Default for Follow {
    fn default() -> Self {
        Follow { until_idle: None, poll: POLL }
    }
}

/// Follows files, globs and directories: lands what they hold and what is added to them, whole lines only, until the
/// options' `cancel` is set or nothing comes any more. Files that turn up later are taken up.
///
/// # Errors
/// As for [`ingest`](super::ingest); inputs that are not there yet are waited for.
pub async fn follow(
    lake: &Lake,
    inputs: &[String],
    options: &Options,
    how: Follow,
    progress: &dyn Progress,
) -> Result<Summary> {
    let checked = options.check()?;
    check_inputs(inputs)?;
    let lander = Lander::open(lake, settings(&checked)).await?;
    let inputs = inputs.to_vec();
    flow(lander, checked, None, progress, move |reader| {
        let flush_interval = reader.checked.flush_interval.unwrap_or(FLUSH_INTERVAL);
        let follower = Follower {
            reader,
            inputs,
            how,
            flush_interval,
            files: BTreeMap::new(),
            flushed: Instant::now(),
            waiting: false,
        };
        follower.run();
    })
    .await
}

fn check_inputs(inputs: &[String]) -> Result<()> {
    if inputs.is_empty() {
        return Err(Error::NoInput);
    }
    for input in inputs {
        if input == "-" || input.contains("://") {
            return Err(Error::NotFollowed { input: input.clone() });
        }
        matching(input)?;
    }
    Ok(())
}

/// A file that is being read.
struct Followed {
    mark: FileId,
    source: usize,
    origin: Arc<Origin>,
    blocks: Blocks,
    grip: Arc<Grip>,
    head: Vec<u8>,
    /// Its path means another file now; so many looks have brought nothing since.
    away: Option<u32>,
    /// Tables that have it under an earlier name, up to an offset, and must come to know it under this one.
    inherited: Option<([bool; TABLES], u64)>,
    end: u64,
}

enum State {
    /// Not a whole line yet, or still being packed.
    Waiting {
        size: u64,
    },
    Open(Box<Followed>),
    /// Read to its end.
    Done {
        mark: FileId,
        size: u64,
    },
}

/// Nobody lands any more.
struct Closed;

struct Follower {
    reader: Reader,
    inputs: Vec<String>,
    how: Follow,
    flush_interval: Duration,
    files: BTreeMap<PathBuf, State>,
    flushed: Instant,
    /// Whether rows wait for their commit.
    waiting: bool,
}

impl Follower {
    fn run(mut self) {
        let mut last_news = Instant::now();
        while !self.reader.is_cancelled() {
            let Ok(news) = self.look() else { return };
            if news {
                last_news = Instant::now();
            } else {
                if self.how.until_idle.is_some_and(|idle| last_news.elapsed() >= idle) {
                    break;
                }
                std::thread::sleep(self.how.poll);
            }
            if self.waiting && self.flushed.elapsed() >= self.flush_interval {
                self.flushed = Instant::now();
                self.waiting = false;
                if !self.reader.send(0, Work::Order(Order::Flush)) {
                    return;
                }
            }
        }
        // A last line without its end stays for the next time.
        for state in std::mem::take(&mut self.files).into_values() {
            if let State::Open(file) = state
                && !self.reader.send(file.source, Work::Ended { damage: None, bytes: file.end })
            {
                return;
            }
        }
    }

    /// One look at all files; whether it brought anything.
    fn look(&mut self) -> std::result::Result<bool, Closed> {
        let mut found: Vec<(PathBuf, FileId, u64)> = Vec::new();
        for input in &self.inputs {
            for path in matching(input).unwrap_or_default() {
                if let Ok(metadata) = fs::metadata(&path)
                    && !found.iter().any(|(known, _, _)| *known == path)
                {
                    found.push((path, file_id(&metadata), metadata.len()));
                }
            }
        }
        for (path, mark, _) in &found {
            self.check(path, *mark);
        }
        let mut news = self.read_all(&found)?;
        for (path, mark, size) in &found {
            // A file that was renamed is read to its end under its old name first.
            let held = self.files.values().any(|s| matches!(s, State::Open(f) if f.mark == *mark));
            let known = matches!(self.files.get(path), Some(State::Open(_)));
            if !known && !held {
                news |= self.take_up(path, *mark, *size, None)?;
            }
        }
        Ok(news)
    }

    /// Whether a path still means the file that is read under it, uncut.
    fn check(&mut self, path: &Path, mark: FileId) {
        let Some(State::Open(file)) = self.files.get_mut(path) else { return };
        if file.mark != mark {
            file.away.get_or_insert(0);
        } else if was_cut(path, mark, file.grip.read(), &file.head) {
            file.grip.cut();
        }
    }

    fn read_all(&mut self, found: &[(PathBuf, FileId, u64)]) -> std::result::Result<bool, Closed> {
        let mut news = false;
        let paths: Vec<PathBuf> = self.files.keys().cloned().collect();
        for path in paths {
            let Some(State::Open(file)) = self.files.get(&path) else { continue };
            // In a chain of renames the last one goes first, so that each finds its new name free.
            let occupied = found.iter().any(|(other, mark, _)| {
                *mark == file.mark && *other != path && matches!(self.files.get(other), Some(State::Open(_)))
            });
            let Some(State::Open(file)) = self.files.get_mut(&path) else { continue };
            let before = file.end;
            let outcome = read(&mut self.reader, file)?;
            let came = file.end > before;
            news |= came;
            self.waiting |= came;
            if let Some(looks) = &mut file.away {
                *looks = if came { 0 } else { *looks + 1 };
                if *looks >= QUIET_LOOKS && !occupied {
                    file.grip.close();
                }
            } else if fs::metadata(&path).is_err() {
                // Gone, or between two names. Its bytes are there as long as it is open.
                file.away = Some(0);
            }
            if let Some(damage) = outcome.filter(|_| !occupied) {
                let (source, mark, end, cut) = (file.source, file.mark, file.end, file.grip.is_cut());
                let size = fs::metadata(&path).map_or(0, |m| m.len());
                send(&mut self.reader, source, Work::Ended { damage, bytes: end })?;
                news = true;
                self.files.remove(&path);
                match found.iter().find(|(_, other, _)| *other == mark) {
                    // Under its new name at once, while the lake still knows it by the old one.
                    Some((renamed, _, size)) if *renamed != path => {
                        self.take_up(renamed, mark, *size, Some(&path))?;
                    }
                    // What was cut begins anew.
                    Some(_) if !cut => {
                        self.files.insert(path, State::Done { mark, size });
                    }
                    _ => {}
                }
            }
        }
        Ok(news)
    }

    /// Begins with a file as soon as it has a whole line. `donor` is the name that it had until now.
    fn take_up(
        &mut self,
        path: &Path,
        mark: FileId,
        size: u64,
        donor: Option<&Path>,
    ) -> std::result::Result<bool, Closed> {
        if let Some(State::Done { mark: known, size: read }) = self.files.get(path)
            && *known == mark
            && *read == size
        {
            return Ok(false);
        }
        let packed = is_packed(path);
        let settled =
            matches!(self.files.get(path), Some(State::Waiting { size: before }) if *before == size);
        let ready = if packed { settled } else { has_line(path) };
        if size == 0 || !ready {
            self.files.insert(path.to_owned(), State::Waiting { size });
            return Ok(false);
        }
        match self.open(path, mark, packed, donor) {
            Ok(Some(mut file)) => {
                // At once, while the lake still knows it by its earlier name.
                self.inherit(&mut file)?;
                self.files.insert(path.to_owned(), State::Open(Box::new(file)));
                Ok(true)
            }
            Ok(None) => Err(Closed),
            // It may have gone or been renamed in this very moment; the next look tells.
            Err(_) => Ok(false),
        }
    }

    /// Opens a file and finds out how much of it has landed, under this name or an earlier one. `donor` is the name
    /// that it must have landed under.
    fn open(
        &mut self,
        path: &Path,
        mark: FileId,
        packed: bool,
        donor: Option<&Path>,
    ) -> io::Result<Option<Followed>> {
        let mut file = File::open(path)?;
        if file_id(&file.metadata()?) != mark {
            return Err(io::ErrorKind::NotFound.into());
        }
        let head = head(&mut file)?;
        let name = path.file_name().and_then(OsStr::to_str).unwrap_or_default();
        let others: Vec<PathBuf> = match donor {
            Some(donor) => vec![donor.to_owned()],
            None => earlier_names(name).iter().map(|name| path.with_file_name(name)).collect(),
        };
        let found = Found {
            name: path.display().to_string(),
            identity: Some(identity_of_file(path)),
            others: others.iter().map(|o| identity_of_file(o)).collect(),
            anchor: None,
        };
        let Some((source, recorded)) = self.reader.find(found) else { return Ok(None) };
        let mut places: Vec<u64> = recorded.iter().flat_map(offsets).collect();
        places.sort_unstable();
        places.dedup();
        let digests = if places.is_empty() {
            Vec::new()
        } else if packed {
            digests_at(&mut unpack(file.try_clone()?)?, &places).unwrap_or_else(|_| vec![None; places.len()])
        } else {
            digests_at(&mut file, &places)?
        };
        file.rewind()?;
        let (mut done, mut changed) = compare(&recorded[0], &places, &digests);
        let mut inherited = None;
        let mut reached = landed(&recorded[0], &changed);
        if done == [0; TABLES] {
            let heirs = recorded[1..].iter().map(|other| {
                let (done, changed) = compare(other, &places, &digests);
                (done, landed(other, &changed))
            });
            if let Some((theirs, landed)) = heirs.filter(|(done, _)| *done != [0; TABLES]).max() {
                reached = landed;
                let tables = std::array::from_fn(|t| theirs[t] > 0 && (t != REJECTS || knows(&recorded, t)));
                inherited = Some((tables, theirs.into_iter().max().unwrap_or(0)));
                done = theirs;
                changed = std::array::from_fn(|t| recorded[0][t].ordinal > 0);
            } else if changed.contains(&true) && donor.is_none() {
                self.finish_rotated(path, &recorded[0])?;
            }
        }
        let limit = self.reader.record_limit();
        let (name, spare) = (path.display().to_string(), self.reader.spare.clone());
        let about = self.reader.about(&name, reached);
        let grip = Arc::new(Grip::default());
        let blocks = if packed {
            Blocks::new(unpack(file)?, &about, limit, spare)
        } else {
            let tail = Tail::new(file, grip.clone(), self.reader.count.clone());
            Blocks::live(Box::new(tail), &about, limit, spare)
        };
        let origin = self.reader.origin(&name, blocks.format(), done);
        let opened = Work::Opened { format: blocks.format(), changed };
        if !self.reader.send(source, opened) {
            return Ok(None);
        }
        Ok(Some(Followed { mark, source, origin, blocks, grip, head, away: None, inherited, end: 0 }))
    }

    /// Reads again what has landed under an earlier name, and has the lake know it under this one.
    fn inherit(&mut self, file: &mut Followed) -> std::result::Result<(), Closed> {
        let Some((tables, until)) = file.inherited.take() else { return Ok(()) };
        while file.end < until {
            let before = file.end;
            let outcome = read(&mut self.reader, file)?;
            if outcome.is_some() || file.end == before {
                break;
            }
        }
        if file.end >= until {
            self.waiting = true;
            send(&mut self.reader, file.source, Work::Order(Order::Mark { tables }))?;
        }
        Ok(())
    }

    /// What was rotated away from a path while nobody followed it is read to its end before the new file begins.
    fn finish_rotated(&mut self, path: &Path, recorded: &[Recorded; TABLES]) -> io::Result<()> {
        let (Some(folder), Some(name)) = (path.parent(), path.file_name().and_then(OsStr::to_str)) else {
            return Ok(());
        };
        let mut rotated: Vec<PathBuf> = fs::read_dir(folder)?
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
            .filter(|other| earlier_names(other).iter().any(|earlier| earlier == name))
            .map(|other| folder.join(other))
            .filter(|other| !self.files.contains_key(other))
            .collect();
        rotated.sort();
        let places = offsets(recorded);
        for other in rotated {
            // Without what landed under the first name it is another file, and nobody asked for it.
            let digests = unpack_file(&other).and_then(|mut file| digests_at(&mut file, &places));
            if !digests.is_ok_and(|digests| compare(recorded, &places, &digests).0 != [0; TABLES]) {
                continue;
            }
            let Ok(mark) = fs::metadata(&other).map(|m| file_id(&m)) else { continue };
            let Ok(Some(mut file)) = self.open(&other, mark, is_packed(&other), Some(path)) else { continue };
            let mut damage = None;
            if file.inherited.is_some() {
                let closed = |Closed| io::Error::from(io::ErrorKind::BrokenPipe);
                self.inherit(&mut file).map_err(closed)?;
                file.grip.close();
                damage = loop {
                    if let Some(damage) = read(&mut self.reader, &mut file).map_err(closed)? {
                        break damage;
                    }
                };
                self.waiting = true;
            }
            self.reader.send(file.source, Work::Ended { damage, bytes: file.end });
        }
        Ok(())
    }
}

/// Whether a table remembers any of these sources.
fn knows(recorded: &[[Recorded; TABLES]], table: usize) -> bool {
    recorded.iter().any(|r| r[table].ordinal > 0)
}

fn send(reader: &mut Reader, source: usize, work: Work) -> std::result::Result<(), Closed> {
    if reader.send(source, work) { Ok(()) } else { Err(Closed) }
}

/// Reads what has come; when it has ended, the damage if there is any.
fn read(reader: &mut Reader, file: &mut Followed) -> std::result::Result<Option<Option<String>>, Closed> {
    for _ in 0..TURN {
        match file.blocks.next() {
            Ok(Some(block)) => {
                file.end = block.end;
                if !reader.block(file.source, &file.origin, block) {
                    return Err(Closed);
                }
            }
            Ok(None) => return Ok(Some(None)),
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => return Ok(None),
            Err(e) => return Ok(Some(Some(format!("breaks off after {} unpacked bytes: {e}", file.end)))),
        }
    }
    Ok(None)
}

/// Whether a file has a whole line, or so long a one that it need not be waited for.
fn has_line(path: &Path) -> bool {
    let mut start = Vec::new();
    let read = File::open(path).and_then(|file| file.take(FIRST_LINE as u64).read_to_end(&mut start));
    read.is_ok_and(|read| read == FIRST_LINE || start.contains(&b'\n'))
}
