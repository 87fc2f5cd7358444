"""The typed, asynchronous client of the HCP Terraform API: one file for each kind of resource, one transport below."""
