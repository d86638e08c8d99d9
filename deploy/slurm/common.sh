# shellcheck shell=bash disable=SC2034  # settings are read by what is sourced
# What the jobs of deploy/slurm/ have in common. The settings are those of eval_setup.sh (BASE_MODEL,
# CHECKPOINT_PATH, NUM_SAMPLES, OUTPUT_DIR), which sbatch passes on from the environment. Besides:
#   NODE_STORAGE      a folder in the node's own storage, where the tools are provisioned [SLURM_TMPDIR, /tmp]
#   SIGIL_EVAL        a command that is there already, so that nothing is provisioned
#   PROBLEM_OPTIONS   options of sigil-eval that say which problems
#   DRAW_OPTIONS      further options of `sigil-eval generate`, such as --device cpu
ROOT=$SLURM_SUBMIT_DIR
cd "$ROOT" || exit 1
STATE_DIR=${NODE_STORAGE:-${SLURM_TMPDIR:-/tmp}}/sigilderg-$(id -un)
# shellcheck source=/dev/null
source "$ROOT/eval_setup_config.sh"
: "${SIGIL_EVAL:=}" "${PROBLEM_OPTIONS:=}" "${DRAW_OPTIONS:=}"
read -ra WHICH_PROBLEMS <<<"$PROBLEM_OPTIONS"
read -ra HOW_TO_DRAW <<<"$DRAW_OPTIONS"
OUTPUT_DIR=$(realpath -m "$OUTPUT_DIR")
MODELS=(base finetuned)
export STATE_DIR NONINTERACTIVE=1
mkdir -p "$STATE_DIR" "$OUTPUT_DIR/drawn"

# provision STEP...: the first task on a node does it, the others wait and find it done.
provision() {
  local step
  [[ -z $SIGIL_EVAL ]] || return 0
  (
    flock 9
    for step in "$@"; do bash eval_setup.sh --only "$step"; done
  ) 9>"$STATE_DIR/slurm.lock"
}

sigil_eval() { "${SIGIL_EVAL:-$VENV_DIR/bin/sigil-eval}" "$@"; }

# draw MODEL [OPTION...]: the base's samples or the fine-tune's, or a part of them.
draw() {
  local which=(--base-model "$BASE_MODEL")
  if [[ $1 == finetuned ]]; then which+=(--checkpoint-path "$CHECKPOINT_PATH"); fi
  sigil_eval generate "${which[@]}" "${WHICH_PROBLEMS[@]}" "${HOW_TO_DRAW[@]}" --num-samples "$NUM_SAMPLES" \
    --seed "$SEED" --output "$OUTPUT_DIR/drawn/$1.jsonl" "${@:2}"
}
