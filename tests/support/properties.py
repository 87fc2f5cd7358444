"""The number of examples of a property test.

`make test-fast` tries a few, the same ones each time; `make test` tries Hypothesis's default number, also the same ones
each time; HYPOTHESIS_PROFILE=thorough tries many new ones.
"""

import os

from hypothesis import settings

PROFILE = os.environ.get("HYPOTHESIS_PROFILE", "quick")

settings.register_profile("quick", max_examples=25, derandomize=True, deadline=None)
settings.register_profile("full", derandomize=True, deadline=None)
settings.register_profile("thorough", max_examples=500, deadline=None)
settings.load_profile(PROFILE)
