//! Workflows: agents that run by a plan.

use super::builder::Builder;
use super::call::Call;
use super::kind;
use super::place::LentOrigin;
use super::tool::IntoResult;
use crate::semconv::WORKFLOW_NAME;

/// A workflow that has not started.
pub type WorkflowBuilder = Builder<kind::Workflow>;

/// A workflow that runs.
pub type Workflow = Call<kind::Workflow>;

impl WorkflowBuilder {
    pub(super) fn begin(origin: Option<LentOrigin<'_>>, name: &str) -> Self {
        Self::new(origin).text(WORKFLOW_NAME, name)
    }

    /// What it was given.
    pub fn input(self, input: impl IntoResult) -> Self {
        self.given_text(|| input.into_result())
    }
}

impl Workflow {
    /// What it came to.
    pub fn output(&mut self, output: impl IntoResult) -> &mut Self {
        self.handle.add_text(|| output.into_result());
        self
    }

    /// It came to its end, or failed: the outcome is the result's.
    pub fn finish_with<T, E: super::Failure>(self, result: &Result<T, E>) {
        self.settle_with(result);
    }
}
