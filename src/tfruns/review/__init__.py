"""What a plan would do, for whoever has to decide about it. Pure: bytes of JSON in, bounded views out; no I/O."""
