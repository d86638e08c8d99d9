# shellcheck shell=bash
# Which of the caller's variables count. The others stay behind before anything is run.

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
  OPENAI_API_KEY HF_HUB_DOWNLOAD_TIMEOUT HF_HUB_ETAG_TIMEOUT HF_HUB_DISABLE_XET 'HF_XET_*'
  # devices, and a cache for those who compile often
  CUDA_VISIBLE_DEVICES CUDA_DEVICE_ORDER CCACHE_DIR CCACHE_BASEDIR CCACHE_NOHASHDIR
)

is_passed_on() {
  local pattern
  for pattern in "${PASSED_ON[@]}"; do
    # shellcheck disable=SC2053  # it is a pattern
    [[ $1 != $pattern ]] || return 0
  done
  return 1
}

# From here on no program sees them. One language, too: what tools say is read here.
leave_variables_behind() {
  local name
  local -A settings=()
  for name in $(setting_names); do settings[$name]=1; done
  for name in $(compgen -e); do
    [[ -n ${settings[$name]:-} ]] || is_passed_on "$name" || export -n "${name?}"
  done
  export PYTHONNOUSERSITE=1 GIT_TERMINAL_PROMPT=0 LC_ALL=C.UTF-8
  umask 022 # the sandbox's user has to read what root makes
}

# What everything that is started from here has in common.
complete_environment() {
  [[ :$PATH: == *:/usr/sbin:* ]] || PATH=$PATH:$SYSTEM_FOLDERS
  HF_TOKEN=$(token_of_environment)
  if [[ -n $HF_TOKEN ]]; then export HF_TOKEN; else unset HF_TOKEN HUGGING_FACE_HUB_TOKEN; fi
  [[ -n $WRITER_URL ]] || unset OPENAI_API_KEY # nobody is to be asked
  # Named, the hub's places stay the same in a session with another folder and other variables.
  if is_exported HF_HOME; then
    HF_HOME=$(realpath -m "$(hub_home)")
    export HF_HOME
  fi
  if is_exported HF_HUB_CACHE || is_exported HUGGINGFACE_HUB_CACHE; then
    HF_HUB_CACHE=$(realpath -m "$(model_cache)")
    export HF_HUB_CACHE
  fi
  export PATH
}

SYSTEM_FOLDERS=/usr/local/sbin:/usr/sbin:/sbin # which `su` and cron leave out

is_exported() { [[ -n ${!1+set} && ${!1@a} == *x* ]]; }
