//! Differences as attributes, through OTLP and back.

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use prost::Message;
use veilspan::event::{Attrs, SpanId, TraceId, Value};
use veilspan::otlp::added::{AddedEvent, AddedSpan, resource_spans};
use veilspan::reduce::Severity;
use veilspan::replay::{Difference, Run, diff};
use veilspan::semconv::lookup;

use super::build::{run, tool};

/// As a reader of the event of a span has them.
fn through_otlp(attrs: &Attrs) -> Attrs {
    let span = AddedSpan {
        trace: TraceId::random(),
        span: SpanId::random(),
        parent: None,
        name: "finding",
        start_unix_nano: 1,
        end_unix_nano: 1,
        attrs: &Attrs::default(),
        links: &[],
        dropped_links: 0,
        events: &[AddedEvent { name: "veilspan.finding", at_unix_nano: 1, attrs }],
        dropped_events: 0,
        is_error: false,
    };
    let request = ExportTraceServiceRequest::decode(&*resource_spans(&[], &span)).unwrap();
    let mut read = Attrs::default();
    for attribute in &request.resource_spans[0].scope_spans[0].spans[0].events[0].attributes {
        let text = |value: &Any| if let Any::StringValue(text) = value { Some(text.as_str().into()) } else { None };
        let int = |value: &Any| if let Any::IntValue(number) = value { Some(*number) } else { None };
        let value = match attribute.value.as_ref().unwrap().value.as_ref().unwrap() {
            Any::ArrayValue(array) => {
                let all = || array.values.iter().filter_map(|value| value.value.as_ref());
                match all().next() {
                    Some(Any::IntValue(_)) => Value::Ints(all().filter_map(int).collect()),
                    _ => Value::Texts(all().filter_map(text).collect()),
                }
            }
            Any::IntValue(number) => Value::Int(*number),
            value => Value::Text(text(value).unwrap()),
        };
        read.insert(lookup(&attribute.key).unwrap(), value);
    }
    read
}

fn every_severity(changed: bool) -> Run {
    run(move |host, turn| {
        turn.decision(if changed { "b" } else { "a" }).confidence(if changed { 0.1 } else { 0.9 }).record();
        tool(turn, "bash", "{}", if changed { "other" } else { "done" });
        let temperature = if changed { 0.1 } else { 0.7 };
        let mut call = turn.inference("openai", "m").input("q").temperature(temperature).intended("cooler").start();
        host.clock.advance(std::time::Duration::from_secs(if changed { 9 } else { 1 }));
        call.tokens(if changed { 5000 } else { 10 }, 1).finish_reason("stop");
        call.finish();
        if changed {
            tool(turn, "extra", "{}", "done");
        }
    })
}

#[test]
fn c42_a_difference_of_every_severity_survives_export_with_all_of_its_fields() {
    let report = diff(&every_severity(false), &every_severity(true));
    let severities = [Severity::Info, Severity::Warning, Severity::Critical];
    for severity in severities {
        assert!(report.differences.iter().any(|one| one.severity == severity), "{severity:?}: {report:#?}");
    }
    for one in &report.differences {
        assert_eq!(Difference::from_attrs(&through_otlp(&one.to_attrs())).as_ref(), Some(one));
    }
    assert_eq!(Difference::from_attrs(&Attrs::default()), None);
}
