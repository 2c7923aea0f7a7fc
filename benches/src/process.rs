//! A server in a process of its own, and what the kernel says it has used.

use std::error::Error;
use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// A running server. It ends when this is dropped.
pub struct Server {
    child: Child,
    /// Where it listens.
    pub port: u16,
}

impl Server {
    /// Starts this program again as the server `target` and waits until it listens.
    pub fn start(target: &str) -> Result<Self, Box<dyn Error>> {
        Self::start_with(target, None)
    }

    /// As [`Server::start`]; the server calls the facilitator that listens on this port.
    pub fn start_with(target: &str, facilitator: Option<u16>) -> Result<Self, Box<dyn Error>> {
        let port = facilitator.map(|port| port.to_string());
        let mut child = Command::new(std::env::current_exe()?)
            .args(["serve", target])
            .args(port)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let stdout = child.stdout.take().ok_or("no output")?;
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line)?;
        let mut server = Self { child, port: 0 };
        server.port = line
            .trim()
            .strip_prefix("ready ")
            .ok_or_else(|| format!("`{target}` did not start: {line}"))?
            .parse()?;
        Ok(server)
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// CPU time used so far, in user and kernel mode, by all its threads: what the scheduler has counted in nanoseconds, because
    /// the ticks of `/proc/<pid>/stat` are as long as a thousand requests.
    pub fn cpu(&self) -> Result<Duration, Box<dyn Error>> {
        let mut used = Duration::ZERO;
        for thread in fs::read_dir(format!("/proc/{}/task", self.child.id()))? {
            let Ok(stat) = fs::read_to_string(thread?.path().join("schedstat")) else {
                // It has ended meanwhile.
                continue;
            };
            let nanos = stat
                .split_whitespace()
                .next()
                .ok_or("no time in schedstat")?;
            used += Duration::from_nanos(nanos.parse()?);
        }
        Ok(used)
    }

    /// Resident memory in bytes.
    pub fn resident(&self) -> Result<u64, Box<dyn Error>> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let kib: u64 = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))
            .and_then(|value| value.split_whitespace().next())
            .ok_or("no VmRSS")?
            .parse()?;
        Ok(kib * 1024)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The end of its input tells the server to clean up and go.
        drop(self.child.stdin.take());
        for _ in 0..200 {
            if matches!(self.child.try_wait(), Ok(Some(_))) {
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
