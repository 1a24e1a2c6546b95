//! Code cells and terminal operations: what outlives the call that began it.

use super::builder::Builder;
use super::call::Call;
use super::kind;
use super::place::LentOrigin;
use super::tool::IntoResult;
use crate::event::{MarkKind, Outcome};
use crate::semconv::{
    CODE_CELL_ID, CODE_CELL_RUNTIME_ID, CODE_CELL_STATUS, TERMINAL_EXIT_CODE, TERMINAL_ID, TERMINAL_OPERATION,
};

/// A code cell that has not started.
pub type CodeCellBuilder = Builder<kind::CodeCell>;

/// A code cell that runs. It may outlive its turn.
pub type CodeCell = Call<kind::CodeCell>;

impl CodeCellBuilder {
    pub(super) fn begin(origin: Option<LentOrigin<'_>>, id: &str) -> Self {
        Self::new(origin).text(CODE_CELL_ID, id)
    }

    /// The runtime's own id of it (`veilspan.code_cell.runtime_id`), which a wait names ([`ToolBuilder::waits_for`]).
    ///
    /// [`ToolBuilder::waits_for`]: super::ToolBuilder::waits_for
    pub fn runtime_id(self, id: &str) -> Self {
        self.text(CODE_CELL_RUNTIME_ID, id)
    }

    /// The code.
    pub fn source(self, source: impl IntoResult) -> Self {
        self.given_text(|| source.into_result())
    }
}

impl CodeCell {
    /// It gave what it had so far, and went on.
    pub fn yielded(&self) -> &Self {
        self.mark(MarkKind::Yielded, |attrs| attrs.text(CODE_CELL_STATUS, "yielded"));
        self
    }

    /// What it gave.
    pub fn output(&mut self, output: impl IntoResult) -> &mut Self {
        self.handle.add_text(|| output.into_result());
        self
    }

    /// It ran to its end, or failed: the outcome is the result's.
    pub fn finish_with<T, E: super::Failure>(mut self, result: &Result<T, E>) {
        self.handle.text(CODE_CELL_STATUS, if result.is_ok() { "completed" } else { "failed" });
        self.settle_with(result);
    }

    /// It was ended from outside.
    pub fn terminate(mut self) {
        self.handle.text(CODE_CELL_STATUS, "terminated");
        self.handle.close(Outcome::Cancelled);
    }
}

/// A terminal operation that has not started. Begin it from its tool call.
pub type TerminalBuilder = Builder<kind::Terminal>;

/// A terminal operation that runs.
pub type Terminal = Call<kind::Terminal>;

impl TerminalBuilder {
    pub(super) fn begin(origin: Option<LentOrigin<'_>>, operation: &str) -> Self {
        Self::new(origin).text(TERMINAL_OPERATION, operation)
    }

    /// The command, or what is written to the process.
    pub fn input(self, input: impl IntoResult) -> Self {
        self.given_text(|| input.into_result())
    }
}

impl Terminal {
    /// The terminal's id (`veilspan.terminal.id`), as soon as it is known.
    pub fn terminal_id(&mut self, id: &str) -> &mut Self {
        self.handle.text(TERMINAL_ID, id);
        self
    }

    /// What the process wrote.
    pub fn output(&mut self, output: impl IntoResult) -> &mut Self {
        self.handle.add_text(|| output.into_result());
        self
    }

    /// With what the process ended (`veilspan.terminal.exit_code`), where it did.
    pub fn exit_code(&mut self, code: i32) -> &mut Self {
        self.handle.attrs(|attrs| attrs.int(TERMINAL_EXIT_CODE, i64::from(code)));
        self
    }

    /// The outcome is the result's.
    pub fn finish_with<T, E: super::Failure>(self, result: &Result<T, E>) {
        self.settle_with(result);
    }
}
