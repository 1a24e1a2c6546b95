//! What everything in a process logs, whichever thread it is on.

use std::io::Write;
use std::sync::{Arc, Mutex, OnceLock};

use tracing_subscriber::fmt::MakeWriter;

#[derive(Clone, Debug, Default)]
pub struct Logs(Arc<Mutex<Vec<u8>>>);

impl Logs {
    /// Those of the whole process, at TRACE, from the first call on.
    pub fn of_process() -> &'static Self {
        static LOGS: OnceLock<Logs> = OnceLock::new();
        LOGS.get_or_init(|| {
            let logs = Self::default();
            let subscriber = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(logs.clone());
            tracing::subscriber::set_global_default(subscriber.finish()).unwrap();
            logs
        })
    }

    /// How much has been logged.
    pub fn mark(&self) -> usize {
        self.0.lock().unwrap().len()
    }

    /// What has been logged since then.
    pub fn since(&self, mark: usize) -> Vec<u8> {
        self.0.lock().unwrap()[mark..].to_vec()
    }
}

impl Write for Logs {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Logs {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}
