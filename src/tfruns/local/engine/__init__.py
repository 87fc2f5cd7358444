"""The engine: queues phases, executes them with Terraform, and resumes them after a crash."""
