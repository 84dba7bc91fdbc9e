//! A reader that does not wait for ever: when nothing has come for a while it says so, so that what did come
//! can land.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

use super::Unpacked;

/// Bytes asked for at a time.
const PIECE: usize = 64 << 10;
/// Pieces that wait to be taken.
const PIECES: usize = 4;
/// How often a wait looks whether it was called off.
const GLANCE: Duration = Duration::from_millis(50);

/// Reads on a thread of its own, because a read from a pipe cannot be given up. The thread ends with its source,
/// or at the first piece that nobody takes.
pub(crate) struct Paced {
    pieces: Receiver<io::Result<Vec<u8>>>,
    piece: io::Cursor<Vec<u8>>,
    interval: Duration,
    /// When a pause is due: also a source that trickles on and on gets its rows landed.
    due: Instant,
    cancel: Arc<AtomicBool>,
    ended: bool,
}

impl Paced {
    pub(crate) fn new(mut from: Unpacked, interval: Duration, cancel: Arc<AtomicBool>) -> Paced {
        let (to, pieces) = sync_channel(PIECES);
        std::thread::spawn(move || {
            loop {
                let mut piece = vec![0; PIECE];
                let read = match from.read(&mut piece) {
                    Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
                    read => read,
                };
                let last = !matches!(read, Ok(n) if n > 0);
                let sent = to.send(read.map(|n| {
                    piece.truncate(n);
                    piece
                }));
                if last || sent.is_err() {
                    return;
                }
            }
        });
        let due = Instant::now() + interval;
        Paced { pieces, piece: io::Cursor::default(), interval, due, cancel, ended: false }
    }

    /// The next piece; an empty one at the end, [`io::ErrorKind::WouldBlock`] when a pause is due.
    fn next(&mut self) -> io::Result<Vec<u8>> {
        while !self.cancel.load(Ordering::Relaxed) {
            let now = Instant::now();
            if now >= self.due {
                self.due = now + self.interval;
                return Err(io::ErrorKind::WouldBlock.into());
            }
            match self.pieces.recv_timeout(GLANCE.min(self.due - now)) {
                Ok(piece) => return piece,
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Ok(Vec::new()),
            }
        }
        // Called off: the half line that may have come is left alone.
        Ok(Vec::new())
    }
}

impl Read for Paced {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.piece.read(buffer)?;
        if read > 0 || self.ended || buffer.is_empty() {
            return Ok(read);
        }
        let piece = self.next()?;
        self.ended = piece.is_empty();
        self.piece = io::Cursor::new(piece);
        self.piece.read(buffer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives what comes by a channel, and waits in between.
    struct Trickle(Receiver<Vec<u8>>);

    impl Read for Trickle {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let Ok(piece) = self.0.recv() else { return Ok(0) };
            buffer[..piece.len()].copy_from_slice(&piece);
            Ok(piece.len())
        }
    }

    #[test]
    fn a_pause_is_told_and_nothing_is_lost_around_it() {
        let (to, from) = sync_channel(8);
        let cancel = Arc::new(AtomicBool::new(false));
        let mut paced = Paced::new(Box::new(Trickle(from)), Duration::from_millis(20), cancel.clone());
        let mut all = Vec::new();
        let mut pauses = 0;
        to.send(b"one ".to_vec()).unwrap();
        let mut to = Some(to);
        loop {
            match paced.read_to_end(&mut all) {
                Ok(_) => break,
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => {
                    pauses += 1;
                    match pauses {
                        2 => to.as_ref().unwrap().send(b"two".to_vec()).unwrap(),
                        4 => to = None,
                        _ => {}
                    }
                }
                Err(e) => panic!("{e}"),
            }
        }
        assert_eq!((all.as_slice(), pauses >= 4), (&b"one two"[..], true));
    }

    #[test]
    fn calling_it_off_ends_a_wait() {
        let (to, from) = sync_channel(8);
        let cancel = Arc::new(AtomicBool::new(true));
        let mut paced = Paced::new(Box::new(Trickle(from)), Duration::from_secs(3600), cancel);
        assert_eq!(paced.read_to_end(&mut Vec::new()).unwrap(), 0);
        drop(to);
    }
}
