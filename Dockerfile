# The program leat, by itself, as a dashboard:
#
#   docker build -t leat .
#   docker run --rm -p 127.0.0.1:8080:8080 leat --redis-addr=host.docker.internal:6379
#
# In the container it listens on all interfaces, and everybody may look, and change
# nothing. Whoever is to do more is known by LEAT_WEB_USER_FILE, LEAT_WEB_TOKEN_FILE or
# LEAT_WEB_TRUSTED_HEADER, which put an end to that; or, where only the right people reach
# the port, -e LEAT_WEB_ANYONE=admin. See docs/cli.md.

FROM golang:1.26 AS source
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ENV CGO_ENABLED=0

FROM source AS build
RUN go build -trimpath -tags=timetzdata -ldflags="-s -w" -o /leat ./cmd/leat

FROM source AS build-example
RUN go build -trimpath -ldflags="-s -w" -o /example ./examples/tracing

# What compose.yaml runs besides.
FROM scratch AS example
COPY --from=build-example /example /example
USER 65532:65532
ENTRYPOINT ["/example"]

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /leat /leat
USER 65532:65532
ENV LEAT_WEB_HOST=0.0.0.0 LEAT_WEB_ANYONE=viewer
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=6s --start-period=10s CMD ["/leat", "web", "--check"]
ENTRYPOINT ["/leat", "web"]
