"""The resources of the API: what the client reads and the local backend writes, one file for each kind."""
