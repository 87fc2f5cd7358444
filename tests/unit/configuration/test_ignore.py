"""`.terraformignore` excludes the same files as go-slug. The tables follow its tests and source."""

import pytest

from tests.support.growth import assert_linear
from tests.support.tables import rows
from tfruns.configuration.ignore import IgnoreRules, is_terraform_internal
from tfruns.errors import InvalidInput

# hashicorp/go-slug, internal/ignorefiles/testdata/archive-dir/.terraformignore
ARCHIVE_DIR = """\
# comments are ignored
 # extra spaces are irrelevant
# ignore a file
   baz.txt
# below is an empty line

# ignore a directory
terraform.d/
# negate ignoring a directory at the root
!/terraform.d/
# ignore a file at a subpath
**/foo/bar.tf
# ignore files with specific endings
foo/*.md
# character groups
bar/something-[a-z].txt
# ignore a file
boop.txt
# but not one at the current directory
!/boop.txt
"""


@rows(
    ("path", "is_excluded"),
    [
        ("included.txt", False),
        ("baz.txt", True),
        ("parent/foo/baz.txt", True),
        ("parent/foo/bar.tf", True),
        ("parent/bar/bar.tf", False),
        ("something/with-baz.txt", False),
        ("something/baz.x", False),
        ("foo/ignored-doc.md", True),
        ("bar/something-a.txt", True),
        ("bar/something-A.txt", False),
        ("some-module/terraform.d/x", True),
        ("terraform.d/", False),
        ("terraform.d/foo", False),
        ("terraform.d", False),
        ("baz/boop.txt", True),
        ("boop.txt", False),
        (".git/", True),
        (".git/config", True),
        ("modules/a/.git/HEAD", True),
        (".gitignore", False),
    ],
)
def test_sample_rules_match_as_documented(path: str, is_excluded: bool) -> None:
    assert IgnoreRules(ARCHIVE_DIR).excludes(path) is is_excluded


@rows(
    ("rules", "path", "is_excluded"),
    [
        ("*.txt", "file.txt", True),
        ("*.txt", "deep/down/file.txt", True),
        ("*.txt", "file.txt.tf", False),
        ("src/**/*.js", "src/app/main.js", True),
        ("src/**/*.js", "src/main.js", True),
        ("src/**/*.js", "lib/main.js", False),
        ("/main.tf", "main.tf", True),
        ("/main.tf", "modules/main.tf", False),
        ("logs", "logs", True),
        ("logs", "logs/today", False),  # a name without a slash is that of a file
        ("logs/", "logs/today", True),
        ("logs/", "a/logs/b/c", True),
        ("a?c", "abc", True),
        ("a?c", "a/c", False),
        ("a*c", "a/c", False),
        ("a.c", "abc", False),
        (r"\*.tf", "*.tf", True),
        (r"\*.tf", "a.tf", False),
        (r"\!important", "!important", True),
        ("[^a].tf", "b.tf", True),
        ("[^a].tf", "a.tf", False),
        ("[a-].tf", "-.tf", True),
        ("a+(b)|{c}^$", "a+(b)|{c}^$", True),
        ("données.txt", "donne\u0301es.txt", True),
        ("donne\u0301es.txt", "données.txt", True),
        ("münchen/", "mu\u0308nchen/test.txt", True),
        ("*.txt\n!keep.txt", "keep.txt", False),
        ("*.txt\n!keep.txt\n*p.txt", "keep.txt", True),
        ("logs/\n!keep.txt", "logs/keep.txt", False),  # unlike in Git
        ("!.git/", ".git/config", False),
        ("*.txt\r\n", "a.txt", True),
        ("!\n \n#x", "x", False),
        ("/", "anything/at.all", True),
        ("a*b*c/d", "aXbYc/d", True),
        ("a*b*c/d", "aXb/Yc/d", False),
        ("a*b**/c", "aab/c", True),
    ],
)
def test_rule_excludes_matching_files(rules: str, path: str, is_excluded: bool) -> None:
    assert IgnoreRules(rules).excludes(path) is is_excluded


@rows(
    ("rules", "path", "is_all"),
    [
        ("src/**/*\n!src/foo/bar.txt\nlogs/\ntmp/", "logs/", True),
        ("src/**/*\n!src/foo/bar.txt\nlogs/\ntmp/", "src/foo/", False),
        ("logs/\n!logs/keep", "logs/", False),
        ("", ".git/", True),
        ("", "src/", False),
    ],
)
def test_directory_is_skipped_if_no_rule_can_include_its_files(rules: str, path: str, is_all: bool) -> None:
    assert IgnoreRules(rules).excludes_all_below(path) is is_all


@rows("rule", ["[a", "[z-a].tf", "a/**/b/**/c/**/d/**/e/**/f", "[]"])
def test_malformed_rule_is_named_by_its_line(rule: str) -> None:
    with pytest.raises(InvalidInput, match=r"Line 2 of \.terraformignore"):
        IgnoreRules(f"# first\n{rule}")


def test_number_of_rules_is_limited() -> None:
    with pytest.raises(InvalidInput, match="more than"):
        IgnoreRules("a\n" * 1_001)


@rows("rule", ["*a" * 40 + "b", "a*" * 60 + "/b", "**/*a*a*a/**/*a*a*a/**/*a*b"])
def test_time_of_a_rule_is_linear_in_the_length_of_names(rule: str) -> None:
    rules = IgnoreRules(rule)
    assert not rules.excludes("/".join(["a" * 60] * 12))
    assert_linear(lambda length: rules.excludes("/".join(["a" * length] * 12)), 500, rule)


@rows(
    ("name", "is_own"),
    [
        (".terraform", True),
        ("terraform.tfstate", True),
        ("terraform.tfstate.backup", True),
        (".terraform.tfstate.lock.info", True),
        ("errored.tfstate", True),
        ("TERRAFORM.TFSTATE", True),
        ("terraform.tfstate.d", True),
        (".terraform.lock.hcl", False),
        (".terraformignore", False),
        ("tfstate", False),
        ("main.tf", False),
        ("terraform.d", False),
    ],
)
def test_states_and_installed_files_are_internal_to_terraform(name: str, is_own: bool) -> None:
    assert is_terraform_internal(name) is is_own
