# shellcheck shell=bash
# The models that are evaluated, brought into Hugging Face's own cache before the evaluation begins.

# STATE_DIR/models.tsv says what was proved to be there: the names, then size and path of each file.

models_describe() { say "the models $(models_named)"; }

models_probe() {
  if ! models_are_here; then
    say 'not all of their files are here'
    return 1
  fi
  say "all files of $(models_named) are here"
}

models_apply() {
  local models
  # Absent or empty is the same to our settings, and not to the hub's client.
  [[ -n $(token_of_environment) ]] || unset HF_TOKEN
  mapfile -t models < <(hub_models)
  record_new_models "${models[@]}"
  {
    models_key
    "$VENV_DIR/bin/python" "$ROOT/lib/python/fetch_models.py" "${models[@]}"
  } >"$STATE_DIR/models.tsv.part"
  mv "$STATE_DIR/models.tsv.part" "$STATE_DIR/models.tsv"
}

# The hub's cache may hold what others have put there.
record_new_models() {
  local model folder
  for model in "$@"; do
    folder=$(cache_folder "$model")
    [[ -e $folder ]] || record_made folder "$folder"
  done
}

models_verify() { models_probe; }

models_named() {
  local tuned=${CHECKPOINTS:-$CHECKPOINT_PATH}
  say "$BASE_MODEL${tuned:+ and $tuned}"
}

models_key() { printf '%s\t%s\t%s\n' "$BASE_MODEL" "${CHECKPOINTS:-$CHECKPOINT_PATH}" "$(model_cache)"; }

models_are_here() {
  local size path
  [[ -n $(hub_models) ]] || return 0
  [[ -s $STATE_DIR/models.tsv && $(sed -n 1p "$STATE_DIR/models.tsv") == "$(models_key)" ]] || return 1
  while IFS=$'\t' read -r size path; do
    [[ -f $path && $(stat -L -c %s "$path") == "$size" ]] || return 1
  done < <(sed 1d "$STATE_DIR/models.tsv")
}

# Those of the models that are no folders here. Of a repository with many checkpoints, or a list, the driver
# fetches one after the other as it comes to them.
hub_models() {
  local model models
  read -ra models <<<"$CHECKPOINTS"
  if ((${#models[@]} == 0)); then models=("$CHECKPOINT_PATH"); fi
  for model in "$BASE_MODEL" "${models[@]}"; do
    [[ -z $model || -e $model || (-n $CHECKPOINTS && $model != "$BASE_MODEL" && $model != */*/*) ]] || say "$model"
  done
}
