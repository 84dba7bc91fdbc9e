//! A lock of a lake, so that a job does not run twice at a time, on folders and buckets alike.
//!
//! A lock is an object `_lock/<name>/<number>.json`. Stores agree on one thing: of those who create the same object,
//! one succeeds. So whoever finds no living lock creates the next number; a number that somebody else has created
//! meanwhile is refused by the store. The holder writes its object again and again while it works. A lock whose object
//! is older than its lease belongs to a process that died, and is taken over.

use std::time::Duration;

use futures::TryStreamExt;
use object_store::path::Path;
use object_store::{ObjectStoreExt, PutMode, PutOptions};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use super::open::Lake;
use super::{Error, Result};
use crate::domain::format_timestamp;

/// The folder of the locks.
const FOLDER: &str = "_lock";
/// A lock is written again so many times in a lease, so that a slow store does not lose it.
const RENEWALS: u32 = 4;

/// A lock that is held. It ends with [`Lock::release`]; dropped without, it ends when its lease is over.
#[derive(Debug)]
pub struct Lock {
    lake: Lake,
    path: Path,
    renewal: JoinHandle<()>,
}

/// A lock as it stands in the lake.
#[derive(Debug, Clone)]
struct Standing {
    path: Path,
    number: u64,
    /// When it was last written, UTC microseconds by the store's clock.
    written: i64,
}

impl Lake {
    /// Takes the lock of that name. `now` is the time in UTC microseconds; a lock that was last written a lease before
    /// it is taken over.
    ///
    /// # Errors
    /// [`Error::Locked`] when somebody holds it.
    pub async fn lock(&self, name: &str, holder: &str, lease: Duration, now: i64) -> Result<Lock> {
        let oldest = now - i64::try_from(lease.as_micros()).unwrap_or(i64::MAX);
        let standing = self.standing(name).await?;
        if let Some(other) = standing.iter().find(|lock| lock.written > oldest) {
            return Err(self.locked(name, other, lease).await);
        }
        let number = standing.last().map_or(1, |lock| lock.number + 1);
        let path = self.storage().path(&format!("{FOLDER}/{name}/{number:010}.json"));
        let text = json!({ "holder": holder, "lease_seconds": lease.as_secs() }).to_string();
        let options = PutOptions { mode: PutMode::Create, ..Default::default() };
        match self.storage().store().put_opts(&path, text.clone().into(), options).await {
            Ok(_) => {}
            Err(object_store::Error::AlreadyExists { .. }) => {
                let other = Standing { path, number, written: now };
                return Err(self.locked(name, &other, lease).await);
            }
            Err(e) => return Err(Error::store(self.storage().shown(), "take its lock", e)),
        }
        // Somebody who saw less of the folder than we did may have taken another number: then neither goes ahead.
        let others: Vec<_> = self.standing(name).await?.into_iter().filter(|l| l.number != number).collect();
        if let Some(other) = others.iter().find(|lock| lock.written > oldest) {
            self.delete_lock(&path).await?;
            return Err(self.locked(name, other, lease).await);
        }
        for dead in &others {
            self.delete_lock(&dead.path).await?;
        }
        let (store, own) = (self.storage().store().clone(), path.clone());
        let renewal = tokio::spawn(async move {
            loop {
                tokio::time::sleep(lease / RENEWALS).await;
                // What fails now may work at the next turn; a lease has room for several.
                let _ = store.put(&own, text.clone().into()).await;
            }
        });
        Ok(Lock { lake: self.clone(), path, renewal })
    }

    /// Takes a lock away, whoever holds it; gives how many there were.
    pub async fn break_lock(&self, name: &str) -> Result<usize> {
        let standing = self.standing(name).await?;
        for lock in &standing {
            self.delete_lock(&lock.path).await?;
        }
        Ok(standing.len())
    }

    /// The locks of that name, by number.
    async fn standing(&self, name: &str) -> Result<Vec<Standing>> {
        let storage = self.storage();
        let fail = |e| Error::store(storage.shown(), "look for its lock", e);
        let folder = format!("{FOLDER}/{name}");
        let mut found = Vec::new();
        if !storage.has(&folder).await? {
            return Ok(found);
        }
        let mut listed = storage.store().list(Some(&storage.path(&folder)));
        while let Some(object) = listed.try_next().await.map_err(fail)? {
            let number = object.location.filename().and_then(|f| f.strip_suffix(".json"));
            if let Some(number) = number.and_then(|n| n.parse().ok()) {
                let written = object.last_modified.timestamp_micros();
                found.push(Standing { path: object.location, number, written });
            }
        }
        found.sort_by_key(|lock| lock.number);
        Ok(found)
    }

    async fn locked(&self, name: &str, lock: &Standing, lease: Duration) -> Error {
        let text = match self.storage().store().get(&lock.path).await {
            Ok(object) => object.bytes().await.unwrap_or_default(),
            Err(_) => Default::default(),
        };
        let json: Value = serde_json::from_slice(&text).unwrap_or_default();
        let holder = json.get("holder").and_then(Value::as_str).unwrap_or("somebody else");
        Error::Locked {
            place: self.storage().shown().to_owned(),
            name: name.to_owned(),
            holder: holder.to_owned(),
            written: format_timestamp(lock.written),
            lease_seconds: lease.as_secs(),
        }
    }

    async fn delete_lock(&self, path: &Path) -> Result<()> {
        match self.storage().store().delete(path).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(e) => Err(Error::store(self.storage().shown(), "give its lock back", e)),
        }
    }
}

impl Lock {
    /// Gives the lock back.
    pub async fn release(self) -> Result<()> {
        self.renewal.abort();
        self.lake.delete_lock(&self.path).await
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Nobody works under it any more, so nobody may keep it alive.
        self.renewal.abort();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::SystemTime;

    const LEASE: Duration = Duration::from_secs(900);

    fn now() -> i64 {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
        i64::try_from(since.as_micros()).unwrap()
    }

    async fn lake() -> (tempfile::TempDir, Lake) {
        let folder = tempfile::tempdir().unwrap();
        let lake = Lake::create(folder.path().join("lake").to_str().unwrap()).await.unwrap();
        (folder, lake)
    }

    #[tokio::test]
    async fn a_lock_is_held_by_one_until_it_is_given_back() {
        let (_folder, lake) = lake().await;
        let lock = lake.lock("job", "a on host-1", LEASE, now()).await.unwrap();
        let error = lake.lock("job", "b", LEASE, now()).await.unwrap_err();
        assert!(error.to_string().contains("a on host-1"), "{error}");
        assert!(error.hint().unwrap().contains("--break-lock"));
        lake.lock("another", "b", LEASE, now()).await.unwrap().release().await.unwrap();
        lock.release().await.unwrap();
        lake.lock("job", "b", LEASE, now()).await.unwrap().release().await.unwrap();
    }

    #[tokio::test]
    async fn of_many_who_try_at_once_at_most_one_gets_it() {
        let (_folder, lake) = lake().await;
        let tries = (0..16).map(|i| {
            let lake = lake.clone();
            tokio::spawn(async move { lake.lock("job", &format!("worker {i}"), LEASE, now()).await.ok() })
        });
        let held = futures::future::join_all(tries).await;
        assert!(held.into_iter().filter_map(|t| t.unwrap()).count() <= 1);
    }

    #[tokio::test]
    async fn a_lock_whose_lease_is_over_is_taken_over_and_a_broken_one_is_free() {
        let (_folder, lake) = lake().await;
        let dead = lake.lock("job", "dead", LEASE, now()).await.unwrap();
        drop(dead);
        let late = now() + i64::try_from(LEASE.as_micros()).unwrap() + 1_000_000;
        let heir = lake.lock("job", "heir", LEASE, late).await.unwrap();
        assert!(lake.lock("job", "third", LEASE, now()).await.is_err());
        assert_eq!(lake.break_lock("job").await.unwrap(), 1);
        let next = lake.lock("job", "next", LEASE, now()).await.unwrap();
        // The one whose lock was broken gives back its own and not the next one's.
        drop(heir);
        assert!(lake.lock("job", "third", LEASE, now()).await.is_err());
        next.release().await.unwrap();
    }
}
