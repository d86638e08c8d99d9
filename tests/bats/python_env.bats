#!/usr/bin/env bats
# Which Python is taken, and when the virtual environment counts as finished.

load helpers

setup() {
  make_home
  load_settings
  export PATH=$STUBS:/usr/bin:/bin
  command_stub curl <<<'exit 6'
  # Only the Pythons that a test makes are found.
  find_usual_places=$(declare -f find_pythons | sed 's#/usr/local/bin/python3.12 /opt/\*/bin/python3.12 /usr/bin/python3.12##')
  eval "$find_usual_places"
  command_stub python3.12 <<<'exit 1'
}
teardown() { remove_home; }

# fake_python VERSION: one that claims to be complete.
fake_python() {
  local folder=$HOME/.pyenv/versions/$1/bin
  mkdir -p "$folder"
  printf '#!/bin/sh\nprintf "%%s\\t%%s\\n" %s %s/python\n' "$1" "$folder" >"$folder/python"
  chmod +x "$folder/python"
}

@test "the pinned version is taken when it is there, without a deviation" {
  fake_python 3.12.9
  fake_python 3.12.11
  run as_program run_step python 1 1
  expect_status 0
  [ "$(cat "$STATE_DIR/python.path")" = "$HOME/.pyenv/versions/3.12.11/bin/python" ]
  [ ! -s "$STATE_DIR/deviations.tsv" ]
}

@test "else the newest 3.12, newest by number, as a deviation" {
  fake_python 3.12.9
  fake_python 3.12.10
  run as_program run_step python 1 1
  expect_status 0
  [ "$(cat "$STATE_DIR/python.path")" = "$HOME/.pyenv/versions/3.12.10/bin/python" ]
  [ "$(cut -f1-3 "$STATE_DIR/deviations.tsv")" = $'python\tCPython 3.12.11\tCPython 3.12.10' ]
  run as_program run_step python 1 1
  expect_output skipped
}

@test "a strict run does not take another version" {
  STRICT=1
  fake_python 3.12.10
  run as_program run_step python 1 1
  expect_status 3
  [ ! -e "$STATE_DIR/python.path" ]
}

@test "no Python at all is an error that names the ways out" {
  run as_program run_step python 1 1
  expect_status 3
  expect_output 'PYTHON_BUILD_MIRROR_URL'
}

@test "an interpreter that has gone is found out" {
  fake_python 3.12.11
  as_program run_step python 1 1
  rm -r "$HOME/.pyenv"
  run as_program python_probe
  expect_status 1
}

@test "an interpreter that is not the one asked for fails the verification" {
  fake_python 3.12.10
  stamp "$STATE_DIR/python.path" "$HOME/.pyenv/versions/3.12.10/bin/python"
  run as_program python_verify
  expect_status 1
  PYTHON_VERSION=3.12.10 run as_program python_verify
  expect_status 0
}

@test "a Python that could be built in the meantime is built" {
  DEMO=0
  fake_python 3.12.10
  as_program run_step python 1 1
  run as_program python_probe
  expect_status 0
  answers() { :; }
  run as_program python_probe
  expect_status 1
  expect_output 'can be built now'
}

@test "the demo builds no Python where there is a 3.12 that works, though it could" {
  fake_python 3.12.10
  answers() { :; }
  build_python() { touch "$TEST_HOME/built"; }
  run as_program python_needs
  [ -z "$output" ]
  run as_program run_step python 1 1
  expect_status 0
  [ "$(cut -f1-3 "$STATE_DIR/deviations.tsv")" = $'python\tCPython 3.12.11\tCPython 3.12.10' ]
  expect_output 'the demo takes what is here'
  run as_program python_probe
  expect_status 0
  [ ! -e "$TEST_HOME/built" ]
}

@test "everything but the demo builds the pinned one, also after a demo" {
  fake_python 3.12.10
  as_program run_step python 1 1
  DEMO=0
  pyenv_origin 'printf "3.12.11\t%s\n" "$0"'
  run as_program python_needs
  expect_output "$PYENV_REPO_URL"
  run as_program run_step python 1 1
  expect_status 0
  expect_no_output skipped
  [ "$(cat "$STATE_DIR/python.path")" = "$STATE_DIR/pyenv/versions/3.12.11/bin/python" ]
  [ ! -s "$STATE_DIR/deviations.tsv" ]
}

@test "the demo builds one where there is none" {
  pyenv_origin 'printf "3.12.11\t%s\n" "$0"'
  run as_program run_step python 1 1
  expect_status 0
  [ "$(cat "$STATE_DIR/python.path")" = "$STATE_DIR/pyenv/versions/3.12.11/bin/python" ]
}

@test "another PYTHON_VERSION than the recorded one is not done" {
  fake_python 3.12.10
  as_program run_step python 1 1
  PYTHON_VERSION=3.12.3
  run as_program python_probe
  expect_status 1
}

@test "an incomplete Python (no ssl, no ensurepip) is passed over" {
  real=$(PATH=/usr/bin:/bin command -v python3)
  mkdir -p "$HOME/broken"
  printf '#!/bin/sh\necho "import $1" | "%s" - 2>/dev/null; exit 1\n' "$real" >"$HOME/broken/python"
  chmod +x "$HOME/broken/python"
  [ -z "$(complete_python "$HOME/broken/python")" ]
}

# pyenv_origin LINE...: a repository PYENV_REPO_URL whose python-build makes a Python of these lines; it has
# the pinned commit, and a later one.
pyenv_origin() {
  local origin=$TEST_HOME/pyenv.git version=$PYTHON_VERSION
  mkdir -p "$origin/bin"
  printf '%s\n' '#!/bin/sh' "$@" >"$origin/built"
  cat >"$origin/bin/pyenv" <<PYENV
#!/usr/bin/env bash
[[ \$* == 'install --verbose $version' ]] || exit 9
mkdir -p "\$PYENV_ROOT/versions/$version/bin"
cp "\$PYENV_ROOT/built" "\$PYENV_ROOT/versions/$version/bin/python"
PYENV
  chmod +x "$origin/built" "$origin/bin/pyenv"
  git init -q "$origin"
  commit_all
  PYENV_COMMIT=$(git -C "$origin" rev-parse HEAD)
  echo later >"$origin/later"
  commit_all
  PYENV_REPO_URL=file://$origin
  answers() { :; }
  apt_install() { echo "apt $*" >>"$TEST_HOME/apt"; }
}

commit_all() {
  git -C "$TEST_HOME/pyenv.git" add -A
  git -C "$TEST_HOME/pyenv.git" -c user.name=t -c user.email=t@localhost commit -q -m all
}

@test "pyenv is taken at its pinned commit, whatever its tags and branches say" {
  pyenv_origin 'printf "3.12.11\t%s\n" "$0"'
  git -C "$TEST_HOME/pyenv.git" tag "$PYENV_TAG" # the later commit
  run as_program run_step python 1 1
  expect_status 0
  [ "$(git -C "$STATE_DIR/pyenv" rev-parse HEAD)" = "$PYENV_COMMIT" ]
  [ ! -e "$STATE_DIR/pyenv/later" ]
}

@test "a repository without the pinned commit is refused, and the commit is named" {
  pyenv_origin 'printf "3.12.11\t%s\n" "$0"'
  PYENV_COMMIT=40dba8256f482e648dc3d170d0cc18aca9bb313e
  run as_program run_step python 1 1
  expect_status 1
  expect_output "does not give pyenv $PYENV_TAG, which is commit $PYENV_COMMIT"
}

@test "a pyenv at another commit, or half fetched, is fetched anew" {
  pyenv_origin 'printf "3.12.11\t%s\n" "$0"'
  git clone -q "$PYENV_REPO_URL" "$STATE_DIR/pyenv"
  run as_program run_step python 1 1
  expect_status 0
  [ "$(git -C "$STATE_DIR/pyenv" rev-parse HEAD)" = "$PYENV_COMMIT" ]
  rm -rf "$STATE_DIR/pyenv" "$STATE_DIR/python.path"
  git init -q "$STATE_DIR/pyenv"
  run as_program run_step python 1 1
  expect_status 0
}

@test "pyenv and CPython's source are carried to a machine without network, by commit and checksum" {
  local definition=plugins/python-build/share/python-build/$PYTHON_VERSION archive=$TEST_HOME/archive
  pyenv_origin 'printf "3.12.11\t%s\n" "$0"'
  mkdir -p "$TEST_HOME/pyenv.git/$(dirname "$definition")" "$archive/$PYTHON_VERSION"
  echo source >"$archive/$PYTHON_VERSION/Python-$PYTHON_VERSION.tar.xz"
  printf 'install_package "Python" "https://www.python.org/ftp/python/x/Python-%s.tar.xz#%s"\n' "$PYTHON_VERSION" \
    "$(sha256_of "$archive/$PYTHON_VERSION/Python-$PYTHON_VERSION.tar.xz")" >"$TEST_HOME/pyenv.git/$definition"
  commit_all
  PYENV_COMMIT=$(git -C "$TEST_HOME/pyenv.git" rev-parse HEAD)
  PYTHON_BUILD_MIRROR_URL=file://$archive
  rm "$STUBS/curl"
  as_program carry_pyenv "$TEST_HOME/carried/pyenv.git"
  as_program carry_python_source "$TEST_HOME/carried"
  [ -s "$TEST_HOME/carried/python/$PYTHON_VERSION/Python-$PYTHON_VERSION.tar.xz" ]
  rm -rf "$TEST_HOME/pyenv.git"
  PYENV_REPO_URL=file://$TEST_HOME/carried/pyenv.git
  run as_program run_step python 1 1
  expect_status 0
}

@test "pyenv builds the pinned version with its own root, and that one is taken" {
  pyenv_origin 'printf "3.12.11\t%s\n" "$0"'
  run as_program run_step python 1 1
  expect_status 0
  [ "$(cat "$STATE_DIR/python.path")" = "$STATE_DIR/pyenv/versions/3.12.11/bin/python" ]
  grep -q libssl-dev "$TEST_HOME/apt"
  [ ! -s "$STATE_DIR/deviations.tsv" ]
}

@test "a Python that was built without one of its modules is not taken" {
  pyenv_origin 'case $* in *_curses*) exit 1 ;; esac' 'printf "3.12.11\t%s\n" "$0"'
  run as_program run_step python 1 1
  expect_status 1
  [ ! -e "$STATE_DIR/python.path" ]
}

@test "an environment without its marker, or with that of other requirements, is not finished" {
  mkdir -p "$VENV_DIR"
  echo /some/python >"$STATE_DIR/python.path"
  run as_program venv_probe
  expect_status 1
  stamp "$VENV_DIR/$VENV_MARKER" "$(venv_key)"
  run as_program venv_probe
  expect_status 0
  cp "$LOCK" "$TEST_HOME/lock"
  echo '# changed' >>"$TEST_HOME/lock"
  LOCK=$TEST_HOME/lock
  run as_program venv_probe
  expect_status 1
}

@test "a folder that is no virtual environment is never deleted" {
  mkdir -p "$VENV_DIR"
  echo thesis >"$VENV_DIR/thesis.txt"
  echo /some/python >"$STATE_DIR/python.path"
  install_uv() { :; }
  run as_program run_step venv 1 1
  expect_status 1
  expect_output 'holds something else than a virtual environment'
  [ "$(cat "$VENV_DIR/thesis.txt")" = thesis ]
}

@test "an installation that is cut off leaves no marker, and is begun anew" {
  mkdir -p "$STATE_DIR/bootstrap/bin"
  install_uv() { :; }
  echo /some/python >"$STATE_DIR/python.path"
  printf '#!/bin/sh\ncase $1 in venv) mkdir -p "%s" && touch "%s/pyvenv.cfg";; *) exit 1;; esac\n' \
    "$VENV_DIR" "$VENV_DIR" >"$STATE_DIR/bootstrap/bin/uv"
  chmod +x "$STATE_DIR/bootstrap/bin/uv"
  run as_program run_step venv 1 1
  expect_status 1
  [ -d "$VENV_DIR" ]
  [ ! -e "$VENV_DIR/$VENV_MARKER" ]
  touch "$VENV_DIR/leftover"
  run as_program run_step venv 1 1
  expect_no_output skipped
  [ ! -e "$VENV_DIR/leftover" ]
}

@test "a mirror that pip is told of is meant for uv, too, unless uv has one of its own" {
  mkdir -p "$STATE_DIR/bootstrap/bin"
  printf '#!/bin/sh\necho "index: $UV_INDEX_URL"\n' >"$STATE_DIR/bootstrap/bin/uv"
  printf '#!/bin/sh\n[ "$*" = "-m pip config list" ] && echo "global.index-url='"'"'https://configured/simple'"'"'"\n' \
    >"$STATE_DIR/bootstrap/bin/python"
  chmod +x "$STATE_DIR"/bootstrap/bin/*
  run as_program run_uv
  [ "$output" = 'index: https://configured/simple' ]
  PIP_INDEX_URL=https://named/simple run as_program run_uv
  [ "$output" = 'index: https://named/simple' ]
  PIP_INDEX_URL=https://named/simple UV_INDEX_URL=https://own/simple run as_program run_uv
  [ "$output" = 'index: https://own/simple' ]
  printf '#!/bin/sh\nexit 1\n' >"$STATE_DIR/bootstrap/bin/python"
  run as_program run_uv
  expect_status 0
  [ "$output" = 'index: ' ]
}

@test "what an environment was made in is on the list of what to remove" {
  mkdir -p "$STATE_DIR/bootstrap/bin"
  install_uv() { :; }
  run_uv() { :; }
  echo /some/python >"$STATE_DIR/python.path"
  as_program fill_environment "$VLLM_VENV_DIR" "$LOCK"
  [ "$(cut -f1,2 "$STATE_DIR/made.tsv")" = $'folder\t'"$VLLM_VENV_DIR" ]
}

# own_settings COMMAND...: what pip and uv see of a person's settings, as NAME=VALUE.
own_settings() {
  "$@" python3
  env | grep -E '^(PIP|UV|PYTHON|SSL|ALL_PROXY)' | sort
}

@test "pip's and uv's settings of the way to the packages count; those for a person's own installations do not" {
  command_stub python3 <<'STUB'
[[ $* == '-m pip config list' ]] || exit 1
printf '%s\n' ":env:.user='1'" "global.index-url='https://all/simple'" "global.proxy='http://proxy:3128'" "global.target='/elsewhere'" \
  "global.trusted-host='\na.example\nb.example'" "install.index-url='https://install/simple'" "install.user='true'" "list.format='json'"
STUB
  # shellcheck disable=SC2046  # a list of words
  unset $(compgen -e PIP_) $(compgen -e UV_) $(compgen -e PYTHON) $(compgen -e SSL_)
  export PIP_USER=1 PIP_REQUIRE_VIRTUALENV=true PIP_TARGET=/x PIP_PREFIX=/x PIP_NO_BINARY=:all: PIP_CONSTRAINT=/x PIP_CERT=/ca.pem
  export UV_SYSTEM_PYTHON=1 UV_CONSTRAINT=/x UV_NO_BINARY=1 UV_PYTHON=3.9 UV_EXCLUDE_NEWER=2020-01-01 UV_HTTP_TIMEOUT=9
  export PYTHONPATH=/x PYTHONHOME=/x PYTHONOPTIMIZE=2 UV_INDEX_COMPANY_PASSWORD=secret
  run as_program own_settings use_uv_settings
  expect_status 0
  diff - <(
    cat <<'EXPECTED'
ALL_PROXY=http://proxy:3128
PIP_CERT=/ca.pem
PIP_CONFIG_FILE=/dev/null
PIP_INDEX_URL=https://install/simple
PIP_PROXY=http://proxy:3128
PIP_TRUSTED_HOST=a.example b.example
PYTHONNOUSERSITE=1
PYTHONSAFEPATH=1
SSL_CERT_FILE=/ca.pem
UV_HTTP_TIMEOUT=9
UV_INDEX_COMPANY_PASSWORD=secret
UV_INDEX_URL=https://install/simple
UV_INSECURE_HOST=a.example b.example
UV_NO_CONFIG=1
EXPECTED
  ) <<<"$output"
}

@test "of uv.toml, too, the way counts and the rest does not" {
  command -v python3.12 >/dev/null && PYTHON=$(PATH=${PATH#*:} command -v python3.12) || PYTHON=python3
  "$PYTHON" -c 'import tomllib' 2>/dev/null || skip 'wants a Python 3.11 or newer'
  mkdir -p "$HOME/.config/uv"
  cat >"$HOME/.config/uv/uv.toml" <<'TOML'
index-url = "https://mirror/simple"
exclude-newer = "2020-01-01"
[pip]
system = true
no-binary = [":all:"]
allow-insecure-host = ["a.example"]
[[index]]
name = "own"
url = "https://own/simple"
default = true
TOML
  settings() {
    use_uv_settings "$PYTHON"
    cat "$UV_CONFIG_FILE"
  }
  run as_program settings
  expect_status 0
  [ "$output" = 'index = [{"name" = "own", "url" = "https://own/simple", "default" = true}]
index-url = "https://mirror/simple"
allow-insecure-host = ["a.example"]' ]
  PIP_INDEX_URL=https://pip/simple run as_program own_settings use_uv_settings
  expect_no_output UV_INDEX_URL
}

@test "what is proved is the locked package, whatever the shell has put before it" {
  python3 -m venv --without-pip "$VENV_DIR" || skip 'wants python3-venv'
  site=$(echo "$VENV_DIR"/lib/python3*/site-packages)
  for module in numpy rich scipy transformers tree_sitter_rust; do touch "$site/$module.py"; done
  mkdir "$TEST_HOME/mine"
  echo 'raise SystemExit("not the locked one")' >"$TEST_HOME/mine/transformers.py"
  cd "$TEST_HOME/mine"
  PYTHONPATH=$TEST_HOME/mine PYTHONHOME=/nowhere run as_program venv_verify
  expect_status 0
}
