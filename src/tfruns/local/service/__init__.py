"""The rules of the local backend: what a request may do, and what follows from it."""
