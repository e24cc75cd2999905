//! One side's pipe: relayed Messages and our own answers share it, whole lines only, written at once.
//!
//! Answers come from the thread of the *other* Direction, which must never wait for this pipe (both pipes may be full at
//! the same time), so they are handed to a thread of their own, started when the first answer is needed.

use std::fs::File;
use std::io;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// So many answers may wait for a side that does not read; then the asking side waits, as it would for the real server.
const MAX_WAITING_ANSWERS: usize = 4096;

pub struct Sink {
    pipe: Arc<Mutex<Option<File>>>,
    answers: Mutex<Option<SyncSender<Order>>>,
}

enum Order {
    Answer(Vec<u8>),
    Close,
    Flush(SyncSender<()>),
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn write(pipe: &Mutex<Option<File>>, parts: &[&[u8]]) -> io::Result<()> {
    let mut pipe = locked(pipe);
    let Some(file) = pipe.as_mut() else { return Err(io::ErrorKind::BrokenPipe.into()) };
    parts.iter().try_for_each(|part| crate::process::write_all(file, part))
}

impl Sink {
    pub fn new(pipe: File) -> Self {
        Self { pipe: Arc::new(Mutex::new(Some(pipe))), answers: Mutex::new(None) }
    }

    /// Writes a kept line as it came.
    pub fn relay(&self, raw: &[u8]) -> io::Result<()> {
        write(&self.pipe, &[raw])
    }

    /// Writes a Message of ours in a kept one's place.
    pub fn relay_instead(&self, mut message: Vec<u8>, line_end: &[u8]) -> io::Result<()> {
        one_line(&mut message);
        message.extend_from_slice(if line_end.is_empty() { b"\n" } else { line_end });
        write(&self.pipe, &[&message])
    }

    /// Hands over a Message of ours for this side; never waits for the pipe.
    pub fn answer(&self, mut message: Vec<u8>) {
        one_line(&mut message);
        message.push(b'\n');
        let orders = {
            let mut answers = locked(&self.answers);
            answers.get_or_insert_with(|| start_answering(self.pipe.clone())).clone()
        };
        // Fails only when the pipe is gone, and then nobody waits for an answer.
        let _ = orders.send(Order::Answer(message));
    }

    /// Closes the pipe, after the answers handed over so far.
    pub fn close(&self) {
        match locked(&self.answers).as_ref() {
            Some(orders) => drop(orders.send(Order::Close)),
            None => *locked(&self.pipe) = None,
        }
    }

    /// Waits until the answers handed over so far are written, at most `patience`.
    pub fn flush(&self, patience: Duration) {
        let Some(orders) = locked(&self.answers).clone() else { return };
        let (done, wait) = sync_channel(1);
        if orders.try_send(Order::Flush(done)).is_ok() {
            let _ = wait.recv_timeout(patience);
        }
    }
}

fn start_answering(pipe: Arc<Mutex<Option<File>>>) -> SyncSender<Order> {
    let (orders, queue): (_, Receiver<Order>) = sync_channel(MAX_WAITING_ANSWERS);
    crate::start_thread("answers", move || {
        for order in queue {
            match order {
                Order::Answer(line) => drop(write(&pipe, &[&line])),
                Order::Close => *locked(&pipe) = None,
                Order::Flush(done) => drop(done.send(())),
            }
        }
    });
    orders
}

/// A line end inside a Message (white space between JSON tokens) would cut it in two.
fn one_line(message: &mut [u8]) {
    message.iter_mut().filter(|byte| matches!(byte, b'\n' | b'\r')).for_each(|byte| *byte = b' ');
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    #[test]
    fn answers_do_not_wait_for_a_full_pipe_and_lines_stay_whole() {
        let (mut reader, writer) = io::pipe().unwrap();
        #[cfg(unix)]
        let sink = Arc::new(Sink::new(File::from(std::os::fd::OwnedFd::from(writer))));
        #[cfg(windows)]
        let sink = Arc::new(Sink::new(File::from(std::os::windows::io::OwnedHandle::from(writer))));
        let big = [vec![b'r'; 1_000_000], vec![b'\n']].concat();
        let relaying = std::thread::spawn({
            let (sink, big) = (sink.clone(), big.clone());
            move || sink.relay(&big).unwrap()
        });
        for n in 0..100 {
            sink.answer(format!("{{\"a\":\n{n}}}").into_bytes());
        }
        let reading = std::thread::spawn(move || {
            let mut all = Vec::new();
            reader.read_to_end(&mut all).map(|_| all).unwrap()
        });
        relaying.join().unwrap();
        sink.close();
        let all = reading.join().unwrap();
        let lines: Vec<&[u8]> = all.split_inclusive(|b| *b == b'\n').collect();
        assert_eq!(lines.len(), 101);
        assert!(lines.contains(&big.as_slice()));
        let answers: Vec<_> = lines.iter().filter(|line| line.len() < 100).map(|line| line.to_vec()).collect();
        let expected: Vec<_> = (0..100).map(|n| format!("{{\"a\": {n}}}\n").into_bytes()).collect();
        assert_eq!(answers, expected);
        assert!(sink.relay(b"{}\n").is_err(), "closed");
    }
}
