# Two programs, one build: `--target agent` and `--target webhook`.
#
#   docker build --target agent -t mayfly-agent:0.1.0 .
#
# The builder needs the Rust of rust-toolchain.toml, a C compiler, CMake and CA certificates; which image
# that is, is an argument. What comes out is one static program on an empty image, run as nobody's user.
ARG BUILDER=docker.io/library/rust:1.95-bookworm

FROM ${BUILDER} AS build
WORKDIR /src
COPY . .
# A target directory outside the sources, so that a cache can be mounted there.
ENV CARGO_TARGET_DIR=/target
# No default features: what only a person's machine needs stays out of the agent.
# `--target` keeps `crt-static` away from build scripts and procedural macros, which must be dynamic.
RUN host="$(rustc -vV | sed -n 's/^host: //p')" \
 && RUSTFLAGS="-C target-feature=+crt-static" \
    cargo build --locked --release --target "$host" --no-default-features --package mayfly-agent --package mayfly-webhook \
 && mkdir -p /out \
 && cp "/target/$host/release/mayfly-agent" "/target/$host/release/mayfly-webhook" /out/

FROM scratch AS agent
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /out/mayfly-agent /mayfly-agent
USER 65532:65532
ENTRYPOINT ["/mayfly-agent"]

FROM scratch AS webhook
COPY --from=build /out/mayfly-webhook /mayfly-webhook
USER 65532:65532
ENTRYPOINT ["/mayfly-webhook"]
