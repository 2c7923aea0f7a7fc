//! The servers that are measured. All sell the same two routes from the same handler code.

mod bare;
mod floor;
mod idle;
mod ours;
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

/// Serves `target` until the standard input ends.
pub fn run(target: &str) -> Result<(), Box<dyn Error>> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?
        .block_on(async {
            let folder = match target {
                "ours-sqlite" => Some(beside_this_program()?),
                _ => None,
            };
            let app = match (target, &folder) {
                ("bare", _) => bare::app(),
                ("floor", _) => floor::app(),
                ("ours", _) => ours::in_memory().await?,
                ("ours-sqlite", Some(folder)) => ours::in_sqlite(folder.path()).await?,
                ("x402-axum", _) => theirs::app(false),
                ("x402-axum-checked", _) => theirs::app(true),
                ("endpoints-1", _) => idle::one().await?,
                ("endpoints-2001", _) => idle::many().await?,
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
