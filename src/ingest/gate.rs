//! The bound on what is between the reader and the lander.

use std::sync::{Arc, Condvar, Mutex, PoisonError};

use super::source::BLOCK;

/// Lets a bounded number of bytes through; one block may always pass.
pub(super) struct Gate {
    limit: usize,
    inside: Mutex<Option<usize>>,
    changed: Condvar,
}

impl Gate {
    pub(super) fn new(limit: usize) -> Gate {
        Gate { limit: limit.max(BLOCK), inside: Mutex::new(Some(0)), changed: Condvar::new() }
    }

    /// Waits for room; `false` when the gate was closed.
    pub(super) fn enter(&self, bytes: usize) -> bool {
        let mut inside = self.inside.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            match *inside {
                None => return false,
                Some(now) if now == 0 || now + bytes <= self.limit => {
                    *inside = Some(now + bytes);
                    return true;
                }
                Some(_) => inside = self.changed.wait(inside).unwrap_or_else(PoisonError::into_inner),
            }
        }
    }

    pub(super) fn leave(&self, bytes: usize) {
        let mut inside = self.inside.lock().unwrap_or_else(PoisonError::into_inner);
        *inside = inside.map(|now| now.saturating_sub(bytes));
        self.changed.notify_all();
    }

    fn close(&self) {
        *self.inside.lock().unwrap_or_else(PoisonError::into_inner) = None;
        self.changed.notify_all();
    }
}

/// Whatever way the run ends, the reader must not wait at the gate for ever.
pub(super) struct ClosesGate(Arc<Gate>);

impl ClosesGate {
    pub(super) fn new(gate: Arc<Gate>) -> ClosesGate {
        ClosesGate(gate)
    }
}

impl Drop for ClosesGate {
    fn drop(&mut self) {
        self.0.close();
    }
}
