"""The storage of the local backend: the tables, how they are opened, and the objects that are files."""
