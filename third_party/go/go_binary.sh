#!/bin/bash
# go_binary.sh GO CACHE OUTPUT GO.MOD GO.SUM FILE.go...: compiles one Go program. Nothing is downloaded: the modules
# are those that tools/setup put into CACHE, which must match go.sum.
set -euo pipefail

go="$1"
cache="$2"
output="$(pwd)/$3"
sum="$5"
folder="$(dirname "$4")"
command -v "$go" >/dev/null || {
  echo "Go is missing (Debian's package golang-go): run tools/setup, then try again" >&2
  exit 1
}
[ -e "$cache/$(sha256sum "$sum" | cut -d' ' -f1).complete" ] || {
  echo "the Go modules that $sum names are not in $cache: run tools/setup, then try again" >&2
  exit 1
}

# The package as it is in the tree, and no file that nobody named.
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
shift 3
cp "$@" "$work/"
cd "$work"
export CGO_ENABLED=0 GOCACHE="$cache/build" GOENV=off GOFLAGS=-modcacherw GOMODCACHE="$cache/mod" GONOSUMDB='*' \
  GOPATH="$cache/path" GOPROXY=off GOSUMDB=off GOTOOLCHAIN=local GOWORK=off HOME="$cache"
"$go" build -buildvcs=false -trimpath -o "$output" . ||
  { echo "go build failed in $folder" >&2; exit 1; }
