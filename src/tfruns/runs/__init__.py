"""The parts that several tools share: a run's plan, logs, queue, checks and ending, read through the client."""
