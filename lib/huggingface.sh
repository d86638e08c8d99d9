# shellcheck shell=bash
# The hub: its client's own settings, as huggingface_hub 2.4 reads them, and whether it gives the models.

model_cache() {
  local cache
  cache=$(exported_value HF_HUB_CACHE || exported_value HUGGINGFACE_HUB_CACHE || printf '%s/hub' "$(hub_home)")
  expanded_path "$cache"
}

cache_folder() { printf '%s/models--%s' "$(model_cache)" "$(cut -d/ -f1,2 <<<"$1" | sed 's#/#--#')"; }

# Whether the cache has a commit of this model's branch, with a file of it.
model_in_cache() {
  local folder subfolder
  folder=$(cache_folder "$1") subfolder=$(cut -d/ -f3- <<<"$1")
  [[ -s $folder/refs/main ]] && compgen -G "$folder/snapshots/$(<"$folder/refs/main")${subfolder:+/$subfolder}/*.json" >/dev/null
}

hub_home() {
  local home
  home=$(exported_value HF_HOME || printf '%s/huggingface' "$(exported_value XDG_CACHE_HOME || printf '%s/.cache' "$HOME")")
  expanded_path "$home"
}

# The value of a variable that the client is going to see: exported, and not empty.
exported_value() { [[ -n ${!1:-} && ${!1@a} == *x* ]] && printf '%s' "${!1}"; }

hub_is_off() {
  local value=${HF_HUB_OFFLINE:-${TRANSFORMERS_OFFLINE:-}}
  [[ ${value^^} =~ ^(1|ON|YES|TRUE)$ ]]
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

token_of_environment() { clean_token "${HF_TOKEN:-${HUGGING_FACE_HUB_TOKEN:-}}"; }

hf_token() {
  local token file
  token=$(token_of_environment)
  if [[ -z $token ]] && file=$(hf_token_file) && [[ -r $file ]]; then token=$(clean_token "$(<"$file")"); fi
  printf '%s' "$token"
}

# The file in which `hf auth login` keeps a token, if there is one.
hf_token_file() {
  local file
  file=$(expanded_path "${HF_TOKEN_PATH:-$(hub_home)/token}")
  [[ -s $file ]] && printf '%s' "$file"
}

# Without what pasting and files from Windows bring along.
clean_token() {
  local token=${1//[$'\r\n']/}
  token=${token#"${token%%[![:space:]]*}"}
  printf '%s' "${token%"${token##*[![:space:]]}"}"
}

# A token can be valid and still have no access to a gated model: ask for a file of that very model.
find_model_access() {
  local model
  find_token_file
  ! models_are_here || return 0
  for model in $(hub_models); do
    if hub_is_off; then find_in_cache "$model"; else find_on_hub "$model"; fi
  done
}

find_token_file() {
  local file mode
  [[ -z $(token_of_environment) ]] && file=$(hf_token_file) || return 0
  mode=$(stat -c %a "$file")
  if [[ ! -r $file ]]; then
    finding fails token 'a token file that can be read' "$file cannot be read" \
      'gated models are asked for without it' "chmod 600 $file; see that it is yours: ls -l $file"
  elif [[ $mode != 0 && $mode != ?00 ]]; then
    finding fails token 'a token file for its owner only' "$file has mode $mode" \
      'others on this machine can read it' "chmod 600 $file"
  fi
}

# HF_HUB_OFFLINE is set: by --offline, or left over from something else.
find_in_cache() {
  ! model_in_cache "$1" || return 0
  finding fails model "$1 in $(model_cache)" 'HF_HUB_OFFLINE is set, and it is not there' \
    'the model cannot be downloaded' 'unset HF_HUB_OFFLINE and TRANSFORMERS_OFFLINE, or name the cache that has it (HF_HUB_CACHE)'
}

find_on_hub() {
  local model=$1 answer page actual consequence='the model cannot be downloaded' advice
  answer=$(model_access "$model") page=${HF_ENDPOINT%/}/$(cut -d/ -f1,2 <<<"$1")
  actual="HTTP $answer"
  case $answer in
    [23]??) return 0 ;;
    '' | 000)
      actual='no answer'
      advice="open the network to $HF_ENDPOINT, or set HF_ENDPOINT to a mirror"
      ;;
    proxy* | 407)
      actual="the proxy says ${answer#proxy }"
      advice="have it let you through to $HF_ENDPOINT: http(s)_proxy names it, with user and password if it wants them (407)"
      ;;
    401) advice="accept its licence at $page and export HF_TOKEN, of the account that did; check the model's name, too" ;;
    403) advice="accept its licence at $page with the account of HF_TOKEN, whose token has to read gated models" ;;
    404) advice='check its name, and HF_TOKEN if it is private' ;;
    408 | 425 | 429 | 5??)
      consequence='the hub is busy or down, and it says nothing about the model'
      advice='try again in some minutes, or set HF_ENDPOINT to a mirror'
      ;;
    *) advice="see what is wrong there: $page, or set HF_ENDPOINT to a mirror" ;;
  esac
  finding fails model "access to $model" "$actual" "$consequence" "$advice"
}

# What the hub says of a file of this model: an HTTP status, or `proxy` and the proxy's. The token goes in
# by standard input: an argument list is there for everyone to read.
model_access() {
  local repository file=config.json subfolder token answer proxy
  repository=$(cut -d/ -f1,2 <<<"$1") subfolder=$(cut -d/ -f3- <<<"$1")
  [[ -z $subfolder ]] || file=$subfolder/adapter_config.json
  token=$(hf_token | sed 's/["\\]/\\&/g')
  read -r answer proxy < <(printf '%s' "${token:+header = \"Authorization: Bearer $token\"}" |
    curl -sS -o /dev/null -w '%{http_code} %{http_connect}\n' --max-time 10 -I -K - \
      "${HF_ENDPOINT%/}/$repository/resolve/main/$file" 2>/dev/null) || true
  if [[ $answer == 000 && ${proxy:-000} != [02]* ]]; then answer="proxy $proxy"; fi
  printf '%s' "$answer"
}
