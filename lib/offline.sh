# shellcheck shell=bash
# A machine without internet: all that the steps would download is carried there in one folder, laid
# out so that the variables for mirrors can point into it.

# use_offline_folder DIR: from here on every address is one in DIR.
# shellcheck disable=SC2034  # the variables are those of eval_setup_config.sh
use_offline_folder() {
  local dir=$1
  if [[ -d $dir && ! (-r $dir && -x $dir) ]]; then
    echo "error: $dir is for another user, and $(id -un) may not read it. As its owner: chmod -R a+rX $dir" >&2
    exit 2
  fi
  [[ -f $dir/complete ]] || {
    echo "error: $dir is no finished folder of --download-only." >&2
    exit 2
  }
  OFFLINE_PACKAGES=$dir/packages
  PYENV_REPO_URL=file://$dir/pyenv.git
  PYTHON_BUILD_MIRROR_URL=file://$dir/python
  RUSTUP_URL=file://$dir/rustup-init
  RUSTUP_DIST_SERVER=file://$dir/rust
  CRATES_INDEX_URL=$dir/crates
  FLASH_ATTN_URL=file://$dir/flash-attn
  GITHUB_URL=file://$dir/github
  export PIP_NO_INDEX=1 PIP_FIND_LINKS=$dir/wheels UV_NO_INDEX=1 UV_FIND_LINKS=$dir/wheels UV_OFFLINE=1
  export CARGO_NET_OFFLINE=true HF_HUB_OFFLINE=1 HF_HUB_CACHE=$dir/models
}

# Fills DIR. What is there and right is not fetched again.
download_only() {
  local dir=$1
  need_tools apt-get apt-cache curl git python3 tar
  python3 -m pip --version >/dev/null 2>&1 || die 3 '--download-only needs pip: apt-get install python3-pip'
  mkdir -p "$dir"
  rm -f "$dir/complete"
  carry 'apt packages' carry_packages "$dir/packages"
  carry "pyenv $PYENV_TAG" carry_pyenv "$dir/pyenv.git"
  carry "sources of CPython $PYTHON_VERSION" carry_python_source "$dir"
  carry 'Python packages' carry_wheels "$dir/wheels"
  carry "Rust $RUST_VERSION" carry_rust "$dir"
  carry 'crates' carry_crates "$dir/crates"
  carry 'models' carry_models "$dir/models"
  carry_optional "$dir"
  touch "$dir/complete"
  say "Everything is in $dir ($(du -sh "$dir" | cut -f1)). Take it, and this repository, to the other machine, and run there:"
  say "    bash eval_setup.sh --offline DIR"
}

need_tools() {
  local tool
  for tool in "$@"; do
    command -v "$tool" >/dev/null || die 3 "--download-only needs $tool."
  done
}

carry() {
  local what=$1
  shift
  say "$what"
  guarded "$@"
  ((RC == 0)) || die 1 "cannot download: $what. The same command goes on from here."
}

# Better with them than without, and no reason to stop.
carry_optional() {
  local repository=${FINETUNER_SOURCE%@*}
  say 'flash-attn, and the source of the finetuner'
  fetch "$FLASH_ATTN_URL/$FLASH_ATTN_WHEEL" "$FLASH_ATTN_SHA256" "$1/flash-attn/$FLASH_ATTN_WHEEL" ||
    warn 'without the wheel of flash-attn, attention will be computed by PyTorch itself'
  carry_git "$GITHUB_URL/$repository" "${FINETUNER_SOURCE#*@}" "$1/github/$repository" ||
    warn "without $repository, the published package has to do"
}

# Every package that the steps need and a bare installation of this release lacks, with all that they
# depend on; which of them to install is decided on the other machine.
carry_packages() {
  local names=()
  mkdir -p "$1/partial"
  mapfile -t names < <(
    apt-cache depends --recurse --no-recommends --no-suggests --no-conflicts --no-breaks --no-replaces \
      --no-enhances "${SYSTEM_PACKAGES[@]}" "${PYTHON_BUILD_PACKAGES[@]}" firejail | grep '^[a-z0-9]' | sort -u |
      xargs apt-cache policy | awk '/^[a-z0-9]/ {name = $1} /Candidate: [^(]/ {sub(":$", "", name); print name}'
  )
  (cd "$1" && apt-get download -qq "${names[@]}")
  rmdir "$1/partial"
  index_packages "$1" >"$1/Packages.part"
  mv "$1/Packages.part" "$1/Packages"
}

# The index by which apt takes a folder for a repository.
index_packages() {
  local deb
  for deb in "$1"/*.deb; do
    dpkg-deb -f "$deb"
    printf 'Filename: ./%s\nSize: %s\nSHA256: %s\n\n' "$(basename "$deb")" "$(stat -c %s "$deb")" "$(sha256_of "$deb")"
  done
}

# apt's options for the carried packages alone. What they hold was checked when it was downloaded.
carried_packages_options() {
  local lists=$STATE_DIR/cache/apt
  mkdir -p "$lists/partial"
  printf 'deb [trusted=yes] file:%s ./\n' "$OFFLINE_PACKAGES" >"$lists/sources.list"
  printf '%s\n' -o "Dir::Etc::SourceList=$lists/sources.list" -o Dir::Etc::SourceParts=- \
    -o "Dir::State::lists=$lists" -o APT::Sandbox::User=root
}

carry_git() {
  local url=$1 ref=$2 folder=$3
  rm -rf "$folder.part"
  git init -q --bare "$folder.part" &&
    run_git -C "$folder.part" fetch -q --depth 1 "$url" "$ref" &&
    git -C "$folder.part" update-ref HEAD 'FETCH_HEAD^{commit}' &&
    git -C "$folder.part" config uploadpack.allowAnySHA1InWant true || return 1
  rm -rf "$folder"
  mkdir -p "$(dirname "$folder")"
  mv "$folder.part" "$folder"
}

carry_pyenv() { carry_git "$PYENV_REPO_URL" "$PYENV_COMMIT" "$1"; }

# pyenv itself knows the checksum.
carry_python_source() {
  local file=Python-$PYTHON_VERSION.tar.xz sha256
  sha256=$(git -C "$1/pyenv.git" show "$PYENV_COMMIT:plugins/python-build/share/python-build/$PYTHON_VERSION" |
    sed -n "s/.*$file#\([0-9a-f]\{64\}\).*/\1/p" | sed -n 1p)
  fetch "$(python_source_url)" "$sha256" "$1/python/$PYTHON_VERSION/$file"
}

carry_wheels() {
  local platform lock tags=() locks=("$LOCK")
  if ((WITH_VLLM)); then locks+=("$VLLM_LOCK"); fi
  for platform in manylinux_2_{35..17}_x86_64 manylinux2014_x86_64 linux_x86_64; do tags+=(--platform "$platform"); done
  use_package_settings python3
  for lock in "$ROOT/requirements/bootstrap.lock" "${locks[@]}"; do
    python3 -m pip download -q --disable-pip-version-check --no-deps --only-binary :all: --require-hashes \
      --python-version "$LOCKED_PYTHON" --implementation cp --abi cp312 --abi abi3 --abi none "${tags[@]}" \
      -d "$1" -r "$lock"
  done
}

# The components of rustup's minimal profile and clippy, by the checksums of the release's own manifest.
carry_rust() {
  local manifest=$1/rust/dist/channel-rust-$RUST_VERSION.toml url sha256
  fetch "$RUSTUP_URL" "$RUSTUP_SHA256" "$1/rustup-init"
  mkdir -p "$(dirname "$manifest")"
  download "$RUSTUP_DIST_SERVER/dist/$(basename "$manifest").sha256" "$manifest.sha256"
  fetch "$RUSTUP_DIST_SERVER/dist/$(basename "$manifest")" "$(cut -d' ' -f1 "$manifest.sha256")" "$manifest"
  awk -F'"' '/^\[/ {on = /^\[pkg\.(rustc|cargo|rust-std|clippy-preview)\.target\.x86_64-unknown-linux-gnu\]/}
    on && /^xz_url/ {url = $2} on && /^xz_hash/ {print url, $2}' "$manifest" |
    while read -r url sha256; do
      fetch "$RUSTUP_DIST_SERVER/dist/${url#*/dist/}" "$sha256" "$1/rust/dist/${url#*/dist/}"
    done
}

# As `cargo vendor` lays them out, by the checksums of Cargo.lock.
carry_crates() {
  local name version sha256 download_url archive
  download_url=$(curl -fsSL --retry 3 "$(crates_index)/config.json" | sed -n 's/.*"dl": *"\([^"]*\)".*/\1/p')
  awk -F'"' '/^name/ {name = $2} /^version/ {version = $2} /^checksum/ {print name, version, $2}' "$ROOT/crates/Cargo.lock" |
    while read -r name version sha256; do
      archive=$1/.archives/$name-$version.crate
      fetch "$download_url/$name/$version/download" "$sha256" "$archive"
      rm -rf "${1:?}/$name-$version"
      tar -xzf "$archive" -C "$1"
      printf '{"files":{},"package":"%s"}\n' "$sha256" >"$1/$name-$version/.cargo-checksum.json"
    done
}

carry_models() {
  local models
  mapfile -t models < <(hub_models)
  HF_TOKEN=$(hf_token) python3 "$ROOT/lib/python/carry_models.py" "$1" "${models[@]}"
}
