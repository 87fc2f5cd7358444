"""Reviews of plans: plan JSON in, bounded pages out. No I/O."""
