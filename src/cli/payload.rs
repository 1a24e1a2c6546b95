//! `veilspan payload get`: what a reference on a span stands for.

use std::io::Write;

use clap::{Args, Subcommand};

use super::Failure;
use crate::environment::Environment;
use crate::event::Digest;
use crate::privacy::{PayloadProblem, PayloadReader};

/// Read content that was too long for its span, out of the folder of VEILSPAN_PAYLOADS.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Print a payload, if it is what its reference says.
    Get {
        /// What stands in `veilspan.<field>.ref` on the span: `hmac-sha256:` or `sha256:` and 64 hex digits.
        reference: String,
        /// Whose it is: `veilspan.tenant.id`, as the service gave it.
        #[arg(long)]
        tenant: Option<String>,
    },
}

pub(super) fn run(Arguments { command: Command::Get { reference, tenant } }: &Arguments) -> Result<(), Failure> {
    let reference = reference.trim().parse::<Digest>().map_err(|_| {
        Failure::Usage("the reference is not `hmac-sha256:` or `sha256:` and 64 lower-case hex digits".to_owned())
    })?;
    let environment = Environment::from_process();
    let reader = PayloadReader::from_environment(&environment, tenant.as_deref());
    let payload = reader.map_err(|error| error.0).and_then(|reader| reader.get(&reference)).map_err(failure)?;
    let mut stdout = std::io::stdout();
    let printed = stdout.write_all(&payload).and_then(|()| stdout.flush());
    printed.map_err(|_| Failure::Unavailable("stdout cannot be written to".to_owned()))
}

fn failure(problem: PayloadProblem) -> Failure {
    use PayloadProblem as Is;
    let text = problem.to_string();
    match problem {
        Is::NoFolder | Is::NoKey | Is::Algorithm => Failure::Usage(text),
        Is::Mismatch => Failure::BadData(format!("{text}; a tenant's is read with `--tenant`")),
        Is::Refused => Failure::BadData(text),
        Is::Folder(_) | Is::Missing | Is::Unreadable => Failure::Unavailable(text),
    }
}
