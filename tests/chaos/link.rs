//! The network between: passes bytes on, or cuts a connection in the middle of a message, or is not there.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

#[derive(Clone, Copy, Debug)]
pub enum Weather {
    Fair,
    /// Each connection ends after so many bytes.
    Cut(usize),
    /// Each connection ends at once.
    Down,
}

pub struct Link {
    weather: Arc<Mutex<Weather>>,
    address: SocketAddr,
    _runtime: tokio::runtime::Runtime,
}

impl Link {
    pub fn start(to: SocketAddr) -> Self {
        let weather = Arc::new(Mutex::new(Weather::Fair));
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        runtime.spawn({
            let weather = Arc::clone(&weather);
            async move {
                while let Ok((client, _)) = listener.accept().await {
                    tokio::spawn(pass(client, to, Arc::clone(&weather)));
                }
            }
        });
        Self { weather, address, _runtime: runtime }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn set(&self, weather: Weather) {
        *self.weather.lock().unwrap() = weather;
    }
}

/// Both ways, until one end or the weather has enough.
async fn pass(mut client: TcpStream, to: SocketAddr, weather: Arc<Mutex<Weather>>) {
    let Ok(mut server) = TcpStream::connect(to).await else { return };
    let (mut upward, mut downward, mut passed) = ([0; 4096], [0; 4096], 0);
    loop {
        let (read, is_up) = tokio::select! {
            read = client.read(&mut upward) => (read, true),
            read = server.read(&mut downward) => (read, false),
        };
        let Ok(mut length @ 1..) = read else { return };
        match *weather.lock().unwrap() {
            Weather::Fair => {}
            Weather::Down => return,
            Weather::Cut(after) => length = length.min(after.saturating_sub(passed)),
        }
        passed += length;
        let written = match is_up {
            true => server.write_all(&upward[..length]).await,
            false => client.write_all(&downward[..length]).await,
        };
        if written.is_err() || length == 0 {
            return;
        }
    }
}
