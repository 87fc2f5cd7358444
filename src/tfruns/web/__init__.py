"""Web pages: where a person reviews a plan and decides about a run."""
