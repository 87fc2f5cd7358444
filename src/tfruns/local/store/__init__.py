"""What the local backend remembers: the tables, how they are opened, and the larger objects beside them."""
