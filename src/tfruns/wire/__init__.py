"""The resources of the API, which the client reads and the local backend writes; one file per resource."""
