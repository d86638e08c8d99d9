# shellcheck shell=bash
# CPython at the pinned version, and a virtual environment filled from the hash-locked requirements.

# What CPython needs to be built with everything in it.
PYTHON_BUILD_PACKAGES=(build-essential libbz2-dev libffi-dev liblzma-dev libreadline-dev
  libsqlite3-dev libssl-dev uuid-dev xz-utils zlib1g-dev)

# The interpreter's path is kept in STATE_DIR/python.path; nothing is activated, no PATH is changed.
python_path() { cat "$STATE_DIR/python.path" 2>/dev/null || true; }

python_describe() {
  local here=''
  if any_python_will_do; then here='3.12 that is here, else '; fi
  say "CPython $here$PYTHON_VERSION, built by pyenv"
}

python_probe() {
  local python version
  if [[ ! -s $STATE_DIR/python.path ]]; then
    say "CPython $PYTHON_VERSION is yet to be found or built"
    return 1
  fi
  python=$(<"$STATE_DIR/python.path")
  version=$(complete_python "$python" | cut -f1)
  if [[ $version != "$PYTHON_VERSION" && $(deviations_of python) != *"CPython $PYTHON_VERSION"*"CPython $version"* ]]; then
    say "$python is not CPython $PYTHON_VERSION"
    return 1
  fi
  if [[ $version != "$PYTHON_VERSION" ]] && ! any_python_will_do && can_build_python; then
    say "$python was taken for want of CPython $PYTHON_VERSION, which can be built now"
    return 1
  fi
  say "CPython $version at $python"
}

python_needs() {
  [[ -z $(python_at_hand) ]] || return 0
  needs_answer fails git "$PYENV_REPO_URL"
  needs_answer fails curl "$(python_source_url)"
}

python_apply() {
  local found reason='the demo takes what is here'
  found=$(python_at_hand)
  if [[ -z $found ]] && can_build_python; then
    build_python
    found=$(complete_python "$STATE_DIR/pyenv/versions/$PYTHON_VERSION/bin/python")
  fi
  if [[ -z $found ]]; then
    found=$(newest_python) reason='it could not be had'
    [[ -n $found ]] || die 3 "there is no CPython 3.12 here, and $PYTHON_VERSION cannot be built:" \
      "$PYENV_REPO_URL or python.org does not answer. Install python3.12 with python3.12-venv," \
      "or set PYENV_REPO_URL and PYTHON_BUILD_MIRROR_URL."
  fi
  if [[ $(cut -f1 <<<"$found") != "$PYTHON_VERSION" ]]; then
    deviation python "CPython $PYTHON_VERSION" "CPython $(cut -f1 <<<"$found")" \
      "$reason; used is the newest 3.12 found here (sigilderg-finetuner asks for 3.12.10 or newer)"
  fi
  stamp "$STATE_DIR/python.path" "$(cut -f2 <<<"$found")"
}

python_verify() { python_probe; }

# What is taken without building anything.
python_at_hand() {
  local found
  found=$(pinned_python)
  if [[ -z $found ]] && any_python_will_do; then found=$(newest_python); fi
  printf '%s' "$found"
}

# The demo is about minutes: building a Python takes more of them than all the rest.
any_python_will_do() { ((DEMO && STRICT == 0)); }

pinned_python() { find_pythons | awk -F'\t' -v v="$PYTHON_VERSION" '$1 == v && !n++'; }

newest_python() { find_pythons | sort -V | tail -n 1; }

# "VERSION<TAB>PATH" of every usable CPython 3.12: on PATH, in a pyenv, or in a usual place.
find_pythons() {
  local candidate
  {
    type -aP python3.12 || true
    printf '%s\n' "$STATE_DIR"/pyenv/versions/3.12.*/bin/python "$HOME"/.pyenv/versions/3.12.*/bin/python \
      ${PYENV_ROOT:+"$PYENV_ROOT"/versions/3.12.*/bin/python} \
      /usr/local/bin/python3.12 /opt/*/bin/python3.12 /usr/bin/python3.12
  } | while read -r candidate; do
    complete_python "$candidate"
  done | sort -u
}

# "VERSION<TAB>REAL PATH" when it is a CPython 3.12 with all that a virtual environment needs.
complete_python() {
  [[ -x $1 ]] || return 0
  "$1" -I -c '
import bz2, ctypes, ensurepip, hashlib, lzma, sqlite3, ssl, venv, zlib, sys, os, platform
assert sys.version_info[:2] == (3, 12) and platform.python_implementation() == "CPython"
print(platform.python_version(), os.path.realpath(sys._base_executable), sep="\t")' 2>/dev/null || true
}

can_build_python() {
  answers git "$PYENV_REPO_URL" && answers curl "$(python_source_url)"
}

python_later_packages() { if [[ -n $(network_needs python) ]]; then printf '%s\n' "${PYTHON_BUILD_PACKAGES[@]}"; fi; }

python_source_url() {
  printf '%s/%s/Python-%s.tar.xz' "${PYTHON_BUILD_MIRROR_URL:-https://www.python.org/ftp/python}" \
    "$PYTHON_VERSION" "$PYTHON_VERSION"
}

# python-build checks the source against its own sha256; python-build itself is fetched by its commit.
# What an earlier build left unfinished is taken away first: python-build would take it for installed.
build_python() {
  local pyenv=$STATE_DIR/pyenv work=$STATE_DIR/cache/python-build
  apt_install "${PYTHON_BUILD_PACKAGES[@]}"
  [[ -d $pyenv/.git && $(run_git -C "$pyenv" rev-parse HEAD) == "$PYENV_COMMIT" ]] || fetch_pyenv "$pyenv"
  [[ -z $PYTHON_BUILD_MIRROR_URL ]] || export PYTHON_BUILD_MIRROR_URL PYTHON_BUILD_MIRROR_URL_SKIP_CHECKSUM=1
  rm -rf "$pyenv/versions/$PYTHON_VERSION" "$work"
  mkdir -p "$work"
  # Python remembers the folder that it was built in: one of the same name gives the same files.
  TMPDIR=$work PYTHON_BUILD_BUILD_PATH=$work/build PYENV_ROOT=$pyenv MAKE_OPTS="-j$(nproc)" \
    "$pyenv/bin/pyenv" install --verbose "$PYTHON_VERSION"
  rm -rf "$work"
  import_all_extensions "$pyenv/versions/$PYTHON_VERSION/bin/python"
}

# Not by its tag: a tag can be moved, or be missing in a mirror.
fetch_pyenv() {
  rm -rf "$1"
  run_git init -q "$1"
  run_git -C "$1" fetch -q --depth 1 "$PYENV_REPO_URL" "$PYENV_COMMIT" ||
    die 1 "$PYENV_REPO_URL does not give pyenv $PYENV_TAG, which is commit $PYENV_COMMIT." \
      "Where a mirror has another one, set PYENV_COMMIT and PYENV_TAG with PYENV_REPO_URL."
  run_git -C "$1" checkout -q FETCH_HEAD
}

# A build does without what it finds no library for, and says so in a line that nobody reads.
import_all_extensions() {
  "$1" -I -c 'import _bz2, _ctypes, _curses, _hashlib, _lzma, _sqlite3, _ssl, _uuid, readline, zlib'
}

venv_describe() { say "virtual environment with the packages of requirements/$(basename "$LOCK")"; }

venv_probe() {
  if ! stamped "$VENV_DIR/$VENV_MARKER" "$(venv_key)"; then
    say 'not there, unfinished, or made from other requirements'
    return 1
  fi
  say "$(grep -c '^[a-z0-9].*==' "$LOCK") packages as locked, in $VENV_DIR"
}

venv_key() { printf '%s %s' "$(sha256_of "$LOCK")" "$(python_path)"; }

venv_needs() { [[ -n ${PIP_NO_INDEX:-} ]] || needs_answer stop pip uv; }

venv_apply() {
  fill_environment "$VENV_DIR" "$LOCK"
  stamp "$VENV_DIR/$VENV_MARKER" "$(venv_key)"
}

# Without what the caller's environment would put before the packages that are to be proved.
venv_verify() {
  leave_variables_behind
  "$VENV_DIR/bin/python" -I -c 'import numpy, rich, scipy, transformers, tree_sitter_rust'
  read_loop
}
