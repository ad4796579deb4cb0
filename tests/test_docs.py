"""The documentation and the project say the same: settings, make targets, pages, acceptance."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import config
from deploy import reference
from deploy.settings import RUNNER_DEFAULTS

REPOSITORY = Path(__file__).resolve().parent.parent
README = (REPOSITORY / "README.md").read_text()
DOCS = sorted((REPOSITORY / "docs").glob("*.md"))
ACCEPTANCE = REPOSITORY / "docs" / "acceptance.md"


def make_targets() -> list[str]:
    makefile = (REPOSITORY / "Makefile").read_text()
    phony = re.search(r"^\.PHONY: (.+)$", makefile, re.MULTILINE)
    assert phony, "the Makefile lists no targets"
    return phony[1].split()


def test_the_readme_has_the_table_of_settings_that_config_py_describes() -> None:
    assert reference.readme(README) == README, "run `make reference`"


def test_env_example_lists_every_variable_with_its_default() -> None:
    text = (REPOSITORY / ".env.example").read_text()
    assert text == reference.env_example(), "run `make reference`"
    for name in [*config.DEFAULTS, *RUNNER_DEFAULTS, *reference.celery_settings()]:
        assert f"\n#{name}=" in text


@pytest.mark.parametrize("target", make_targets())
def test_a_make_target_stands_in_the_readme_and_in_make_help(target: str) -> None:
    assert f"`make {target}`" in README
    assert re.search(rf"^{target}:.*## \S", (REPOSITORY / "Makefile").read_text(), re.MULTILINE)


def test_every_variable_that_docker_compose_asks_for_is_documented() -> None:
    compose = (REPOSITORY / "docker-compose.yml").read_text()
    asked = set(re.findall(r"\$\{([A-Z_]+)", compose))
    known = {*config.DEFAULTS, *RUNNER_DEFAULTS, *reference.COMPOSE_SETTINGS}
    assert asked - known == set()


@pytest.mark.parametrize("page", [p.name for p in DOCS])
def test_a_page_of_the_documentation_can_be_reached_from_the_readme(page: str) -> None:
    linked = set(re.findall(r"\(docs/([\w.-]+\.md)\)", README))
    for name in list(linked):
        linked |= set(re.findall(r"\(([\w-]+\.md)\)", (REPOSITORY / "docs" / name).read_text()))
    assert page in linked, f"link docs/{page} from README.md or from a page that it links"


@pytest.mark.parametrize(
    "page", ["README.md", "CONTRIBUTING.md", *(f"docs/{p.name}" for p in REPOSITORY.glob("docs/*.md"))]
)
def test_links_between_pages_lead_somewhere(page: str) -> None:
    text = (REPOSITORY / page).read_text()
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text):
        assert (REPOSITORY / page).parent.joinpath(target).exists(), f"{page} links {target}"


@pytest.mark.parametrize("room", sorted(p.parent.name for p in REPOSITORY.glob("musicapp/*/__init__.py")))
def test_a_room_stands_in_the_architecture(room: str) -> None:
    assert re.search(rf"^.*\b{room}\b.*$", (REPOSITORY / "docs" / "architecture.md").read_text(), re.MULTILINE)


def test_every_test_and_figure_named_in_the_acceptance_exists() -> None:
    text = ACCEPTANCE.read_text()
    named = re.findall(r"(tests/[\w/]+\.py)(?:::(\w+))?", text)
    assert named, "docs/acceptance.md names no tests"
    for file, test in named:
        path = REPOSITORY / file
        assert path.exists(), f"docs/acceptance.md names {file}"
        if test:
            assert re.search(rf"^\s*def {test}\(", path.read_text(), re.MULTILINE), f"{file} has no {test}"
    for file in re.findall(r"bench/[\w/]+\.py", text):
        assert (REPOSITORY / file).exists(), f"docs/acceptance.md names {file}"
