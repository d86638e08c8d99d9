#!/usr/bin/env bats
# apt through its wrapper, and root only when it is needed.

load helpers

setup() {
  make_home
  load_libraries
  # What the tests call themselves stays; sudo and apt-get are never the real ones.
  command_stub dpkg-query <<<'[[ " $INSTALLED " == *" ${*: -1} "* ]] && echo installed'
  command_stub cloud-init <<<'exit 0'
}
teardown() { remove_home; }

@test "nothing is installed, and nobody asked for root, when everything is there" {
  export INSTALLED='gcc git'
  stub sudo
  stub apt-get
  run as_program apt_install gcc git
  expect_status 0
  verify_stubs
}

@test "only what is missing is installed, with the lock waited for and no prompts" {
  export INSTALLED='gcc'
  stub apt-get '-y -q *DPkg::Lock::Timeout=600* update => true' \
    '*install --no-install-recommends git tmux => test "$DEBIAN_FRONTEND $NEEDRESTART_MODE" = "noninteractive l"'
  as_root() { "$@"; }
  run as_program apt_install gcc git tmux
  expect_status 0
  verify_stubs
}

@test "a failing install fails the step" {
  export INSTALLED=''
  stub apt-get '*update => true' '*install* => exit 100'
  as_root() { "$@"; }
  run as_program apt_install git
  expect_status 100
  verify_stubs
}

@test "a repository that cannot be updated does not stop an install that works" {
  export INSTALLED=''
  stub apt-get '*update => exit 100' '*install* => true'
  as_root() { "$@"; }
  run as_program apt_install git
  expect_status 0
  expect_output 'reported errors'
  verify_stubs
}

@test "as an ordinary user, root is had by sudo without a password" {
  stub sudo '-n true => true' '-n touch x => true'
  become_ordinary
  run as_program as_root touch x
  expect_status 0
  verify_stubs
}

@test "where sudo wants a password and nobody is there: exit 3 and the command to run" {
  stub sudo '-n true => exit 1'
  become_ordinary
  run as_program as_root apt-get install firejail
  expect_status 3
  expect_output 'As root, run: apt-get install firejail'
  verify_stubs
}

@test "Firejail is required, unless the sandbox is given up" {
  export INSTALLED="${SYSTEM_PACKAGES[*]}"
  run as_program system_deps_probe
  expect_status 1
  expect_output 'missing: firejail'
  SANDBOX_MODE=none
  run as_program system_deps_probe
  expect_status 0
}
