module veilspan.example/decoder

go 1.25.0

require (
	go.opentelemetry.io/proto/slim/otlp v1.11.0
	google.golang.org/protobuf v1.36.11
)
