# shellcheck shell=bash
# The evaluation driver: that it starts, with which arguments, and in which environment. That is made
# from a list, and everything that is called here gets it.

evaluation_describe() { say 'the evaluation driver, started once with --version'; }

evaluation_probe() {
  local version
  [[ -x $VENV_DIR/bin/sigil-eval ]] || {
    say 'sigil-eval is not installed yet'
    return 1
  }
  version=$(scoring_environment "$VENV_DIR/bin/sigil-eval" --version)
  say "$version starts"
}

evaluation_apply() { :; }

evaluation_verify() { evaluation_probe; }

# Runs a command with what the scorer needs to know about this machine.
scoring_environment() {
  SIGIL_RUSTC=$(rustc_path) SIGIL_CRATES_DIR=$(crates_dir) SIGIL_SANDBOX_USER=$SANDBOX_USER "$@"
}

# The driver's command line, one word a line of the array DRIVER.
driver_command() {
  DRIVER=("$VENV_DIR/bin/python" "$ROOT/scripts/evaluate_humaneval.py"
    --base-model "$BASE_MODEL" --checkpoint-path "$CHECKPOINT_PATH"
    --num-samples "$NUM_SAMPLES" --k-values "$K_VALUES" --seed "$SEED"
    --sandbox-mode "$SANDBOX_MODE" --price-per-hour "$PRICE_PER_HOUR"
    --output-dir "$OUTPUT_DIR" --provision-state "$STATE_DIR" --accepted-deviations "$ACCEPTED_DEVIATIONS")
  [[ -z $BATCH_SIZE ]] || DRIVER+=(--batch-size "$BATCH_SIZE")
  [[ -z $N_WORKERS ]] || DRIVER+=(--n-workers "$N_WORKERS")
  if [[ $SANDBOX_MODE == none ]]; then DRIVER+=(--allow-no-sandbox); fi # confirm_no_sandbox has asked
  if ((DEMO)); then DRIVER+=(--demo); fi
  if ((STRICT)); then DRIVER+=(--strict); else DRIVER+=(--no-strict); fi
}

# The variables that count. All others stay behind, before anything is run: of what is exported in a
# shell, much bends a tool that is called here (PYTHONPATH, LD_LIBRARY_PATH, PIP_USER, CARGO_BUILD_TARGET,
# CC, GIT_DIR ...), and what was set up and evaluated would not be what is pinned.
PASSED_ON=(
  # who and where
  HOME USER LOGNAME SHELL PATH PWD TERM NO_COLOR TZ TMPDIR TMUX_TMPDIR XDG_CACHE_HOME XDG_CONFIG_HOME XDG_RUNTIME_DIR
  # the way out: proxies and certificates
  '*_proxy' '*_PROXY' SSL_CERT_FILE SSL_CERT_DIR CURL_CA_BUNDLE REQUESTS_CA_BUNDLE GIT_SSL_CAINFO GIT_SSL_CAPATH
  PIP_CERT PIP_CLIENT_CERT
  # mirrors, and how to ask them
  PIP_CONFIG_FILE PIP_INDEX_URL PIP_EXTRA_INDEX_URL PIP_TRUSTED_HOST PIP_NO_INDEX PIP_FIND_LINKS PIP_DEFAULT_TIMEOUT
  PIP_TIMEOUT PIP_RETRIES PIP_KEYRING_PROVIDER
  UV_DEFAULT_INDEX UV_EXTRA_INDEX_URL UV_INDEX 'UV_INDEX_*' UV_INSECURE_HOST UV_KEYRING_PROVIDER UV_NO_INDEX UV_FIND_LINKS
  UV_OFFLINE 'UV_HTTP_*' 'UV_CONCURRENT_*' UV_CACHE_DIR UV_LINK_MODE UV_NATIVE_TLS UV_SYSTEM_CERTS UV_NO_PROGRESS
  UV_CONFIG_FILE UV_NO_CONFIG
  CARGO_HOME 'CARGO_HTTP_*' 'CARGO_NET_*' 'CARGO_REGISTR*' RUSTUP_HOME PYENV_ROOT APT_LOCK_TIMEOUT
  # models: the hub's cache by all its names
  HF_TOKEN HUGGING_FACE_HUB_TOKEN HF_TOKEN_PATH HF_HOME HF_HUB_CACHE HUGGINGFACE_HUB_CACHE HF_HUB_OFFLINE TRANSFORMERS_OFFLINE
  HF_HUB_DOWNLOAD_TIMEOUT HF_HUB_ETAG_TIMEOUT HF_HUB_DISABLE_XET 'HF_XET_*'
  # devices, and a cache for those who compile often
  CUDA_VISIBLE_DEVICES CUDA_DEVICE_ORDER CCACHE_DIR CCACHE_BASEDIR CCACHE_NOHASHDIR
)

# The names of the settings, which pass as well.
setting_names() { sed -n 's/^ *: "${\([A-Z0-9_]*\):\{0,1\}=.*/\1/p' "$ROOT/eval_setup_config.sh" | sort -u; }

passes() {
  local pattern
  for pattern in "${PASSED_ON[@]}"; do
    # shellcheck disable=SC2053  # it is a pattern
    [[ $1 != $pattern ]] || return 0
  done
  return 1
}

# From here on no program sees them. One language, too: what tools say is read here.
leave_behind() {
  local name
  local -A settings=()
  for name in $(setting_names); do settings[$name]=1; done
  for name in $(compgen -e); do
    [[ -n ${settings[$name]:-} ]] || passes "$name" || export -n "${name?}"
  done
  export PYTHONNOUSERSITE=1 GIT_TERMINAL_PROMPT=0 LC_ALL=C.UTF-8
  umask 022 # the sandbox's user has to read what root makes
}

# In the session: what counts was written down by whoever started it, and the tmux server may be older.
forget_passed_on() {
  local name
  for name in $(compgen -e) $(setting_names); do
    case $name in HOME | PATH | PWD | SHELL | TERM | STATE_DIR | LC_ALL | PYTHONNOUSERSITE | GIT_TERMINAL_PROMPT) ;;
    *) unset "$name" ;;
    esac
  done
}

is_exported() { [[ -n ${!1+set} && ${!1@a} == *x* ]]; }

# What the session needs to know of what was settled here, besides the settings.
SETTLED=(DEMO STRICT YES FORCE_STEP RESUME_OPTIONS OFFLINE_PACKAGES STEPS_DONE LOG_OFFSET BEGUN)

# Writes the file that the session reads and deletes: 0600, because HF_TOKEN may be in it, and `tmux -e`
# would show a token to everyone.
write_session_file() {
  local file=$1
  rm -f "$file"
  (
    umask 077
    {
      printf 'cd %q\n' "$PWD"
      print_environment
      driver_command
      print_array CHOSEN_STEPS "${CHOSEN_STEPS[@]}"
      print_array DRIVER "${DRIVER[@]}"
    } >"$file"
  )
}

# What was exported is exported again, and what was not is not: see resume_command.
print_environment() {
  local name
  for name in $(compgen -e); do
    case $name in PWD | TERM) continue ;; esac
    ! passes "$name" || printf 'export %s=%q\n' "$name" "${!name}"
  done
  for name in $(setting_names) "${SETTLED[@]}"; do
    [[ -n ${!name+set} ]] || continue
    if is_exported "$name"; then printf 'export '; fi
    printf '%s=%q\n' "$name" "${!name}"
  done
}

print_array() {
  local name=$1
  shift
  printf '%s=(' "$name"
  (($# == 0)) || printf '%q ' "$@"
  printf ')\n'
}
