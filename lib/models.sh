# shellcheck shell=bash
# The models that are evaluated, brought into Hugging Face's own cache before the evaluation begins.

# STATE_DIR/models.tsv says what was proved to be there: the names, then size and path of each file.

models_describe() { say "the models $BASE_MODEL and $CHECKPOINT_PATH"; }

models_probe() {
  if ! models_are_here; then
    say 'not all of their files are here'
    return 1
  fi
  say "all files of $BASE_MODEL and $CHECKPOINT_PATH are here"
}

models_apply() {
  local models
  # Absent or empty is the same to our settings, and not to the hub's client.
  [[ -n $(token_of_environment) ]] || unset HF_TOKEN
  mapfile -t models < <(hub_models)
  list_new_models "${models[@]}"
  {
    models_key
    "$VENV_DIR/bin/python" "$ROOT/lib/python/fetch_models.py" "${models[@]}"
  } >"$STATE_DIR/models.tsv.part"
  mv "$STATE_DIR/models.tsv.part" "$STATE_DIR/models.tsv"
}

# The hub's cache may hold what others have put there.
list_new_models() {
  local model folder
  for model in "$@"; do
    folder=$(cache_folder "$model")
    [[ -e $folder ]] || made folder "$folder"
  done
}

models_verify() { models_probe; }

models_key() { printf '%s\t%s\t%s\n' "$BASE_MODEL" "$CHECKPOINT_PATH" "$(model_cache)"; }

models_are_here() {
  local size path
  [[ -n $(hub_models) ]] || return 0
  [[ -s $STATE_DIR/models.tsv && $(sed -n 1p "$STATE_DIR/models.tsv") == "$(models_key)" ]] || return 1
  while IFS=$'\t' read -r size path; do
    [[ -f $path && $(stat -L -c %s "$path") == "$size" ]] || return 1
  done < <(sed 1d "$STATE_DIR/models.tsv")
}

# Those of the models that are no folders here.
hub_models() {
  local model
  for model in "$BASE_MODEL" "$CHECKPOINT_PATH"; do
    [[ -z $model || -e $model ]] || say "$model"
  done
}

# --- the hub client's own settings, as huggingface_hub 2.4 reads them --------------------------------

model_cache() {
  local cache
  cache=$(exported HF_HUB_CACHE || exported HUGGINGFACE_HUB_CACHE || printf '%s/hub' "$(hub_home)")
  expanded_path "$cache"
}

cache_folder() { printf '%s/models--%s' "$(model_cache)" "$(cut -d/ -f1,2 <<<"$1" | sed 's#/#--#')"; }

hub_home() {
  local home
  home=$(exported HF_HOME || printf '%s/huggingface' "$(exported XDG_CACHE_HOME || printf '%s/.cache' "$HOME")")
  expanded_path "$home"
}

# A variable that the client is going to see: exported, and not empty.
exported() { [[ -n ${!1:-} && ${!1@a} == *x* ]] && printf '%s' "${!1}"; }

# The file in which `hf auth login` keeps a token, if there is one.
hf_token_file() {
  local file
  file=$(expanded_path "${HF_TOKEN_PATH:-$(hub_home)/token}")
  [[ -s $file ]] && printf '%s' "$file"
}

token_of_environment() { clean_token "${HF_TOKEN:-${HUGGING_FACE_HUB_TOKEN:-}}"; }

hf_token() {
  local token file
  token=$(token_of_environment)
  if [[ -z $token ]] && file=$(hf_token_file) && [[ -r $file ]]; then token=$(clean_token "$(<"$file")"); fi
  printf '%s' "$token"
}

# Without what pasting and files from Windows bring along.
clean_token() {
  local token=${1//[$'\r\n']/}
  token=${token#"${token%%[![:space:]]*}"}
  printf '%s' "${token%"${token##*[![:space:]]}"}"
}

hub_is_off() {
  local value=${HF_HUB_OFFLINE:-${TRANSFORMERS_OFFLINE:-}}
  [[ ${value^^} =~ ^(1|ON|YES|TRUE)$ ]]
}

# Whether the cache has a commit of this model's branch, with a file of it.
model_in_cache() {
  local folder subfolder
  folder=$(cache_folder "$1") subfolder=$(cut -d/ -f3- <<<"$1")
  [[ -s $folder/refs/main ]] && compgen -G "$folder/snapshots/$(<"$folder/refs/main")${subfolder:+/$subfolder}/*.json" >/dev/null
}

# ~, ~user, $NAME and ${NAME} as Python's expanduser and expandvars take them: what is not set stays.
expanded_path() {
  local path=$1 done='' name value home
  if [[ $path =~ ^~([^/]*)(.*)$ ]]; then
    home=$HOME
    [[ -z ${BASH_REMATCH[1]} ]] || home=$(getent passwd "${BASH_REMATCH[1]}" | cut -d: -f6)
    path=${home:-"~${BASH_REMATCH[1]}"}${BASH_REMATCH[2]}
  fi
  while [[ $path =~ ^([^$]*)(\$(\{([A-Za-z_0-9]+)\}|([A-Za-z_0-9]+)))(.*)$ ]]; do
    name=${BASH_REMATCH[4]}${BASH_REMATCH[5]} value=${BASH_REMATCH[2]} path=${BASH_REMATCH[6]}
    done+=${BASH_REMATCH[1]}
    if [[ $name == [A-Za-z_]* && -n ${!name+set} ]]; then value=${!name}; fi
    done+=$value
  done
  printf '%s' "$done$path"
}
