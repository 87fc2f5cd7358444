"""Manage Terraform runs in HCP Terraform, Terraform Enterprise or the local backend.

    import tfruns

    async with tfruns.Client() as client:
        run = await client.runs.read("run-CZcmD7eagjhyX0vN")

What is offered here is loaded when it is first used, so that `tfruns --help` needs neither an HTTP client nor pydantic.
"""
