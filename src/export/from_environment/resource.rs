//! The resource.

use crate::environment::{Environment, Warning, pairs};

/// `OTEL_RESOURCE_ATTRIBUTES`, with `OTEL_SERVICE_NAME` above its `service.name`.
pub(super) fn resource(environment: &Environment, warnings: &mut Vec<Warning>) -> Vec<(String, String)> {
    const ATTRIBUTES: &str = "OTEL_RESOURCE_ATTRIBUTES";
    let mut attributes = Vec::new();
    if let Some(value) = environment.otel(ATTRIBUTES) {
        match pairs(value) {
            Some(pairs) => attributes = pairs,
            None => {
                warnings.push(Warning::new(ATTRIBUTES, value, "not `key=value` pairs joined by commas; ignored"));
            }
        }
    }
    let service = |key: &str| key == "service.name";
    if let Some(name) = environment.otel("OTEL_SERVICE_NAME") {
        attributes.retain(|(key, _)| !service(key));
        attributes.push(("service.name".to_owned(), name.to_owned()));
    }
    if !attributes.iter().any(|(key, _)| service(key)) {
        attributes.push(("service.name".to_owned(), "unknown_service".to_owned()));
    }
    // Of two values for one key the last one counts.
    let mut seen = std::collections::HashSet::new();
    let mut last_wins: Vec<_> = attributes.into_iter().rev().filter(|(key, _)| seen.insert(key.clone())).collect();
    last_wins.reverse();
    last_wins
}

#[cfg(test)]
mod tests {
    use crate::environment::Warning;
    use crate::export::ExporterConfig;

    fn under(variables: &[(&str, &str)]) -> (ExporterConfig, Vec<Warning>) {
        ExporterConfig::from_environment(&variables.iter().copied().collect())
    }

    #[test]
    fn headers_and_resource_are_percent_decoded_and_never_printed() {
        let (config, warnings) = under(&[
            ("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Basic%20canary, x-a=1"),
            ("OTEL_RESOURCE_ATTRIBUTES", "service.name=a,deployment.environment.name=prod%2Feu,service.name=b"),
        ]);
        assert!(warnings.is_empty());
        assert_eq!(config.headers.len(), 2);
        assert!(!format!("{config:?}").contains("canary"));
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        assert_eq!(config.resource, [pair("deployment.environment.name", "prod/eu"), pair("service.name", "b")]);
        assert_eq!(under(&[("OTEL_EXPORTER_OTLP_HEADERS", "canary")]).1.len(), 1);
    }

    #[test]
    fn the_service_has_a_name_in_any_case() {
        assert_eq!(under(&[]).0.resource, [("service.name".to_owned(), "unknown_service".to_owned())]);
        let both = [("OTEL_RESOURCE_ATTRIBUTES", "service.name=a"), ("OTEL_SERVICE_NAME", "b")];
        assert_eq!(under(&both).0.resource, [("service.name".to_owned(), "b".to_owned())]);
    }
}
