# shellcheck shell=bash
# The settings of eval_setup_config.sh: what cannot work is refused in the first second, not by the
# driver after an hour.

check_settings() {
  check_characters
  check_switches SKIP_ENV_CHECK NONINTERACTIVE ALLOW_NO_SANDBOX WITH_VLLM
  check_numbers
  check_headline
  check_engine
  check_loop
  check_models
  check_dataset_check
  [[ $PYTHON_VERSION =~ ^3\.12\.[0-9]+$ ]] ||
    usage_error "PYTHON_VERSION=$PYTHON_VERSION: the packages are locked for Python 3.12; name one like $LOCKED_PYTHON."
  check_sandbox
  check_folder OUTPUT_DIR "$OUTPUT_DIR"
  check_folder STATE_DIR "$STATE_DIR"
  check_folder VENV_DIR "$VENV_DIR"
  check_folder VLLM_VENV_DIR "$VLLM_VENV_DIR"
}

# What a person can set: every variable that has a default.
setting_names() { sed -n 's/^ *: "${\([A-Z0-9_]*\):\{0,1\}=.*/\1/p' "$ROOT/eval_setup_config.sh" | sort -u; }

check_characters() {
  local name
  for name in $(setting_names); do
    [[ ${!name:-} != *[[:cntrl:]]* ]] ||
      usage_error "$name=${!name@Q}: no setting has control characters; a line end of Windows is one."
  done
}

check_switches() {
  local name
  for name in "$@"; do
    [[ ${!name} == [01] ]] || usage_error "$name=${!name}: it is 1, or 0."
  done
}

check_numbers() {
  local k name count='^[1-9][0-9]{0,8}$'
  [[ $NUM_SAMPLES =~ $count ]] || usage_error "NUM_SAMPLES=$NUM_SAMPLES is not a number of samples."
  [[ $SEED =~ ^[0-9]{1,18}$ ]] || usage_error "SEED=$SEED is not a whole number."
  [[ $K_VALUES =~ ^[1-9][0-9]{0,8}(,[1-9][0-9]{0,8})*$ ]] ||
    usage_error "K_VALUES=$K_VALUES is not a list of numbers like 1,10,100."
  for k in ${K_VALUES//,/ }; do
    ((k <= NUM_SAMPLES)) || usage_error "K_VALUES=$K_VALUES asks for pass@$k of NUM_SAMPLES=$NUM_SAMPLES samples."
  done
  for name in BATCH_SIZE N_WORKERS; do
    [[ -z ${!name} || ${!name} =~ $count ]] ||
      usage_error "$name=${!name}: it is a number from 1 on, or empty for the driver's choice."
  done
  [[ $PRICE_PER_HOUR =~ ^([0-9]+\.?[0-9]*|\.[0-9]+)$ ]] ||
    usage_error "PRICE_PER_HOUR=$PRICE_PER_HOUR is not a price like 2.49, in US dollars."
}

check_headline() {
  [[ $HEADLINE =~ ^(published|errata|plus)?$ ]] ||
    usage_error "HEADLINE=$HEADLINE: there is no such score; it is published, errata or plus."
}

check_engine() {
  [[ $ENGINE =~ ^(auto|hf|hf-static|vllm)$ ]] ||
    usage_error "ENGINE=$ENGINE: there is no such choice; it is auto, hf, hf-static or vllm."
  [[ $ENGINE != vllm || $WITH_VLLM == 1 || -f $VLLM_VENV_DIR/$VLLM_PROVED ]] ||
    usage_error "ENGINE=vllm: vLLM has not been set up here. WITH_VLLM=1 does that."
}

check_loop() {
  local name base
  ((LOOP)) || return 0
  for name in CRATES TRAIN_CONFIG; do
    [[ -n ${!name} ]] || usage_error "--loop wants $name, the name of a file."
    [[ -f ${!name} ]] ||
      usage_error "$name=${!name}: no such file. Paths begin in this folder; the demo's, in the checkout (cd $(printf %q "$ROOT"))."
  done
  for name in CHECKPOINTS CHECKPOINT_PATH; do
    [[ -z ${!name} ]] || usage_error "$name=${!name}: --loop evaluates what it trains, and no other."
  done
  base=$(configured_base "$TRAIN_CONFIG")
  [[ -n $base ]] || usage_error "TRAIN_CONFIG=$TRAIN_CONFIG: it has no model_name."
  [[ $BASE_MODEL == "$base" ]] || usage_error "BASE_MODEL=$BASE_MODEL: $TRAIN_CONFIG trains $base, and --loop evaluates that."
  [[ $VAL_SHARE =~ ^(0|0?\.[0-9]+)$ ]] || usage_error "VAL_SHARE=$VAL_SHARE is not a share from 0 to less than 1."
  [[ $MOST_TOO_LONG =~ ^([01]|0?\.[0-9]+)$ ]] || usage_error "MOST_TOO_LONG=$MOST_TOO_LONG is not a share from 0 to 1."
  check_writer
  read_loop
}

# Its token is in OPENAI_API_KEY, and nowhere else.
check_writer() {
  [[ -z $WRITER_URL || $WRITER_URL =~ ^https?://[^/?@]+(/[^?@]*)?$ ]] ||
    usage_error 'WRITER_URL is not an address like https://host/v1, without a user, a password or a query.'
  [[ -z $WRITER_URL || -n $WRITER_MODEL ]] || usage_error "WRITER_URL=$WRITER_URL: which model of that server's? Name it: WRITER_MODEL"
  [[ -z $WRITER_MODEL || -n $WRITER_URL ]] || usage_error "WRITER_MODEL=$WRITER_MODEL: which server has it? Name it: WRITER_URL"
}

# What is in CRATES and TRAIN_CONFIG, as soon as there is a Python that can read it.
read_loop() {
  local said code=0
  ((LOOP)) && [[ -x $VENV_DIR/bin/python ]] || return 0
  said=$("$VENV_DIR/bin/python" -I "$ROOT/lib/python/read_loop.py" "$CRATES" "$TRAIN_CONFIG" 2>&1) || code=$?
  ((code != 2)) || die 2 "$said"
}

# The base that a training's configuration names; the driver reads the file as a whole.
configured_base() {
  sed -nE "s/[[:space:]]+#.*//; s/[[:space:]]*$//; s/^model_name:[[:space:]]*[\"']?([^\"']*)[\"']?$/\1/p" "$1" 2>/dev/null || true
}

check_models() {
  check_model BASE_MODEL "$BASE_MODEL" config.json
  if [[ -n $CHECKPOINTS ]]; then
    check_checkpoints
  elif ((LOOP == 0)); then
    check_model CHECKPOINT_PATH "$CHECKPOINT_PATH" adapter_config.json config.json
  fi
}

check_dataset_check() {
  [[ -z $DATASET_CHECK || -f $DATASET_CHECK ]] || usage_error "DATASET_CHECK=$DATASET_CHECK: no such file."
}

# Each is a folder, a list in a file, or a name on the hub; the driver looks into them.
check_checkpoints() {
  local name names
  read -ra names <<<"$CHECKPOINTS"
  ((${#names[@]})) || usage_error "CHECKPOINTS=$CHECKPOINTS: it names nothing."
  for name in "${names[@]}"; do
    [[ -e $name ]] || is_hub_name "$name" ||
      usage_error "CHECKPOINTS=$name: no such folder or file, and no name on the hub (owner/name or owner/name/checkpoint-N)."
  done
}

# owner/name or owner/name/folder
is_hub_name() {
  local part='[A-Za-z0-9_][A-Za-z0-9_.-]*'
  [[ $1 =~ ^$part(/$part)+$ && ! -d ${1%%/*} ]]
}

# check_model SETTING MODEL FILE...: a folder with one of the files and weights, or a name on the hub.
check_model() {
  local setting=$1 model=$2 file files
  shift 2
  files=$*
  if [[ ! -d $model ]]; then
    [[ ! -e $model ]] || usage_error "$setting=$model is a file; a model is a folder with configuration and weights."
    is_hub_name "$model" ||
      usage_error "$setting=$model: no such folder, and no name on the hub (owner/name or owner/name/folder)."
    return 0
  fi
  for file in "$@"; do
    [[ ! -f $model/$file ]] || break
  done
  [[ -f $model/$file ]] || usage_error "$setting=$model: the folder has no ${files// / or }."
  compgen -G "$model/*.safetensors" >/dev/null || usage_error "$setting=$model: the folder has no weights (*.safetensors)."
}

check_sandbox() {
  sandbox_mode_is_known ||
    usage_error "SANDBOX_MODE=$SANDBOX_MODE: there is no such sandbox; it is firejail or none."
  [[ $SANDBOX_MODE == firejail || $STRICT == 0 ]] || is_accepted sandbox ||
    usage_error "SANDBOX_MODE=none: a strict run refuses it. SKIP_ENV_CHECK=1 goes on, and records it in every report."
  [[ $SANDBOX_MODE == firejail || $ALLOW_NO_SANDBOX == 1 || $INTERACTIVE == 1 ]] ||
    usage_error "SANDBOX_MODE=none runs what a model has written with your rights. ALLOW_NO_SANDBOX=1 accepts that."
}

# Asked here, once: later nobody may be there to answer.
confirm_no_sandbox() {
  local answer
  [[ $SANDBOX_MODE == none && $ALLOW_NO_SANDBOX == 0 ]] || return 0
  warn "SANDBOX_MODE=none runs what a model has written on this machine, with your rights."
  read -r -p 'Type YES to accept that: ' answer || true
  [[ ${answer:-} == YES ]] || die 2 'nobody accepted that, and nothing was changed.'
}

# Whether something can be written there is found out by doing it: root may write in /proc, it seems.
check_folder() {
  local path=$2 answer
  while [[ ! -d $path ]]; do
    [[ ! -e $path && ! -L $path ]] || usage_error "$1=$2: $path is no folder."
    path=$(dirname "$path")
  done
  answer=$(mktemp -d "$path/.sigilderg.XXXXXX" 2>&1) ||
    usage_error "$1=$2: nothing can be written in $path (${answer##*: })."
  rmdir "$answer"
}
