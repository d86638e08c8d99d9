#!/usr/bin/env bats
# The command line: what is asked wrongly, what is only shown.

load helpers

setup() { make_home; }
teardown() { remove_home; }

@test "an unknown option exits 2, is named, and points to --help" {
  run setup_sh --frobnicate
  expect_status 2
  expect_output "'--frobnicate'"
  expect_output '--help'
}

@test "--only, --from and --force want a step that exists" {
  for option in --only --from --force; do
    run setup_sh "$option" nonsense
    expect_status 2
    expect_output "'nonsense'"
    expect_output 'system_deps python venv'
    run setup_sh "$option"
    expect_status 2
  done
}

@test "--help names every option and every variable that has a default" {
  run setup_sh --help
  expect_status 0
  for word in --demo --plan --only --from --force --list --offline --download-only doctor status attach uninstall; do
    expect_output "$word"
  done
  while read -r variable; do
    expect_output "$variable"
  done < <(sed -n 's/^ *: "${\([A-Z_]*\):=.*/\1/p' "$ROOT/eval_setup_config.sh" | sort -u)
}

@test "--list prints the steps, in order" {
  run setup_sh --list
  expect_status 0
  [ "$output" = $'system_deps\npython\nvenv\npytorch\nsigilderg\nrust\nsandbox\ncli_tools\nmodels\nevaluation' ]
}

@test "--plan on a bare machine is the golden file, and writes nothing" {
  command_stub dpkg-query <<<'exit 1'
  command_stub nvidia-smi <<<'exit 1'
  command_stub id <<<'exit 0' # root may have made the sandbox user or not
  run bash -c 'cd "$HOME" && PATH=$STUBS:/usr/bin:/bin bash "$ROOT/eval_setup.sh" --demo --plan'
  expect_status 0
  diff <(sed "s#$ROOT#ROOT#g; s#$STATE_DIR#STATE#g; s#$HOME#HOME#g" <<<"$output") "$ROOT/tests/bats/golden/plan.txt"
  [ ! -e "$STATE_DIR" ]
  [ -z "$(ls -A "$HOME")" ]
}

@test "--plan shows a step that is done, with the reason" {
  mkdir -p "$STATE_DIR"
  command_stub dpkg-query <<<'echo installed'
  run setup_sh --demo --plan
  expect_status 0
  [[ ${lines[0]} == 'system_deps  done '*'packages are installed' ]]
}

@test "--only names one step of the plan, --from the rest" {
  run setup_sh --demo --plan --only rust
  [[ ${lines[0]} == rust* ]]
  expect_no_output 'sandbox  '
  run setup_sh --demo --plan --from sandbox
  [[ ${lines[0]} == sandbox* ]]
  expect_output cli_tools
  expect_no_output 'venv  '
}

@test "piped into bash, it says that it needs the repository" {
  run bash -c 'cd /; bash < "$ROOT/eval_setup.sh"'
  expect_status 2
  expect_output 'Clone the repository'
}

@test "what cannot work is refused before the set-up, with the name of the setting" {
  NUM_SAMPLES=5 K_VALUES=1,10 run setup_sh --demo
  expect_status 2
  expect_output 'pass@10 of NUM_SAMPLES=5'
  NUM_SAMPLES=none run setup_sh --demo
  expect_status 2
  expect_output NUM_SAMPLES
  K_VALUES=1,,2 run setup_sh --demo
  expect_status 2
  SEED=-1 run setup_sh --demo
  expect_status 2
  [ ! -e "$STATE_DIR" ]
}

@test "--offline wants a folder that --download-only has finished" {
  mkdir "$TEST_HOME/half"
  run setup_sh --offline "$TEST_HOME/half" --plan
  expect_status 2
  expect_output 'no finished folder'
  touch "$TEST_HOME/half/complete"
  run setup_sh --demo --offline "$TEST_HOME/half" --plan
  expect_status 0
}

@test "vllm is a step that only --only takes" {
  run setup_sh --demo --plan
  expect_status 0
  [[ $output != *vllm* ]]
  run setup_sh --demo --plan --only vllm
  expect_status 0
  [[ ${lines[0]} == 'vllm         to do '* ]]
  run setup_sh --from vllm
  expect_status 2
}
