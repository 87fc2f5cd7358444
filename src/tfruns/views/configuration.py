"""The view of an uploaded configuration."""

from collections.abc import Mapping
from dataclasses import dataclass

from tfruns.next_actions import NextAction
from tfruns.views.base import View


@dataclass(frozen=True, slots=True)
class UploadView(View):
    """A configuration version after its upload.

    Attributes:
        names: the first of the uploaded files.
        excluded: the number of excluded files by reason.
        excluded_likely_secrets: the files that were excluded because they likely contain secrets.
        variable_files_uploaded: the variable files among the uploaded ones; they may contain secrets.
    """

    configuration_version_id: str
    workspace_id: str
    status: str
    files: int
    names: tuple[str, ...]
    bytes: int
    packed_bytes: int
    excluded: Mapping[str, int]
    excluded_likely_secrets: tuple[str, ...] = ()
    variable_files_uploaded: tuple[str, ...] = ()
    follows: str = ""
    next_actions: tuple[NextAction, ...] = ()
    note: str = ""
