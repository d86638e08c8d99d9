"""What the reports say besides figures: how samples were drawn, meanings, what is not shown."""

from __future__ import annotations

from pathlib import Path

from results_fixture import finding, good_results, make_metadata, make_run, visible


def test_shares_of_samples_are_given_once_and_of_all_that_was_compiled(tmp_path: Path) -> None:
    results = good_results()
    for row in results["finetuned"]:
        row["policy_findings"] = [finding("network")]
    reports = make_run(tmp_path, results, make_metadata())
    compiles = "| Compiles | 100.0 % "
    assert reports["combined_summary.md"].count(compiles) == 1
    assert compiles in reports["no-policy/comparison_report.md"]
    assert "| Compiles |" not in reports["policy/comparison_report.md"]
    assert "stand in no-policy/comparison_report.md" in reports["policy/comparison_report.md"]
    assert visible(reports["report.html"]).count("Compiles 100.0 %") == 1


def test_the_policy_alone_says_that_what_breaks_it_was_not_compiled(tmp_path: Path) -> None:
    reports = make_run(tmp_path, good_results(), make_metadata(), modes=("policy",))
    for name, text in reports.items():
        assert "was not compiled in this run, and counts as not compiling" in text, name


def test_how_samples_were_drawn_and_what_is_not_shown_stand_in_every_report(tmp_path: Path) -> None:
    arguments = {"temperature": 0.2, "top_p": 0.95, "top_k": 50, "max_new_tokens": 512}
    metadata = make_metadata(arguments=arguments | {"prompt_mode": "auto"})
    metadata["models"]["base"] |= {"engine": "hf", "attention": "sdpa"}
    metadata["models"]["finetuned"] |= {"engine": "hf", "attention": "flash_attention_2"}
    drawn = (
        "4 samples per problem, temperature 0.2, top-p 0.95, top-k 50, up to 512 new tokens, "
        "prompt form auto, engine hf, bfloat16, attention sdpa and flash_attention_2"
    )
    for name, text in make_run(tmp_path, good_results(), metadata).items():
        assert drawn in (visible(text) if name.endswith(".html") else text.splitlines()[2]), name
        limits = text[text.index("What this does not show") :]
        assert "another run of the same training" in limits, name
        assert "Answers with unsafe code (0 of 160 here)" in limits, name
    assert (
        "how they were drawn is not recorded"
        in (make_run(tmp_path / "bare", good_results())["combined_summary.md"])
    )


def test_the_verdict_gives_both_scores_and_words_come_with_their_meaning(tmp_path: Path) -> None:
    reports = make_run(tmp_path, good_results(), make_metadata())
    page = visible(reports["report.html"])
    assert "28.7 % → 73.8 %" in page
    assert "Base 28.7 %, fine-tuned 73.8 % (pass@1)." in reports["combined_summary.md"]
    for text in (page, reports["combined_summary.md"]):
        for meaning in (
            "Answers that use what the policy forbids",
            "pass@k: the chance",
            "main-free",
        ):
            assert meaning in text


def test_how_many_answers_held_several_definitions_is_said_where_some_did(tmp_path: Path) -> None:
    results, words = good_results(), "answers held more than one whole definition"
    for text in make_run(tmp_path / "none", results, make_metadata()).values():
        assert words not in text
    for row in results["base"][:3]:
        row["definitions"] = 2
    reports = make_run(tmp_path / "some", results, make_metadata())
    for name in ("combined_summary.md", "no-policy/comparison_report.md", "report.html"):
        assert f"3 of 160 {words}" in visible(reports[name]), name


def test_the_reproduce_block_names_no_place_of_the_runs_machine(tmp_path: Path) -> None:
    command = ["sigil-eval", "run", "--output-dir", "/home/x/out", "--seed", "7"]
    metadata = make_metadata(command=[*command, "--provision-state=/home/x/state"])
    report = make_run(tmp_path, good_results(), metadata)["combined_summary.md"]
    block = report[report.index("```sh") :]
    assert "SEED=1234 sigil-eval run --seed 7\n" in block
    assert "/home/x" not in block
