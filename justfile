# The one entry to everyday work. `just` alone lists it.

default:
    @just --list

# Everything that CI runs.
ci:
    bash .ci/run

# The suite, without peers.
test:
    cargo test

# Format, lints, docs, dependencies.
lint:
    cargo fmt --check
    cargo clippy --all-targets --all-features -- -D warnings
    RUSTDOCFLAGS="-D warnings" cargo doc --no-deps --all-features
    cargo deny check bans licenses sources

# The public interface against public-api.txt; with --bless, accepts it.
public-api *arguments:
    .ci/public-api {{arguments}}

# What would be published, built from its archive.
package:
    CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$PWD/target}" cargo package --locked

# Real peers: all of them, or those named.
interop *peers:
    tests/interop/run {{peers}}

# Ratios against peers and floors, of one run.
bench name:
    cargo bench --bench {{name}}

# What the stage takes beside the real Collector, for as many spans as are named.
beside-collector *spans:
    tests/interop/speed {{spans}}
