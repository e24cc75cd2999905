//! The connection to the daemon: a Unix socket, or a named pipe opened as a file on Windows. Frames only; what they mean
//! for a Message is `verdicts`' business.

use crate::home::Home;
use portcullis_domain::link::{self, Closed, FrameKind, Hello};
use std::io::{self, BufReader, Read, Write};

#[cfg(unix)]
pub type Stream = std::os::unix::net::UnixStream;
#[cfg(windows)]
pub type Stream = std::fs::File;

/// Whether one thread may write while another reads. A pipe opened as a plain file on Windows does one thing at a time,
/// so there each Message waits for the Verdict of the one before it.
pub const FULL_DUPLEX: bool = cfg!(unix);

/// A frame larger than any Verdict on a Message within the limits is no frame.
const MAX_FRAME_BYTES: usize = 256 * 1024 * 1024;
#[cfg(unix)]
const TELL_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(1);
/// Buffers that grew for a large Message are given back.
const KEEP_BUFFER_BYTES: usize = 256 * 1024;

#[cfg(unix)]
pub fn connect(home: &Home) -> io::Result<Stream> {
    Stream::connect(home.link_address())
}
#[cfg(windows)]
pub fn connect(home: &Home) -> io::Result<Stream> {
    std::fs::OpenOptions::new().read(true).write(true).open(home.link_address())
}

/// Opens a link only to say how it ends.
pub fn tell(home: &Home, hello: &Hello, closed: &Closed) -> io::Result<()> {
    let stream = connect(home)?;
    #[cfg(unix)]
    stream.set_read_timeout(Some(TELL_TIMEOUT))?;
    let (mut buffer, hello, closed) = (Vec::new(), serde_json::to_vec(hello)?, serde_json::to_vec(closed)?);
    send(&stream, &mut buffer, FrameKind::Hello, None, &hello)?;
    // A daemon that does not take us hears nothing more.
    match Frames::new(&stream).next()?.kind {
        FrameKind::Welcome => send(&stream, &mut buffer, FrameKind::Closed, None, &closed),
        _ => Ok(()),
    }
}

/// Makes reads and writes of all threads on this link fail.
pub fn abandon(stream: &Stream) {
    #[cfg(unix)]
    let _ = stream.shutdown(std::net::Shutdown::Both);
    #[cfg(windows)]
    let _ = stream;
}

/// Wakes the thread that waits for a frame, which then finds the end.
pub fn wake(stream: &Stream) {
    #[cfg(unix)]
    let _ = stream.shutdown(std::net::Shutdown::Read);
    #[cfg(windows)]
    let _ = stream;
}

pub fn send(
    mut stream: &Stream,
    buffer: &mut Vec<u8>,
    kind: FrameKind,
    seq: Option<u64>,
    payload: &[u8],
) -> io::Result<()> {
    buffer.clear();
    link::encode(buffer, kind, seq, payload);
    let sent = stream.write_all(buffer);
    if buffer.capacity() > KEEP_BUFFER_BYTES {
        *buffer = Vec::new();
    }
    sent
}

/// Reads frame bodies into one buffer.
pub struct Frames<'s> {
    source: BufReader<&'s Stream>,
    body: Vec<u8>,
}

impl<'s> Frames<'s> {
    pub fn new(stream: &'s Stream) -> Self {
        Self { source: BufReader::with_capacity(16 * 1024, stream), body: Vec::new() }
    }

    pub fn next(&mut self) -> io::Result<link::Frame<'_>> {
        let mut length = [0; 4];
        self.source.read_exact(&mut length)?;
        let length = u32::from_le_bytes(length) as usize;
        if length > MAX_FRAME_BYTES {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "a frame beyond any limit"));
        }
        if self.body.capacity() > KEEP_BUFFER_BYTES && length <= KEEP_BUFFER_BYTES {
            self.body = Vec::new();
        }
        self.body.resize(length, 0);
        self.source.read_exact(&mut self.body)?;
        link::decode(&self.body).ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "an unknown frame"))
    }
}
