"""The API: one file for each kind of resource. A route reads the request, calls a service, and writes the answer."""
