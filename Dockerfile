# syntax=docker/dockerfile:1
# One static binary in an image that holds nothing else: no shell, no package
# manager, and a user without rights. Keys and store are in the volume /data.

FROM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=0 go build -trimpath -ldflags='-s -w' -o /out/dmpd ./cmd/dmpd && install -d -m 0700 /out/data

FROM gcr.io/distroless/static-debian12:nonroot
COPY --from=build /out/dmpd /usr/local/bin/dmpd
# A new volume takes over the owner and the mode of what it hides.
COPY --from=build --chown=65532:65532 --chmod=0700 /out/data /data
USER 65532:65532
WORKDIR /
VOLUME /data
ENTRYPOINT ["/usr/local/bin/dmpd"]
CMD ["help"]
