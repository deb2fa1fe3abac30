# Recipes are one-liners: `.ci/run` and people call the same commands.
# Install just with `cargo install just` or `pip install rust-just`.

# list the recipes
default:
    @just --list

# the default lab run, as in the README
run *ARGS:
    cargo run --release --locked -- run {{ARGS}}

# keep a lab running until Ctrl-C
up *ARGS:
    cargo run --release --locked -- up {{ARGS}}

# format every crate
fmt:
    cargo fmt --all

# format check, as CI does it
fmt-check:
    cargo fmt --all --check

# lints, as CI does it
clippy:
    cargo clippy --workspace --all-targets --locked -- -D warnings

# every test
test:
    cargo test --workspace --locked

# the tests of one crate: just test-crate proto
test-crate NAME:
    cargo test --locked -p cmglab-{{NAME}}

# the lints of one crate: just clippy-crate proto
clippy-crate NAME:
    cargo clippy --locked -p cmglab-{{NAME}} --all-targets -- -D warnings

# the reference documentation, warnings refused
doc:
    RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --locked

# unmodified third-party clients against the lab
interop:
    tests/interop/run

# everything CI does
ci:
    .ci/run
