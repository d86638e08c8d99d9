#!/usr/bin/env bats
# apt through its wrapper, and root only when it is needed.

load helpers

setup() {
  make_home
  load_settings
  # What the tests call themselves stays; sudo and apt-get are never the real ones.
  command_stub dpkg-query <<<'
    [[ $* != *binary:Package* ]] || { printf "%s\n" "ok installed gcc" "ok half-installed libc6" "reinstreq unpacked perl-base" && exit; }
    [[ " $INSTALLED " == *" ${*: -1} "* ]] && echo installed'
  command_stub cloud-init <<<'exit 0'
  command_stub dpkg <<<'exit 0'
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
  stub apt-get '-y -q *DPkg::Lock::Timeout=600* update => true' '*check => true' \
    '*--simulate install git tmux => printf "Inst git (1 Ubuntu)\nInst libc [1] (2 Ubuntu)\nInst perl (5 Ubuntu)\n"' \
    '*APT::Install-Recommends=false install git tmux => test "$DEBIAN_FRONTEND $NEEDRESTART_MODE" = "noninteractive l"'
  as_root() { "$@"; }
  run as_program apt_install gcc git tmux
  expect_status 0
  verify_stubs
  [ "$(cut -f1,2 "$STATE_DIR/made.tsv")" = $'package\tgit\npackage\tperl' ]
}

@test "a failing install fails the step" {
  export INSTALLED=''
  stub apt-get '*update => true' '*check => true' '*--simulate* => true' '*install* => exit 100'
  as_root() { "$@"; }
  run as_program apt_install git
  expect_status 100
  verify_stubs
}

@test "a repository that cannot be updated does not stop an install that works" {
  export INSTALLED=''
  stub apt-get '*update => exit 100' '*check => true' '*--simulate* => true' '*install* => true'
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

@test "what dpkg left half done is finished before anything is installed" {
  export INSTALLED=''
  command_stub dpkg <<<'echo "dpkg $*" >>"$STUBS/.dpkg"; [[ $* != --audit ]] || echo "git is only half configured"'
  stub apt-get '*update => true' '*--fix-broken --reinstall --no-remove install libc6 perl-base => true' '*--simulate* => true' '*install* => true'
  as_root() { "$@"; }
  run as_program apt_install git
  expect_status 0
  expect_output 'it is finished first'
  grep -q -- '--configure -a' "$STUBS/.dpkg"
  verify_stubs
}

@test "packages half unpacked, or without what they depend on, are completed, and none is removed for it" {
  export INSTALLED=''
  command_stub dpkg <<<'[[ $* == --audit ]]'
  stub apt-get '*update => true' '*check => exit 100' '*--fix-broken --reinstall --no-remove install libc6 perl-base => true' '*--simulate* => true' \
    '*install* => true'
  as_root() { "$@"; }
  run as_program apt_install git
  expect_status 0
  verify_stubs
}

@test "a package that is still missing after apt fails the verification" {
  export INSTALLED="${SYSTEM_PACKAGES[*]}"
  run as_program system_deps_verify
  expect_status 1
  expect_output 'missing: firejail'
}

@test "a tool that does not start fails the verification" {
  export INSTALLED="${SYSTEM_PACKAGES[*]} firejail"
  run as_program system_deps_verify
  expect_status 0
  command_stub tmux <<<'exit 1'
  run as_program system_deps_verify
  expect_status 1
}

@test "apt is asked through apt itself, for each host of its sources, and one that answers is enough" {
  print_uris() { printf "update --print-uris => printf \"'%%s' f 0 \\\\\\\\n\" %s" "$*"; }
  command_stub timeout <<<'shift; echo "$*" >>"$STUBS/.asked"; [[ $* == *http://alive/* ]]'
  stub apt-get "$(print_uris http://dead/a/InRelease http://dead/b/InRelease http://alive/InRelease)"
  run as_program apt_answers
  expect_status 0
  [ "$(cut -d' ' -f3 "$STUBS/.asked" | sort)" = $'http://alive/InRelease\nhttp://dead/a/InRelease' ]
  grep -q 'apt-helper download-file http://alive/InRelease' "$STUBS/.asked"
  stub apt-get "$(print_uris http://dead/a/InRelease http://gone/InRelease)"
  run as_program apt_answers
  expect_status 1
}

@test "proxies reach apt through sudo, which drops variables, and no argument list" {
  command_stub sudo <<'STUB'
[[ $1 != -n ]] || shift
[[ $1 != true ]] || exit 0
echo "$*" >>"$STUBS/.arguments"
exec env -i PATH="$PATH" STUBS="$STUBS" "$@"
STUB
  command_stub apt-get <<<'echo "$http_proxy $https_proxy $no_proxy $DEBIAN_FRONTEND"; cat'
  export http_proxy='http://u:pass word@proxy:3128' https_proxy=http://proxy:3129 no_proxy=localhost
  become_ordinary
  run as_program apt_get update
  expect_status 0
  [ "$output" = 'http://u:pass word@proxy:3128 http://proxy:3129 localhost noninteractive' ]
  run cat "$STUBS/.arguments"
  expect_no_output proxy
}

@test "what to type as root is the command, without how it would have been called" {
  stub sudo '-n true => exit 1'
  become_ordinary
  run as_program apt_get install git
  expect_status 3
  expect_output 'As root, run: apt-get install git'
}

@test "root's own folders are looked in, where su and cron leave them out" {
  ((EUID == 0)) || skip 'is about root'
  mkdir "$TEST_HOME/sbin" "$TEST_HOME/bin"
  printf '#!/bin/sh\necho made "$@"\n' >"$TEST_HOME/sbin/useradd"
  chmod +x "$TEST_HOME/sbin/useradd"
  ln -s "$(command -v grep)" "$(command -v awk)" "$TEST_HOME/bin"
  SYSTEM_FOLDERS=$TEST_HOME/sbin
  id() { [[ $1 != "$SANDBOX_USER" ]]; }
  apply_without_sbin() {
    PATH=$TEST_HOME/bin
    sandbox_apply
  }
  run as_program apply_without_sbin
  expect_status 0
  expect_output "made --no-create-home --shell /bin/sh $SANDBOX_USER"
  printf '#!/bin/sh\nexit 9\n' >"$TEST_HOME/sbin/useradd" # the user exists by now
  run as_program apply_without_sbin
  expect_status 0
  printf '#!/bin/sh\nexit 1\n' >"$TEST_HOME/sbin/useradd"
  run as_program apply_without_sbin
  expect_status 1
}

@test "a question for a password is expected where somebody is there and sudo asks, and only there" {
  load_settings
  command_stub sudo <<<'exit 1'
  INTERACTIVE=1
  run as_program sudo_may_ask
  expect_status 0
  INTERACTIVE=0
  run as_program sudo_may_ask
  [ "$status" -ne 0 ]
  INTERACTIVE=1
  command_stub sudo <<<'exit 0'
  run as_program sudo_may_ask
  [ "$status" -ne 0 ]
}
