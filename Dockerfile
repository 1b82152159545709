# rohrpost alone in an image, without shell and package manager:
#   docker build --build-arg VERSION="$(git describe --tags --always)" -t rohrpost .
#   docker run --rm rohrpost demo
FROM --platform=$BUILDPLATFORM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG TARGETOS TARGETARCH VERSION=dev
# timetzdata puts the time zones into the binary: logs are in the zone of TZ.
RUN GOOS=$TARGETOS GOARCH=$TARGETARCH make build VERSION="$VERSION" TAGS=timetzdata
# A folder for the files that demo and errors export write.
RUN mkdir -p /rootfs/tmp /rootfs/etc/rohrpost && chmod 1777 /rootfs/tmp

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /rootfs/ /
COPY --from=build /src/bin/rohrpost /rohrpost
# A user that exists nowhere else, by number: there is no /etc/passwd here.
USER 65532:65532
WORKDIR /tmp
# There is no HEALTHCHECK: it runs inside the container, where nothing but
# rohrpost is, and a command that only starts says nothing about a process that
# hangs. Ask from outside: /healthz and /readyz, at web.addr and at worker.addr.
ENTRYPOINT ["/rohrpost"]
