# shellcheck shell=bash
# The root of the checkout, and every file of lib/. A file there only defines functions and constants: it
# says, asks and changes nothing when it is read. So their order does not matter, and a new one is found.
ROOT=$(CDPATH='' cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
for library in "$ROOT"/lib/*.sh; do
  # shellcheck source=/dev/null
  if [[ $library != */all.sh ]]; then source "$library"; fi
done
unset library
