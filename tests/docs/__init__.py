"""The documents: what they show is true, what they link to is there, what they list is complete."""
