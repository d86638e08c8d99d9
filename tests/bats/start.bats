#!/usr/bin/env bats
# The one-line start: curl … | bash. A release is made from the last commit and served from a folder.

load helpers

setup() {
  make_home
  cp -r "$ROOT/deploy" "$TEST_HOME/deploy"
  mkdir "$TEST_HOME/tree"
  (cd "$ROOT" && git ls-files -z --cached --others --exclude-standard | xargs -0 -I{} sh -c '[ ! -f "$1" ] || cp --parents "$1" "$0"' "$TEST_HOME/tree" {})
  cd "$TEST_HOME/tree" || return
  git init -q
  git add -A
  git -c user.name=t -c user.email=t@t commit -qm all
  bash deploy/release.sh v1.2.3 HEAD "$TEST_HOME/dist" >/dev/null
  cd "$HOME" || return
  export RELEASE_URL=file://$TEST_HOME/dist
}
teardown() { remove_home; }

start() { bash -s -- "$@" <"$TEST_HOME/dist/start.sh"; }

@test "a release is fetched, checked and started with the arguments" {
  run start --list
  expect_status 0
  [[ $output == system_deps* ]]
  [ "$(ls -A "$HOME")" = sigilderg-lambda-package-v1.2.3 ]
  RELEASE_URL=file:///nowhere run start --list
  expect_status 0
}

@test "the same commit gives the same bytes" {
  cd "$TEST_HOME/tree" || return
  bash deploy/release.sh v1.2.3 HEAD "$TEST_HOME/again" >/dev/null
  cmp "$TEST_HOME/dist/start.sh" "$TEST_HOME/again/start.sh"
  cmp "$TEST_HOME/dist/sigilderg-lambda-package-v1.2.3.tar.gz" "$TEST_HOME/again/sigilderg-lambda-package-v1.2.3.tar.gz"
}

@test "another archive is not unpacked" {
  echo x >>"$TEST_HOME/dist/sigilderg-lambda-package-v1.2.3.tar.gz"
  run start --list
  expect_status 1
  expect_output 'is not the pinned one'
  [ -z "$(ls -A "$HOME")" ]
}

@test "a release that cannot be had is named" {
  RELEASE_URL=file:///nowhere run start --list
  expect_status 1
  expect_output 'cannot download the release from file:///nowhere'
}

@test "cut off anywhere, it does nothing" {
  count=$(wc -l <"$TEST_HOME/dist/start.sh")
  for ((line = 1; line < count; line++)); do
    head -n "$line" "$TEST_HOME/dist/start.sh" | bash -s -- --list >/dev/null 2>&1 || true
    [ -z "$(ls -A "$HOME")" ]
  done
}

@test "the copy in the repository names no release and says so" {
  run bash "$ROOT/deploy/start.sh"
  expect_status 1
  expect_output 'names no release'
}
