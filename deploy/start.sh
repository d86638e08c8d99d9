#!/usr/bin/env bash
# Fetches one release of the SigilDERG Lambda package, checks its checksum and starts it:
#
#   curl -fsSL https://github.com/Superuser666-Sigil/SigilDERG-Lambda-Package/releases/latest/download/start.sh | bash
#   … | bash -s -- --demo
#
# It does nothing else. `deploy/release.sh` writes the two values below; until then this refuses.
# Everything is in functions that the last line calls, so that half a download does nothing.
set -Eeuo pipefail

VERSION=@VERSION@
SHA256=@SHA256@
RELEASE_URL=${RELEASE_URL:-https://github.com/Superuser666-Sigil/SigilDERG-Lambda-Package/releases/download/$VERSION}
INSTALL_DIR=${INSTALL_DIR:-$PWD/sigilderg-lambda-package-$VERSION}

fail() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

fetch_release() {
  local archive=$1 found
  curl -fsSL --retry 3 --connect-timeout 10 -o "$archive" "$RELEASE_URL/sigilderg-lambda-package-$VERSION.tar.gz" ||
    fail "cannot download the release from $RELEASE_URL"
  found=$(sha256sum "$archive" | cut -d' ' -f1)
  [[ $found == "$SHA256" ]] || fail "the release is not the pinned one: its sha256 is $found, expected $SHA256"
}

# Unpacked beside its place and moved, so that the folder is whole or not there.
unpack_release() {
  local archive=$1
  rm -rf "$INSTALL_DIR.part"
  mkdir -p "$INSTALL_DIR.part"
  tar -xzf "$archive" -C "$INSTALL_DIR.part" --strip-components=1
  mv "$INSTALL_DIR.part" "$INSTALL_DIR"
}

main() {
  local work
  [[ $SHA256 =~ ^[0-9a-f]{64}$ ]] || fail 'this start.sh names no release. Take the one that lies beside a release.'
  if [[ ! -d $INSTALL_DIR ]]; then
    work=$(mktemp -d)
    # shellcheck disable=SC2064  # the folder of now
    trap "rm -rf '$work'" EXIT
    fetch_release "$work/release.tar.gz"
    unpack_release "$work/release.tar.gz"
    rm -rf "$work"
  fi
  cd "$INSTALL_DIR"
  # A person who pipes this into bash still sits at the terminal.
  if [[ ! -t 0 ]] && { : </dev/tty; } 2>/dev/null; then exec bash eval_setup.sh "$@" </dev/tty; fi
  exec bash eval_setup.sh "$@"
}

main "$@"
