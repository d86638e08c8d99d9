# shellcheck shell=bash
# Python packages: uv, what it fills an environment from, and the way to the packages.
# A person's settings of that way (index, proxy, certificates ...) count, from files as well as from variables:
# those that PASSED_ON lists. The others, such as PIP_USER, `require-virtualenv`, UV_SYSTEM_PYTHON or a
# constraint, are for that person's own installations.

# The marker is written last and names what it was filled from: no marker, or another, means rebuild.
VENV_MARKER=.sigilderg-complete

# fill_environment FOLDER REQUIREMENTS: a virtual environment made anew, with the packages of a lock file.
fill_environment() {
  local folder=$1 requirements=$2 python
  python=$(<"$STATE_DIR/python.path")
  install_uv "$python"
  if [[ -e $folder && ! -f $folder/pyvenv.cfg && -n $(ls -A "$folder") ]]; then
    die 2 "$folder holds something else than a virtual environment. Name another folder."
  fi
  say "installing the $(grep -c '^[a-z0-9].*==' "$requirements") packages of $(basename "$requirements")"
  record_made folder "$folder"
  rm -rf "$folder"
  run_uv venv -q --python "$python" "$folder"
  # The lock is for one Python: saying so keeps a newer or older patch release from refusing it.
  run_uv pip sync -p "$folder" --python-version "$LOCKED_PYTHON" --require-hashes "$requirements"
}

# uv itself comes by pip, at the version and hash of its own lock.
install_uv() {
  local uv_lock=$ROOT/requirements/bootstrap.lock
  stamped "$STATE_DIR/bootstrap/$VENV_MARKER" "$(sha256_of "$uv_lock") $1" && return 0
  say 'installing uv, which installs the rest'
  rm -rf "$STATE_DIR/bootstrap"
  "$1" -m venv "$STATE_DIR/bootstrap"
  (
    use_package_settings "$STATE_DIR/bootstrap/bin/python"
    "$STATE_DIR/bootstrap/bin/python" -m pip install -q --disable-pip-version-check --require-hashes -r "$uv_lock"
  )
  stamp "$STATE_DIR/bootstrap/$VENV_MARKER" "$(sha256_of "$uv_lock") $1"
}

# uv for the steps that add to the environment.
uv_pip_install() { run_uv pip install -p "$VENV_DIR" --no-deps "$@"; }

# Its cache shares the disk with the environment, so that files are linked, not copied; it goes by the
# system's certificates, because a company network may have its own.
run_uv() (
  use_uv_settings "$STATE_DIR/bootstrap/bin/python"
  "$STATE_DIR/bootstrap/bin/uv" "$@"
)

# use_package_settings PYTHON: in this shell, from here on. Its pip is asked what the files say.
use_package_settings() {
  local setting name
  leave_variables_behind
  while read -r setting; do
    name=${setting%%=*}
    if is_passed_on "$name" && ! is_exported "$name"; then export "${setting?}"; fi
  done < <(pip_file_settings "$1")
  export PIP_CONFIG_FILE=/dev/null PYTHONSAFEPATH=1 # and no pip.py of the current folder
}

# NAME=VALUE, as pip's variables are called, of what its files say for `install`, then for all commands.
pip_file_settings() {
  local key value
  { "$1" -m pip config list 2>/dev/null || true; } | LC_ALL=C sort -r |
    sed -nE "s/^(install|global)\.([a-z-]+)=['\"](.*)['\"]\$/\2 \3/p" | sed 's/\\n/ /g' |
    while read -r key value; do
      key=${key//-/_}
      printf 'PIP_%s=%s\n' "${key^^}" "$value"
    done
}

# use_uv_settings PYTHON: the same for uv, which is told what pip is told where it is told nothing.
use_uv_settings() {
  use_package_settings "$1"
  use_uv_file "$1"
  give_pip_settings_to_uv
}

# uv does not read pip's settings. A mirror, a proxy or a certificate that is named there is meant for both.
give_pip_settings_to_uv() {
  if [[ -z ${UV_INDEX_URL:-}${UV_DEFAULT_INDEX:-}${UV_NO_INDEX:-} ]] && ! grep -qs '^index' "${UV_CONFIG_FILE:-/dev/null}"; then
    give_setting PIP_INDEX_URL UV_INDEX_URL
    give_setting PIP_EXTRA_INDEX_URL UV_EXTRA_INDEX_URL
    if [[ -n ${PIP_NO_INDEX:-} ]]; then give_setting PIP_FIND_LINKS UV_FIND_LINKS ,; fi
    give_setting PIP_NO_INDEX UV_NO_INDEX
  fi
  give_setting PIP_TRUSTED_HOST UV_INSECURE_HOST
  give_setting PIP_CERT SSL_CERT_FILE
  give_setting PIP_CLIENT_CERT SSL_CLIENT_CERT
  give_setting PIP_PROXY ALL_PROXY
}

# give_setting FROM TO [SEPARATOR]: the value of one variable, where the other has none of its own.
give_setting() {
  local value=${!1:-}
  [[ -z $value ]] || is_exported "$2" || export "$2=${value// /${3:- }}"
}

# What uv.toml says of the way, in a file of our own.
use_uv_file() {
  local own=$STATE_DIR/cache/uv.toml file files=()
  for file in "${UV_CONFIG_FILE:-${XDG_CONFIG_HOME:-$HOME/.config}/uv/uv.toml}" /etc/xdg/uv/uv.toml /etc/uv/uv.toml; do
    [[ ! -f $file || $file == "$own" ]] || files+=("$file")
  done
  unset UV_CONFIG_FILE
  export UV_NO_CONFIG=1
  ((${#files[@]})) || return 0
  mkdir -p "$STATE_DIR/cache"
  (umask 077 && "$1" "$ROOT/lib/python/uv_settings.py" "${files[@]}" >"$own") || die 2 "these settings of uv cannot be read: ${files[*]}"
  unset UV_NO_CONFIG
  export UV_CONFIG_FILE=$own
}
