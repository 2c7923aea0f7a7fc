//! The servers that are measured. All sell the same two routes from the same handler code.

mod bare;
mod facilitator;
mod floor;
mod held;
mod idle;
mod ours;
mod r402;
mod theirs;

use std::error::Error;
use std::io::Read as _;
use std::net::Ipv4Addr;

use axum::Router;
use serde::Serialize;
use tokio::net::TcpListener;

/// A route whose path is always the same.
pub const FIXED: &str = "/today";
/// A route with a capture, as a buyer asks for it.
pub const CAPTURED: &str = "/weather/zurich";

/// What is sold.
#[derive(Debug, Serialize)]
struct Weather {
    city: String,
    celsius: i16,
}

impl Weather {
    const fn of(city: String) -> Self {
        Self { city, celsius: 21 }
    }
}

/// A route whose handler waits.
pub const HELD: &str = "/held";
/// A free route that tells how many handlers wait.
pub const COUNT: &str = "/count";

/// Serves `target` until the standard input ends. `facilitator` is the port of the one it calls, if it calls one.
pub fn run(target: &str, facilitator: Option<u16>) -> Result<(), Box<dyn Error>> {
    let url = facilitator.map(|port| format!("http://127.0.0.1:{port}"));
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?
        .block_on(async {
            let folder = match target {
                "ours-sqlite" => Some(beside_this_program()?),
                _ => None,
            };
            let app = match (target, &folder, &url) {
                ("bare", _, _) => bare::app(),
                ("facilitator", _, _) => facilitator::app(),
                ("floor", _, _) => floor::app(),
                ("ours", _, _) => ours::in_memory().await?,
                ("ours-held", _, _) => held::app().await?,
                ("ours-http", _, Some(url)) => ours::over_http(url).await?,
                ("ours-sqlite", Some(folder), _) => ours::in_sqlite(folder.path()).await?,
                ("r402", _, _) => r402::in_process()?,
                ("r402-http", _, Some(url)) => r402::over_http(url)?,
                ("x402-axum", _, _) => theirs::app(false),
                ("x402-axum-checked", _, _) => theirs::app(true),
                ("x402-axum-http", _, Some(url)) => theirs::over_http(url)?,
                ("endpoints-1", _, _) => idle::one().await?,
                ("endpoints-2001", _, _) => idle::many().await?,
                _ => return Err(format!("no server is called `{target}`").into()),
            };
            serve(app).await
        })
}

/// A folder on the disk that the build is on: the system's temporary folder may be memory, where a sync costs nothing.
fn beside_this_program() -> Result<tempfile::TempDir, Box<dyn Error>> {
    let program = std::env::current_exe()?;
    let folder = program.parent().ok_or("no folder")?;
    Ok(tempfile::tempdir_in(folder)?)
}

async fn serve(app: Router) -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    println!("ready {}", listener.local_addr()?.port());
    let over = tokio::task::spawn_blocking(|| {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
    });
    tokio::select! {
        served = axum::serve(listener, app) => served?,
        _ = over => {}
    }
    Ok(())
}
