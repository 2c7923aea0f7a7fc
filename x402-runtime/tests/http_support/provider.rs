//! A provider that answers as it is told, byte by byte, and remembers what it was asked.

use std::collections::VecDeque;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use serde_json::Value;

/// What to do with one request.
#[derive(Debug, Clone)]
pub enum Do {
    /// Answers with a status, more header lines and a body.
    Say(u16, Vec<(&'static str, String)>, Vec<u8>),
    /// Answers after a while.
    Late(Duration, Box<Self>),
    /// Sends these bytes and closes.
    Raw(Vec<u8>),
    /// Keeps the connection and says nothing.
    Hang,
    /// Closes while the request is unread, which resets the connection.
    Reset,
}

pub fn json(status: u16, body: &Value) -> Do {
    Do::Say(status, Vec::new(), body.to_string().into_bytes())
}

/// A request as it came.
#[derive(Debug, Clone)]
pub struct Seen {
    pub method: String,
    pub path: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Seen {
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut found = self.headers.iter().filter(|(key, _)| key == name);
        found.next().map(|(_, value)| value.as_str())
    }
}

pub struct Provider {
    pub url: String,
    script: Arc<Mutex<VecDeque<Do>>>,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Provider {
    /// Does as `script` says, one request each, and repeats the last of it for ever.
    pub fn start(script: impl IntoIterator<Item = Do>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/x402", listener.local_addr().unwrap());
        let script: Arc<Mutex<VecDeque<Do>>> = Arc::new(Mutex::new(script.into_iter().collect()));
        let seen: Arc<Mutex<Vec<Seen>>> = Arc::default();
        let (todo, log) = (Arc::clone(&script), Arc::clone(&seen));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (todo, log) = (Arc::clone(&todo), Arc::clone(&log));
                thread::spawn(move || serve(stream, &todo, &log));
            }
        });
        Self { url, script, seen }
    }

    pub fn script(&self, script: impl IntoIterator<Item = Do>) {
        *self.script.lock().unwrap() = script.into_iter().collect();
    }

    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }
}

fn serve(mut stream: TcpStream, script: &Mutex<VecDeque<Do>>, log: &Mutex<Vec<Seen>>) {
    let next = {
        let mut script = script.lock().unwrap();
        match script.len() {
            0 => Do::Hang,
            1 => script[0].clone(),
            _ => script.pop_front().unwrap(),
        }
    };
    if matches!(next, Do::Reset) {
        // Something has arrived, and is not read.
        let _ = stream.peek(&mut [0]);
        return;
    }
    let Some(seen) = read(&mut stream) else {
        return;
    };
    log.lock().unwrap().push(seen);
    act(&mut stream, next);
}

fn act(stream: &mut TcpStream, what: Do) {
    match what {
        Do::Say(status, headers, body) => {
            let mut head = format!(
                "HTTP/1.1 {status} X\r\nconnection: close\r\ncontent-length: {}\r\n",
                body.len()
            );
            for (name, value) in headers {
                head.push_str(&format!("{name}: {value}\r\n"));
            }
            head.push_str("\r\n");
            let _ = stream.write_all(head.as_bytes());
            let _ = stream.write_all(&body);
        }
        Do::Late(pause, what) => {
            thread::sleep(pause);
            act(stream, *what);
        }
        Do::Raw(bytes) => {
            let _ = stream.write_all(&bytes);
        }
        Do::Hang => {
            // Ends when the client closes.
            let _ = stream.read(&mut [0]);
        }
        Do::Reset => {}
    }
}

fn read(stream: &mut TcpStream) -> Option<Seen> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break end;
        }
        match stream.read(&mut buffer) {
            Ok(0) | Err(_) => return None,
            Ok(count) => bytes.extend_from_slice(&buffer[..count]),
        }
    };
    let head = String::from_utf8(bytes[..end].to_vec()).ok()?;
    let mut lines = head.split("\r\n");
    let mut first = lines.next()?.split(' ');
    let (method, path) = (first.next()?.to_owned(), first.next()?.to_owned());
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let length: usize = headers
        .iter()
        .find(|(name, _)| name == "content-length")
        .map_or(0, |(_, value)| value.parse().unwrap());
    let mut body = bytes[end + 4..].to_vec();
    while body.len() < length {
        match stream.read(&mut buffer) {
            Ok(0) | Err(_) => return None,
            Ok(count) => body.extend_from_slice(&buffer[..count]),
        }
    }
    Some(Seen {
        method,
        path,
        headers,
        body,
    })
}

/// A gzip file of one stored block: what a client that unpacks would read as `body`.
pub fn gzip(body: &[u8]) -> Vec<u8> {
    let length = u16::try_from(body.len()).unwrap();
    let mut file = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255, 1];
    file.extend(length.to_le_bytes());
    file.extend((!length).to_le_bytes());
    file.extend(body);
    let crc = !body.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            (crc >> 1) ^ if crc & 1 == 1 { 0xedb8_8320 } else { 0 }
        })
    });
    file.extend(crc.to_le_bytes());
    file.extend(u32::from(length).to_le_bytes());
    file
}
