//! The places of one listener: who holds them, and who has to give one up.

use super::Patience;
use super::connection::Connection;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout};

/// When requests under way have all places: how long until the next look whether one has become idle.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

pub(super) struct Places {
    free: Arc<Semaphore>,
    held: Mutex<Held>,
    patience: Patience,
    clock: Instant,
}

#[derive(Default)]
struct Held {
    next: u64,
    connections: HashMap<u64, Arc<Connection>>,
}

/// A connection's, until it is dropped.
pub(super) struct Place {
    pub connection: Arc<Connection>,
    number: u64,
    places: Arc<Places>,
    _permit: OwnedSemaphorePermit,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.places.held().connections.remove(&self.number);
    }
}

impl Places {
    pub fn new(most: usize, patience: Patience) -> Self {
        Self {
            free: Arc::new(Semaphore::new(most.min(Semaphore::MAX_PERMITS))),
            held: Mutex::default(),
            patience,
            clock: Instant::now(),
        }
    }
    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next free place; if there is none, somebody's who does not need it.
    pub async fn one(self: &Arc<Self>) -> Place {
        loop {
            if self.free.available_permits() == 0 {
                self.make_room();
            }
            if let Ok(Ok(permit)) = timeout(LOOK_AGAIN, self.free.clone().acquire_owned()).await {
                let connection = Arc::new(Connection::new(self.clock));
                let mut held = self.held();
                held.next += 1;
                let number = held.next;
                held.connections.insert(number, connection.clone());
                return Place { connection, number, places: self.clone(), _permit: permit };
            }
        }
    }

    /// First of those without a request under way, then of those who do not take what they asked for.
    fn make_room(&self) {
        let held = self.held();
        let millis = |patience: Duration| u64::try_from(patience.as_millis()).unwrap_or(u64::MAX);
        let (short, long) = (millis(self.patience.idle), millis(self.patience.untaken));
        let idle = || held.connections.values().filter_map(|each| Some((each.without_request(short)?, each)));
        while let Some((doing, connection)) = idle().min_by_key(|(doing, _)| *doing) {
            if connection.give_up(doing) {
                return;
            }
        }
        let untaken = held.connections.values().filter(|each| !each.is_given_up());
        let longest = untaken.map(|each| (each.untaken_millis(), each)).max_by_key(|(millis, _)| *millis);
        if let Some((_, connection)) = longest.filter(|(millis, _)| *millis >= long) {
            connection.break_off();
        }
    }

    /// The listener stops.
    pub fn tell_all(&self) {
        self.held().connections.values().for_each(|connection| connection.tell());
    }
}
