//! What the processors that add to the spans they hand on have alike: all but what they add.

/// A processor around a [`Wrapped`](super::wrapped::Wrapped).
macro_rules! processor {
    ($name:ident) => {
        impl<P: opentelemetry_sdk::trace::SpanProcessor + 'static> $name<P> {
            /// The policy that it applies.
            pub fn policy(&self) -> crate::privacy::Policy {
                self.0.policy()
            }

            /// What swaps the policy, from now on too.
            pub fn policy_handle(&self) -> crate::processor::sdk::redaction::PolicyHandle {
                self.0.policy_handle()
            }

            /// What the policy has done, from now on too.
            pub fn counts(&self) -> crate::processor::sdk::redaction::RedactionCounts {
                self.0.counts()
            }
        }

        impl<P: opentelemetry_sdk::trace::SpanProcessor + 'static> opentelemetry_sdk::trace::SpanProcessor
            for $name<P>
        {
            fn on_start(&self, span: &mut opentelemetry_sdk::trace::Span, context: &opentelemetry::Context) {
                self.0.on_start(span, context);
            }

            fn on_end(&self, span: opentelemetry_sdk::trace::SpanData) {
                self.0.on_end(span);
            }

            fn force_flush(&self) -> opentelemetry_sdk::error::OTelSdkResult {
                self.0.force_flush()
            }

            fn shutdown_with_timeout(&self, timeout: std::time::Duration) -> opentelemetry_sdk::error::OTelSdkResult {
                self.0.shutdown_with_timeout(timeout)
            }

            fn set_resource(&mut self, resource: &opentelemetry_sdk::Resource) {
                self.0.set_resource(resource);
            }
        }

        impl<P: opentelemetry_sdk::trace::SpanProcessor + 'static> std::fmt::Debug for $name<P> {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($name)).field("policy", &self.policy()).finish_non_exhaustive()
            }
        }
    };
}

/// A handle on what such a processor has done, around its [`Followed`](super::followed::Followed).
macro_rules! handle {
    ($name:ident) => {
        impl $name {
            /// From now on findings are also log records of this provider, named `veilspan.finding`. Call it once for each
            /// provider.
            pub fn tell_findings<L: opentelemetry::logs::Logger + Send + 'static>(
                &self,
                provider: &impl opentelemetry::logs::LoggerProvider<Logger = L>,
            ) {
                self.0.tell(super::outlets::Outlet::logs(provider));
            }

            /// Counts findings as `veilspan.findings` of this provider, by severity. Call it once for each provider.
            pub fn tell_metrics(&self, provider: &impl opentelemetry::metrics::MeterProvider) {
                super::outlets::count_in(provider, &self.0);
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($name)).field("counts", &self.counts()).finish()
            }
        }
    };
}

pub(super) use {handle, processor};
