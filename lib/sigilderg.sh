# shellcheck shell=bash
# The ecosystem's three packages, each proved by small jobs, and this package itself.

SIGILDERG_STAMP=.sigilderg-ecosystem

sigilderg_describe() { say 'sigil-pipeline, sigilderg-finetuner, human-eval-rust and this package, each proved by a job'; }

sigilderg_key() {
  printf '%s %s %s %s' "$(venv_key)" "$ROOT" "$(sha256_of "$ROOT/pyproject.toml")" \
    "$(sha256_of "$ROOT/lib/python/ecosystem_jobs.py")"
}

sigilderg_probe() {
  if ! stamped "$VENV_DIR/$SIGILDERG_STAMP" "$(sigilderg_key)"; then
    say 'not proved in this environment'
    return 1
  fi
  say "sigil-pipeline $PIPELINE_VERSION, sigilderg-finetuner $FINETUNER_VERSION, human-eval-rust $HUMAN_EVAL_VERSION did their jobs"
}

sigilderg_apply() {
  # Editable: the scores are computed by the sources that lie here to be read.
  uv_pip_install --no-build-isolation --no-index -e "$ROOT"
  prove_package sigil-pipeline "$PIPELINE_VERSION" "$PIPELINE_SOURCE" pipeline
  prove_package human-eval-rust "$HUMAN_EVAL_VERSION" "$HUMAN_EVAL_SOURCE" human_eval
  prove_package sigilderg-finetuner "$FINETUNER_VERSION" "$FINETUNER_SOURCE" finetuner eval_command trainer
}

# What follows where a job is not done.
consequence_of() {
  case $1 in
    pipeline) say 'samples of sigil-pipeline cannot be checked or converted' ;;
    human_eval) say 'the benchmark cannot be compared with its publication' ;;
    finetuner) say 'training configurations cannot be read, nor data filtered' ;;
    eval_command) say 'sigilderg-eval does not start; evaluation does not need it' ;;
    trainer) say 'neither sigilderg-train nor sigil-eval train can train; evaluation does not need them' ;;
  esac
}

sigilderg_verify() {
  "$VENV_DIR/bin/sigil-eval" --version
  stamp "$VENV_DIR/$SIGILDERG_STAMP" "$(sigilderg_key)"
}

# prove_package PACKAGE VERSION SOURCE JOB...: a package counts as installed when it does its jobs, as PyPI gave it or
# from its source. A source that does no more of them than PyPI's package is taken out again.
prove_package() {
  local package=$1 version=$2 source=$3 job before
  shift 3
  local -A FAULTS=()
  try_jobs "$version" "$@"
  before=${#FAULTS[@]}
  if ((before)) && [[ -n $source ]]; then
    guarded install_from_github "$source"
    if ((RC == 0)); then
      try_jobs "$version" "$@"
      if ((${#FAULTS[@]} >= before)); then
        say "the source does no more than PyPI's package, which is put back"
        install_locked "$package"
        rm -rf "$(source_folder "$source")"
        try_jobs "$version" "$@"
      fi
    fi
  fi
  for job in "$@"; do
    [[ -v FAULTS[$job] ]] || continue
    does_instead "$job" || deviation "sigilderg.$job" "the $job of $package $version" "${FAULTS[$job]}" "$(consequence_of "$job")"
  done
}

# Whether this package does a job that another one does not; it is then no deviation.
does_instead() {
  [[ $1 == trainer ]] || return 1
  "$VENV_DIR/bin/python" "$ROOT/lib/python/ecosystem_jobs.py" own_trainer || return 1
  say 'sigil-eval train trains by the same configurations, and has made its steps'
}

# try_jobs VERSION JOB...: those that fail are in FAULTS, each with the reason.
try_jobs() {
  local version=$1 job words
  shift
  FAULTS=()
  for job in "$@"; do
    words=$("$VENV_DIR/bin/python" "$ROOT/lib/python/ecosystem_jobs.py" "$job" "$version" 2>&1) && continue
    FAULTS[$job]=$(tail -n 1 <<<"$words")
    say "$job: ${FAULTS[$job]}"
  done
}

source_folder() {
  local repository=${1%@*}
  printf '%s/sources/%s' "$STATE_DIR" "${repository#*/}"
}

# Editable, because the finetuner's own packaging leaves out the part that PyPI lacks. A source is named by
# its commit, which is its own checksum.
install_from_github() {
  local repository=${1%@*} commit=${1#*@} folder
  folder=$(source_folder "$1")
  answers git "$GITHUB_URL/$repository" || {
    say "$GITHUB_URL/$repository does not answer"
    return 1
  }
  rm -rf "$folder"
  git init -q "$folder"
  run_git -C "$folder" fetch -q --depth 1 "$GITHUB_URL/$repository" "$commit"
  git -C "$folder" checkout -q FETCH_HEAD
  uv_pip_install --no-build-isolation -e "$folder"
}

# A package as the lock has it.
install_locked() {
  local requirement=$STATE_DIR/cache/$1.txt
  awk -v name="$1==" '/^[^ #]/ {on = index($0, name) == 1} on' "$LOCK" >"$requirement"
  uv_pip_install --reinstall --python-version "$LOCKED_PYTHON" --require-hashes -r "$requirement"
}
