#!/usr/bin/env bash
# Makes the two files of a release from a commit: the archive, and the start.sh that pins it.
#   bash deploy/release.sh v1.0.0 [COMMIT] [FOLDER]
# The same commit gives the same bytes. Upload both to the release of that name.
set -Eeuo pipefail

main() {
  local version=${1:?usage: release.sh VERSION [COMMIT] [FOLDER]} commit=${2:-HEAD} folder=${3:-dist} name archive
  cd "$(dirname "${BASH_SOURCE[0]}")/.."
  [[ $version =~ ^v[0-9]+(\.[0-9]+)*$ ]] || {
    echo "error: '$version' is not a version like v1.0.0" >&2
    exit 2
  }
  name=sigilderg-lambda-package-$version
  archive=$folder/$name.tar.gz
  mkdir -p "$folder"
  git archive --format=tar --prefix="$name/" "$commit" | gzip -n -9 >"$archive"
  git show "$commit:deploy/start.sh" |
    sed "s/^VERSION=@VERSION@/VERSION=$version/; s/^SHA256=@SHA256@/SHA256=$(sha256sum "$archive" | cut -d' ' -f1)/" \
      >"$folder/start.sh"
  sha256sum "$archive" "$folder/start.sh"
}

main "$@"
